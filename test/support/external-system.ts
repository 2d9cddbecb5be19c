import { once } from "node:events";
import { eventually, type Login, type TestBridge } from "./bridge.ts";
import type { Peer } from "./peer.ts";

const SCOPES = `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>
<GetScopes xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>`;

/** A request of ONVIF that wants a log-in, as curl is to send it. */
const SCOPES_BY_CURL: readonly string[] = ["-H", "Content-Type: application/soap+xml", "--data-binary", SCOPES];

export type Playing = ReturnType<Peer["start"]>;

/** An external system as two programs: ffmpeg plays a camera, curl asks for scopes. */
export class ExternalSystem {
  readonly #t: TestBridge;
  readonly #ffmpeg: Peer;
  readonly #curl: Peer;
  readonly #playing: Playing[] = [];

  constructor(t: TestBridge, { ffmpeg, curl }: { readonly ffmpeg: Peer; readonly curl: Peer }) {
    this.#t = t;
    this.#ffmpeg = ffmpeg;
    this.#curl = curl;
  }

  /** Begins to play, or is refused. */
  start(login: Login, camera: string): Playing {
    const url = this.#t.rtsp(login, `live/${camera}`);
    const started = this.#ffmpeg.start(["-loglevel", "error", "-rtsp_transport", "tcp", "-i", url, "-f", "null", "-"]);
    this.#playing.push(started);
    return started;
  }

  /** Plays. */
  async play(login: Login, camera: string): Promise<Playing> {
    const { rtspSessions } = this.#t.bridge.parts;
    const before = rtspSessions(login.name);
    const started = this.start(login, camera);
    await eventually(() => rtspSessions(login.name) > before);
    return started;
  }

  /** The answer's body, and its status behind it; but for the nonces of the answer. Without TLS nothing but digest is offered. */
  async ask({ name, secret }: Pick<Login, "name" | "secret">): Promise<string> {
    const url = `http://127.0.0.1:${this.#t.bridge.parts.addresses().doors.http}/onvif/device_service`;
    const how = ["-sS", "-w", "%{http_code}", "--digest", "-u", `${name}:${secret}`];
    const { stdout } = await this.#curl.run([...how, ...SCOPES_BY_CURL, url]);
    return stdout.toString().replaceAll(/nonce="[^"]*"/g, "");
  }

  close(): void {
    for (const { child } of this.#playing) child.kill("SIGKILL");
  }
}

/** Resolves when it plays no more. */
export async function ended({ child }: Playing): Promise<void> {
  if (child.exitCode === null) await once(child, "exit");
}
