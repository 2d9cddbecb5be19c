import { FRAME_HEADER_BYTES } from "../../media/framed-packets.ts";

/** What something that waits takes in memory besides its bytes, which are shared. */
const OVERHEAD_BYTES = 96;

/** A report, or what is left of a group. */
export interface Waiting {
  /** A group's packets each have their frame header before them. */
  bytes: Buffer;
  /** Datagrams. */
  count: number;
  readonly lane: number;
  readonly rtcp: boolean;
  /** Told when the system has taken all of it; forgotten where Node.js waits with something of it. */
  sent?: (() => void) | undefined;
}

/** Datagrams that wait for their turn of the loop, in order. */
export class DatagramQueue {
  readonly #waiting: Waiting[] = [];
  /** Where in it sending is. */
  #next = 0;
  #bytes = 0;

  /** Of all that waits, in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get first(): Waiting | undefined {
    return this.#waiting[this.#next];
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#bytes += waiting.bytes.length + OVERHEAD_BYTES;
  }

  /** Takes up to `most` datagrams of the first that waits. */
  take(first: Waiting, most: number): { readonly bytes: Buffer; readonly count: number } {
    const { bytes, count } = first;
    if (count <= most) {
      this.#next += 1;
      this.#bytes -= bytes.length + OVERHEAD_BYTES;
      if (this.#next === this.#waiting.length) this.clear();
      return { bytes, count };
    }
    const end = endOf(bytes, most);
    first.bytes = bytes.subarray(end);
    first.count = count - most;
    this.#bytes -= end;
    return { bytes: bytes.subarray(0, end), count: most };
  }

  clear(): void {
    this.#waiting.length = 0;
    this.#next = 0;
    this.#bytes = 0;
  }
}

/** Where the first `count` packets end. */
function endOf(framed: Buffer, count: number): number {
  let end = 0;
  for (let packet = 0; packet < count; packet += 1) end += FRAME_HEADER_BYTES + framed.readUInt16BE(end + 2);
  return end;
}
