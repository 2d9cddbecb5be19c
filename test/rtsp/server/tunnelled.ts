import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";

const TYPE = "application/x-rtsp-tunnelled";

export function getOf(cookie: string, path = "/live/gate"): string {
  return `GET ${path} HTTP/1.0\r\nx-sessioncookie: ${cookie}\r\nAccept: ${TYPE}\r\n\r\n`;
}

export function postOf(cookie: string, path = "/live/gate"): string {
  const head = [`POST ${path} HTTP/1.0`, `x-sessioncookie: ${cookie}`, `Content-Type: ${TYPE}`];
  return [...head, "Content-Length: 32767", "\r\n"].join("\r\n");
}

/** The client's end of RTSP in HTTP: reads the answer to a GET, and writes base64 into a POST. Emits `connect` when both are there. */
export class TunnelledSocket extends Duplex {
  readonly get: Socket;
  readonly post: Socket;

  constructor(port: number, cookie = `${Math.random()}`) {
    super();
    this.get = connect(port, "127.0.0.1");
    this.post = connect(port, "127.0.0.1");
    for (const socket of [this.get, this.post]) socket.on("error", () => this.destroy());
    let head = "";
    const read = (chunk: Buffer): void => {
      head += chunk.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.get.off("data", read);
      this.get.on("data", (rest: Buffer) => this.push(rest));
      if (head.length > end + 4) this.push(Buffer.from(head.slice(end + 4), "latin1"));
      this.post.write(postOf(cookie));
      this.emit("connect");
    };
    this.get.on("data", read);
    this.get.once("close", () => this.destroy());
    this.get.write(getOf(cookie));
  }

  override _read(): void {
    if (this.get.isPaused()) this.get.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.post.write(chunk.toString("base64"));
    done();
  }

  override pause(): this {
    this.get.pause();
    return super.pause();
  }

  override resume(): this {
    this.get.resume();
    return super.resume();
  }

  override _destroy(_error: Error | null, done: () => void): void {
    this.get.destroy();
    this.post.destroy();
    done();
  }
}
