import { Duplex } from "node:stream";
import { WebSocket } from "ws";

/** The client's end of RTSP in a WebSocket. Emits `connect` when it is open. */
export class WebSocketed extends Duplex {
  readonly ws: WebSocket;

  constructor(port: number) {
    super();
    this.ws = new WebSocket(`ws://127.0.0.1:${port}/onvif/rtsp`, "rtsp.onvif.org");
    this.ws.on("open", () => this.emit("connect"));
    this.ws.on("message", (data: Buffer) => this.push(data));
    this.ws.on("error", () => this.destroy());
    this.ws.on("close", () => this.destroy());
  }

  override _read(): void {
    // What comes is pushed.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.ws.send(chunk, done);
  }

  override pause(): this {
    this.ws.pause();
    return super.pause();
  }

  override resume(): this {
    if (this.ws.readyState === WebSocket.OPEN) this.ws.resume();
    return super.resume();
  }

  override _destroy(_error: Error | null, done: () => void): void {
    this.ws.terminate();
    done();
  }
}
