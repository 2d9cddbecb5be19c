import type { Socket } from "node:net";
import { descriptorOf, type NativeSender } from "../../net/native.ts";
import type { BatchMember, WriteBatch } from "../../net/write-batch.ts";
import type { Carrier } from "./carrier.ts";
import { Gathered, type Run } from "./gathered.ts";

/**
 * A plain TCP socket whose bytes go to the kernel without the socket's stream in between while nothing waits in that: what nobody wants
 * to be told of in one call with those of other sockets, all else at once. Whatever the kernel does not take goes the stream's way, and
 * so does all that follows until that is empty: bytes never overtake one another. What goes wrong is left to the stream to find, so that
 * it ends as every socket does.
 */
export class DirectCarrier implements Carrier, BatchMember {
  readonly #socket: Socket;
  readonly #native: NativeSender;
  readonly #batch: WriteBatch;
  #directBytes = 0;
  /** Bytes of it are in the batch. All that is asked of it, or done with it, has them sent before. */
  #batched = false;
  /** The stream was given something, or an end, since it was last seen to be empty. */
  #streamed = false;
  /** How often it was corked, and not uncorked. */
  #corks = 0;
  readonly #gathered = new Gathered();

  /** `batch`, for writes of the native sender, is shared by all carriers that are given the same bytes. */
  constructor(socket: Socket, native: NativeSender, batch: WriteBatch) {
    this.#socket = socket;
    this.#native = native;
    this.#batch = batch;
  }

  write(bytes: Buffer, sent?: () => void): void {
    if (this.#corks > 0) {
      this.#gathered.add(bytes, sent);
      if (this.#gathered.isFull) this.#sendGathered();
      return;
    }
    this.#settle();
    if (!this.#isDirect()) this.#stream(bytes, sent);
    else if (sent === undefined) {
      this.#batched = true;
      this.#directBytes += bytes.length;
      this.#batch.add(this, bytes);
    } else {
      const fd = this.descriptor;
      const taken = fd === undefined ? 0 : Math.max(0, this.#native.write(fd, bytes));
      this.#directBytes += taken;
      if (taken === bytes.length) sent();
      else this.#stream(bytes.subarray(taken), sent);
    }
  }

  get descriptor(): number | undefined {
    return descriptorOf(this.#socket);
  }

  batchSent(bytes: Buffer, taken: number): void {
    this.#batched = false;
    if (taken === bytes.length) return;
    const rest = bytes.subarray(Math.max(0, taken));
    this.#directBytes -= rest.length;
    this.#stream(rest);
  }

  cork(): void {
    this.#settle();
    this.#corks += 1;
  }

  uncork(): void {
    this.#corks -= 1;
    if (this.#corks === 0) this.#sendGathered();
  }

  end(bytes: Buffer): void {
    this.#settle();
    this.#sendGathered();
    this.#streamed = true;
    this.#socket.end(bytes);
  }

  destroy(): void {
    this.#settle();
    this.#sendGathered();
    this.#socket.destroy();
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** What is gathered does not count: it is little, and nobody would be told that it is gone. */
  get writableLength(): number {
    this.#settle();
    return this.#streamed ? this.#socket.writableLength : 0;
  }

  get bytesWritten(): number {
    this.#settle();
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

  #settle(): void {
    if (this.#batched) this.#batch.flush();
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
