import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { ChallengeAnswerer } from "../../auth/scheme/http.ts";
import { Secret } from "../../base/secret.ts";
import { openPortPair } from "../../net/udp.ts";
import { type CarrierName, Client, type Reply } from "../rtsp/server/stage.ts";
import { TunnelledSocket } from "../rtsp/server/tunnelled.ts";
import { WebSocketed } from "../rtsp/server/web-socketed.ts";
import type { Login, TestBridge } from "./bridge.ts";

/** A client of a whole bridge, over any carrier, that logs in with digest. */
export class RtspViewer {
  readonly client: Client;
  readonly #base: string;
  readonly #answerer: ChallengeAnswerer;
  #replies = 0;

  private constructor(socket: Duplex, base: string, login: Login) {
    this.client = new Client(socket, base);
    this.#base = base;
    this.#answerer = new ChallengeAnswerer({ user: login.name, password: new Secret(login.secret) });
  }

  static async connect(t: TestBridge, login: Login, carrier: CarrierName): Promise<RtspViewer> {
    const { rtsp = 0, rtsps, http = 0 } = t.bridge.parts.addresses().doors;
    const socket =
      carrier === "HTTP"
        ? new TunnelledSocket(http)
        : carrier === "WebSocket"
          ? new WebSocketed(http)
          : carrier === "TLS"
            ? connectTls({ port: rtsps, host: "127.0.0.1", rejectUnauthorized: false })
            : connect(rtsp, "127.0.0.1");
    const viewer = new RtspViewer(socket, `rtsp://127.0.0.1:${rtsp}`, login);
    if (carrier === "UDP") viewer.client.hear(await openPortPair("127.0.0.1"));
    await viewer.client.connected;
    return viewer;
  }

  /** Asks, and once more with credentials where they are wanted. */
  async ask(method: string, path: string, headers: readonly string[] = []): Promise<Reply> {
    for (;;) {
      const authorization = this.#answerer.authorize(method, this.#base + path);
      const own = authorization === undefined ? [] : [`Authorization: ${authorization}`];
      this.client.request(method, path, [...own, ...headers], "");
      const reply = await this.client.reply(this.#replies++);
      const challenge = reply.header("www-authenticate");
      if (reply.status !== 401 || challenge === undefined || !this.#answerer.challenged([challenge])) return reply;
    }
  }

  /** Sets up the first track. */
  async setUp(path: string): Promise<Reply> {
    const { ports } = this.client;
    const transport =
      ports === undefined
        ? "RTP/AVP/TCP;unicast;interleaved=0-1"
        : `RTP/AVP;unicast;client_port=${ports.ports.join("-")}`;
    const reply = await this.ask("SETUP", `${path}/track0`, [`Transport: ${transport}`]);
    this.client.session = reply.header("session")?.split(";")[0];
    return reply;
  }

  /** Plays until so many packets have come, or the bridge has hung up. Rejects where it is refused. */
  async watch(path: string, packets: number): Promise<void> {
    const { client } = this;
    for (const reply of [await this.setUp(path), await this.ask("PLAY", path)])
      if (reply.status !== 200) throw new Error(`refused with ${reply.status}`);
    await client.until(() => client.packets.length >= packets || client.closed);
  }

  hangUp(): void {
    this.client.socket.destroy();
  }
}
