import type { Socket } from "node:net";
import type { PacketGroup } from "../../media/group.ts";
import { descriptorOf, isOpen, type NativeSender } from "../../net/native.ts";
import type { Carrier } from "./carrier.ts";
import type { DirectWay } from "./direct-way.ts";
import { Gathered, type Run } from "./gathered.ts";

/**
 * A plain TCP socket whose bytes go to the kernel without the socket's stream in between while nothing waits in that. Whatever the kernel
 * does not take goes the stream's way, and so does all that follows until that is empty: bytes never overtake one another. What goes
 * wrong is left to the stream to find, so that it ends as every socket does.
 */
export class DirectCarrier implements Carrier, DirectWay {
  readonly kind = "tcp";
  readonly #socket: Socket;
  readonly #native: NativeSender;
  #directBytes = 0;
  /** The stream was given something, or an end, since it was last seen to be empty. */
  #streamed = false;
  /** How often it was corked, and not uncorked. */
  #corks = 0;
  readonly #gathered = new Gathered();

  constructor(socket: Socket, native: NativeSender) {
    this.#socket = socket;
    this.#native = native;
  }

  write(bytes: Buffer, sent?: () => void): void {
    if (this.#corks > 0) {
      this.#gathered.add(bytes, sent);
      if (this.#gathered.isFull) this.#sendGathered();
      return;
    }
    const fd = this.#isDirect() ? this.descriptor : undefined;
    const taken = fd === undefined ? 0 : Math.max(0, this.#native.write(fd, bytes));
    this.#directBytes += taken;
    if (taken === bytes.length) sent?.();
    else this.#stream(bytes.subarray(taken), sent);
  }

  get direct(): DirectWay {
    return this;
  }

  get descriptor(): number | undefined {
    return descriptorOf(this.#socket);
  }

  get isFree(): boolean {
    return this.#corks === 0 && isOpen(this.#socket) && this.#isDirect();
  }

  admits(framed: Buffer): boolean {
    if (!this.isFree) return false;
    this.#directBytes += framed.length;
    return true;
  }

  sendToAll(
    _ways: readonly DirectWay[],
    fds: Int32Array,
    framed: Buffer,
    _group: PacketGroup,
    taken: Int32Array,
  ): number {
    this.#native.writeAll(fds, framed, taken);
    return framed.length;
  }

  rest(framed: Buffer, _group: PacketGroup, taken: number): void {
    const left = framed.subarray(Math.max(0, taken));
    this.#directBytes -= left.length;
    this.#stream(left);
  }

  cork(): void {
    this.#corks += 1;
  }

  uncork(): void {
    this.#corks -= 1;
    if (this.#corks === 0) this.#sendGathered();
  }

  end(bytes: Buffer): void {
    this.#sendGathered();
    this.#streamed = true;
    this.#socket.end(bytes);
  }

  destroy(): void {
    this.#sendGathered();
    this.#socket.destroy();
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** What is gathered does not count: it is little, and nobody would be told that it is gone. */
  get writableLength(): number {
    return this.#streamed ? this.#socket.writableLength : 0;
  }

  get bytesWritten(): number {
    return this.#directBytes + this.#socket.bytesWritten + this.#gathered.bytes;
  }

  on(event: "drain" | "close", listener: () => void): void {
    this.#socket.on(event, listener);
  }

  once(event: "drain" | "close", listener: () => void): void {
    this.#socket.once(event, listener);
  }

  off(event: "drain" | "close", listener: () => void): void {
    this.#socket.off(event, listener);
  }

  #sendGathered(): void {
    const runs = this.#gathered.take();
    if (runs.length === 0) return;
    const fd = this.#isDirect() ? this.descriptor : undefined;
    const bytes = runs.map((run) => run.bytes);
    let taken = fd === undefined ? 0 : Math.max(0, this.#native.writeTogether(fd, bytes));
    this.#directBytes += taken;
    const whole: Run[] = [];
    this.#socket.cork();
    for (const run of runs) {
      if (taken >= run.bytes.length) whole.push(run);
      else this.#stream(run.bytes.subarray(taken), run.sent);
      taken = Math.max(0, taken - run.bytes.length);
    }
    this.#socket.uncork();
    // Behind the others: who is told may write.
    for (const { sent } of whole) sent();
  }

  #stream(bytes: Buffer, sent?: () => void): void {
    this.#streamed = true;
    this.#socket.write(bytes, sent);
  }

  /** Nothing is in the stream that would be overtaken. */
  #isDirect(): boolean {
    const socket = this.#socket;
    if (this.#streamed) this.#streamed = socket.writableLength > 0 || socket.writableCorked > 0 || !socket.writable;
    return !this.#streamed;
  }
}
