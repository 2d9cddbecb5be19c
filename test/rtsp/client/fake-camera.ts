import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** A request as a camera sees it. */
export interface Asked {
  readonly method: string;
  readonly uri: string;
  readonly header: (name: string) => string | undefined;
  /** Which connection it came on, from 0. */
  readonly connection: number;
}

/** What the camera writes: text is latin1. Undefined: nothing at all. */
export type Answer = string | Buffer | undefined;
export type Script = Readonly<Record<string, (asked: Asked) => Answer>>;

export const VIDEO_SDP = [
  "v=0",
  "o=- 1 1 IN IP4 0.0.0.0",
  "s=camera",
  "c=IN IP4 0.0.0.0",
  "t=0 0",
  "a=control:*",
  "m=video 0 RTP/AVP 96",
  "a=rtpmap:96 H264/90000",
  "a=control:trackID=0",
  "",
].join("\r\n");

export const AUDIO_SDP = ["m=audio 0 RTP/AVP 0", "a=control:trackID=1", ""].join("\r\n");

/** A response with the right CSeq. */
export function answer(asked: Asked, headers: readonly string[] = [], body = "", status = "200 OK"): string {
  const length = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body, "latin1")}`];
  return [`RTSP/1.0 ${status}`, `CSeq: ${asked.header("cseq")}`, ...headers, ...length, "", body].join("\r\n");
}

/** One `$`-framed packet. */
export function framed(channel: number, packet: Buffer): Buffer {
  const head = Buffer.from([0x24, channel, 0, 0]);
  head.writeUInt16BE(packet.length, 2);
  return Buffer.concat([head, packet]);
}

/** How a camera without quirks answers; a script replaces answers one by one. */
const HONEST: Script = {
  OPTIONS: (asked) => answer(asked, ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"]),
  DESCRIBE: (asked) => answer(asked, ["Content-Type: application/sdp", `Content-Base: ${asked.uri}/`], VIDEO_SDP),
  SETUP: (asked) => answer(asked, [`Transport: ${asked.header("transport")}`, "Session: 1234;timeout=60"]),
  PLAY: (asked) => answer(asked, ["Session: 1234"]),
  TEARDOWN: (asked) => answer(asked),
  GET_PARAMETER: (asked) => answer(asked),
};

/** A camera on raw TCP, on a port of the system's choice, that answers by a script. */
export class FakeCamera {
  readonly asked: Asked[] = [];
  /** Bytes of the client that are not requests: interleaved packets, by channel. */
  readonly packets: { readonly channel: number; readonly packet: Buffer }[] = [];
  readonly #server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  readonly #sockets: Socket[] = [];
  readonly #script: Script;

  private constructor(script: Script) {
    this.#script = { ...HONEST, ...script };
  }

  static async start(script: Script = {}): Promise<FakeCamera> {
    const camera = new FakeCamera(script);
    camera.#server.listen(0, "127.0.0.1");
    await once(camera.#server, "listening");
    return camera;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): URL {
    return new URL(`rtsp://127.0.0.1:${this.port}/stream`);
  }

  get methods(): readonly string[] {
    return this.asked.map(({ method }) => method);
  }

  get connections(): number {
    return this.#sockets.length;
  }

  /** Writes to the newest connection. */
  send(bytes: Answer): void {
    if (bytes !== undefined) this.#sockets.at(-1)?.write(bytes, "latin1");
  }

  /** Reads nothing any more. */
  pause(): void {
    this.#sockets.at(-1)?.pause();
  }

  hangUp(): void {
    this.#sockets.at(-1)?.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    const connection = this.#sockets.push(socket) - 1;
    let pending = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        const used = this.#take(pending, connection, socket);
        if (used === 0) return;
        pending = pending.subarray(used);
      }
    });
  }

  #take(bytes: Buffer, connection: number, socket: Socket): number {
    if (bytes[0] === 0x24) {
      const end = bytes.length < 4 ? Number.POSITIVE_INFINITY : 4 + bytes.readUInt16BE(2);
      if (end > bytes.length) return 0;
      this.packets.push({ channel: bytes[1] ?? 0, packet: bytes.subarray(4, end) });
      return end;
    }
    const end = bytes.indexOf("\r\n\r\n");
    if (end < 0) return 0;
    const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
    const [method = "", uri = ""] = first.split(" ");
    const header = (name: string): string | undefined =>
      lines.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))?.replace(/^[^:]*:\s*/, "");
    const asked = { method, uri, header, connection };
    // Answers to what the camera asked are noted too, with the version as the method and the status as the address.
    this.asked.push(asked);
    const written = this.#script[method]?.(asked);
    if (written !== undefined) socket.write(written, "latin1");
    return end + 4;
  }
}
