import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { header, type Response } from "../../rtsp/wire/message.ts";
import { MessageParser } from "../../rtsp/wire/parser.ts";

/** One RTSPS connection that says what a test tells it to, and logs in with Basic. */
export class RtspsClient {
  readonly closed: Promise<unknown>;
  /** RTP and RTCP packets that came. */
  packets = 0;
  readonly #socket: TLSSocket;
  readonly #answers: Response[] = [];
  #sequence = 0;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    this.closed = once(socket, "close");
    socket.on("error", () => undefined);
    const parser = new MessageParser({ role: "client" });
    socket.on("data", (chunk: Buffer) => {
      for (const message of parser.push(chunk)) {
        if (message.type === "response") this.#answers.push(message);
        else this.packets += 1;
      }
      socket.emit("told");
    });
  }

  static async open(port: number, host = "127.0.0.1"): Promise<RtspsClient> {
    const socket = connect({ host, port, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    return new RtspsClient(socket);
  }

  async ask(method: string, uri: string, headers: readonly string[] = []): Promise<Response> {
    this.#sequence += 1;
    this.#socket.write([`${method} ${uri} RTSP/1.0`, `CSeq: ${this.#sequence}`, ...headers, "", ""].join("\r\n"));
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) return answer;
      await once(this.#socket, "told");
    }
  }

  /** Plays all tracks of what `uri` names. The first refusal, or the answer to PLAY. */
  async play(
    uri: string,
    login: { readonly name: string; readonly secret: string } | { readonly authorization: string },
  ): Promise<Response> {
    const credentials = ["authorization" in login ? login.authorization : `Authorization: ${basic(login)}`];
    const described = await this.ask("DESCRIBE", uri, [...credentials, "Accept: application/sdp"]);
    if (described.status !== 200) return described;
    const base = header(described, "Content-Base") ?? uri;
    const tracks = [...described.body.toString().matchAll(/^a=control:(.*?)\r?$/gm)].map(([, control = ""]) => control);
    let session: string[] = [];
    for (const [index, control] of tracks.filter((one) => one !== "*").entries()) {
      const transport = `Transport: RTP/AVP/TCP;unicast;interleaved=${index * 2}-${index * 2 + 1}`;
      const url = new URL(control, base.endsWith("/") ? base : `${base}/`).href;
      const set = await this.ask("SETUP", url, [...credentials, transport, ...session]);
      session = [`Session: ${header(set, "Session")?.split(";", 1)[0]}`];
    }
    return this.ask("PLAY", base, [...credentials, ...session]);
  }

  /** One packet on an interleaved channel. */
  send(channel: number, packet: Buffer): void {
    const head = Buffer.from([0x24, channel, 0, 0]);
    head.writeUInt16BE(packet.length, 2);
    this.#socket.write(Buffer.concat([head, packet]));
  }

  close(): void {
    this.#socket.destroy();
  }
}

function basic({ name, secret }: { readonly name: string; readonly secret: string }): string {
  return `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`;
}
