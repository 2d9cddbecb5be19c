import type { Socket } from "node:net";
import { asFault } from "../base/fault.ts";
import { type MonotonicMillis, SECOND } from "../base/units.ts";
import type { Line } from "./rtsp-line.ts";
import type { RtspOptions } from "./rtsp-options.ts";
import { type Room, RtspSession } from "./rtsp-session.ts";
import { timeoutSecondsOf } from "./rtsp-timeout.ts";
import { type FromClient, printAnswer, RequestReader, type RtspRequest } from "./rtsp-wire.ts";

/** Every so many writes of media one lacks the end of a packet, where that is switched on. */
const TORN = { every: 25, bytes: 20 };

/** What a connection needs of its server. */
export interface RoomForOne extends Omit<Room, "occupied"> {
  /** Whether another client has, or has left behind, a session. */
  occupied(by: RtspConnection): boolean;
}

/** One client's connection: what comes on it, the answers in their order, and its end where the client is not there any more. */
export class RtspConnection implements Line {
  /** RTSP goes in HTTP. */
  readonly tunnelled: boolean;
  readonly #socket: Socket;
  readonly #options: RtspOptions;
  readonly #reader = new RequestReader();
  readonly #session: RtspSession;
  #lastSign: MonotonicMillis;
  #writes = 0;
  #closed = false;
  /** The client has gone without TEARDOWN. */
  #deserted = false;
  /** Answers go out in the order of their requests, though ports take time to open. */
  #turn: Promise<void> = Promise.resolve();

  /** What is answered and sent goes to `socket`; what the client says is given to {@link read}. */
  constructor(socket: Socket, tunnelled: boolean, options: RtspOptions, room: RoomForOne) {
    this.#socket = socket;
    this.tunnelled = tunnelled;
    this.#options = options;
    this.#session = new RtspSession(this, options, {
      url: (host, stream) => room.url(host, stream),
      occupied: () => room.occupied(this),
      multicast: (stream) => room.multicast(stream),
    });
    this.#lastSign = options.clock.monotonic();
    socket.setNoDelay(true);
    socket.on("error", (err) => options.log.debug({ err }, "simulated camera: connection broke off"));
  }

  /** It is sent a picture. */
  get watching(): boolean {
    return this.#session.watching;
  }

  /** It has a session, or had one that nobody ended. */
  get holdsSession(): boolean {
    return this.#session.begun || this.#deserted;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get clientAddress(): string {
    return this.#socket.remoteAddress ?? "";
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Buffer | string): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  /** As a camera does that does not look whether all of it was taken, where that is switched on. */
  writeMedia(bytes: Buffer): void {
    this.#writes += 1;
    const tears = this.#options.quirks.has("torn-framing") && this.#writes % TORN.every === 0;
    this.write(tears && bytes.length > 2 * TORN.bytes ? bytes.subarray(0, -TORN.bytes) : bytes);
  }

  signOfLife(): void {
    this.#lastSign = this.#options.clock.monotonic();
  }

  close(): void {
    this.#closed = true;
    this.#deserted ||= this.#session.begun;
    this.#session.end();
    this.#socket.destroy();
  }

  /** Ends a session whose client has not shown itself for too long. */
  look(): void {
    const { clock, log, quirks } = this.#options;
    if (clock.monotonic() - this.#lastSign <= timeoutSecondsOf(quirks) * SECOND) return;
    log.debug("simulated camera: client says nothing");
    this.close();
  }

  read(chunk: Buffer): void {
    try {
      for (const message of this.#reader.push(chunk)) {
        if (this.#isSign(message)) this.signOfLife();
        if ("method" in message) this.#turn = this.#turn.then(() => this.#respond(message));
        else this.#session.packet(message.channel, message.packet);
      }
    } catch (error) {
      this.#options.log.debug({ err: asFault(error) }, "simulated camera: client breaks RTSP");
      this.#socket.end(printAnswer({ status: 400 }, "0"));
      this.close();
    }
  }

  /** Whether the camera takes it for a sign that the client is there. */
  #isSign(message: FromClient): boolean {
    const { quirks } = this.#options;
    const { playing } = this.#session;
    if (quirks.has("reports-count-alone")) return !("method" in message) || !playing;
    return !(quirks.has("options-do-not-count") && playing && "method" in message && message.method === "OPTIONS");
  }

  async #respond(request: RtspRequest): Promise<void> {
    if (this.#closed || this.#ignores(request.method)) return;
    const answer = await this.#session.answer(request);
    const newline = this.#options.quirks.has("line-feeds") ? "\n" : "\r\n";
    this.write(printAnswer(answer, request.headers.get("cseq") ?? "0", newline));
    if (request.method === "TEARDOWN" && answer.status === 200) this.#session.end();
  }

  #ignores(method: string): boolean {
    const { quirks } = this.#options;
    return quirks.has("silent-keepalive") && this.#session.playing && /^(?:OPTIONS|GET_PARAMETER)$/.test(method);
  }
}
