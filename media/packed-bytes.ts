import type { PacketGroup } from "./group.ts";

const LIMITS = {
  /** What packets may take in memory beyond twice the bytes in them: of cameras that send next to nothing in each, a copy is better. */
  spareBytes: 16 * 1024,
  /** Of one list of pieces: of some dozen access units. */
  numbers: 2048,
};

/** Stand in the list of pieces where one begins, with what is meant behind it: a group, a length, a header of one byte or of two. */
const GROUP = -1;
const LENGTH = -2;
const HEADER_1 = -3;
const HEADER_2 = -4;
const LENGTH_BYTES = 4;

/** Where pieces lie. */
interface Place {
  readonly bytes: Buffer;
  readonly letGo: (() => void) | undefined;
  readonly memoryBytes: number;
}

/** A beginning among the pieces. */
export interface Mark {
  readonly pieces: number;
  readonly length: number;
}

/** Room for the pieces of the access units of one track, one behind the other: an array for each would be work for the collector. */
export class PieceRoom {
  numbers: Int32Array = new Int32Array(LIMITS.numbers);
  used = 0;

  /** The numbers from `from` on are in a new list, at its beginning. */
  renew(from: number): void {
    const before = this.numbers.subarray(from, this.used);
    this.numbers = new Int32Array(Math.max(LIMITS.numbers, before.length * 2));
    this.numbers.set(before);
    this.used = before.length;
  }
}

/**
 * The NAL units of an access unit, each behind its length, that still lie in the packets that they came in: nothing of them is there
 * twice. Their groups are held until {@link release}.
 */
export class PackedBytes {
  #places: Place[] = [];
  /** Of the newest group. */
  #newest = -1;
  readonly #room: PieceRoom;
  /** From {@link #from} to {@link #to}: where each piece begins and ends in its place. */
  #numbers: Int32Array;
  #from: number;
  #to: number;
  #length = 0;

  /** `room`: of one track, whose access units are put together one after the other. */
  constructor(room: PieceRoom) {
    this.#room = room;
    this.#numbers = room.numbers;
    this.#from = room.used;
    this.#to = room.used;
  }

  /** Of what {@link copyTo} writes. */
  get length(): number {
    return this.#length;
  }

  /** Its packets take so much more memory than it has bytes that it should not be kept. */
  get isWasteful(): boolean {
    let heldBytes = 0;
    for (const { memoryBytes } of this.#places) heldBytes += memoryBytes;
    return heldBytes > 2 * this.#length + LIMITS.spareBytes;
  }

  /** The pieces that are added next lie in this group. */
  lieIn(group: PacketGroup): void {
    this.#newest = this.#places.length;
    const place = { bytes: group.bytes, letGo: group.hold(), memoryBytes: group.memoryBytes };
    // There is hardly ever more than one, and what grows takes room for many.
    if (this.#newest === 0) this.#places = [place];
    else this.#places.push(place);
    this.#note(GROUP, this.#newest);
  }

  #note(what: number, value: number): void {
    const room = this.#room;
    if (this.#to + 2 > this.#numbers.length) {
      room.renew(this.#from);
      this.#numbers = room.numbers;
      this.#from = 0;
      this.#to = room.used;
    }
    this.#numbers[this.#to] = what;
    this.#numbers[this.#to + 1] = value;
    this.#to += 2;
    room.used = this.#to;
  }

  add(start: number, end: number): void {
    this.#note(start, end);
    this.#length += end - start;
  }

  /** What lies in no group, and is nobody else's. */
  addOwn(bytes: Buffer): void {
    this.#note(GROUP, this.#places.length);
    this.#places.push({ bytes, letGo: undefined, memoryBytes: bytes.length });
    this.add(0, bytes.length);
    this.#note(GROUP, this.#newest);
  }

  /** The header of a NAL unit: a byte, or two. */
  addHeader([first = 0, second]: readonly number[]): void {
    if (second === undefined) this.#note(HEADER_1, first);
    else this.#note(HEADER_2, (first << 8) | second);
    this.#length += second === undefined ? 1 : 2;
  }

  /** A NAL unit begins, with its length, which {@link end} knows. */
  begin(): Mark {
    const mark = { pieces: this.#to - this.#from, length: this.#length };
    this.#note(LENGTH, 0);
    this.#length += LENGTH_BYTES;
    return mark;
  }

  /** The NAL unit that began there ends here. */
  end({ pieces, length }: Mark): void {
    this.#numbers[this.#from + pieces + 1] = this.#length - length - LENGTH_BYTES;
  }

  /** Takes the NAL unit that began there out again: a copy of it, without its length. */
  takeBack({ pieces, length }: Mark): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.#length - length);
    this.#copy(bytes, 0, this.#from + pieces);
    this.#to = this.#from + pieces;
    this.#note(GROUP, this.#newest);
    this.#length = length;
    return bytes.subarray(LENGTH_BYTES);
  }

  /** Writes all of it. Returns where it ends. */
  copyTo(target: Buffer, at: number): number {
    return this.#copy(target, at, this.#from);
  }

  #copy(target: Buffer, at: number, from: number): number {
    const numbers = this.#numbers;
    let place: Buffer | undefined;
    let to = at;
    for (let index = this.#from; index < this.#to; index += 2) {
      const start = numbers[index] as number;
      const value = numbers[index + 1] as number;
      if (start === GROUP) place = this.#places[value]?.bytes;
      else if (index < from) continue;
      else if (start >= 0) to += place?.copy(target, to, start, value) ?? 0;
      else if (start === LENGTH) to = target.writeUInt32BE(value, to);
      else to = start === HEADER_1 ? target.writeUInt8(value, to) : target.writeUInt16BE(value, to);
    }
    return to;
  }

  /** A copy in memory of its own. This one is released. */
  unpacked(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.#length);
    this.copyTo(bytes, 0);
    this.release();
    return bytes;
  }

  /** Nobody looks at it any more. */
  release(): void {
    for (const { letGo } of this.#places) letGo?.();
    this.#places = [];
  }
}

/** What a sample consists of, where it may still lie in its packets. */
export type SampleBytes = Buffer | PackedBytes;

/** Writes it. Returns where it ends. */
export function copyBytes(bytes: SampleBytes, target: Buffer, at: number): number {
  return bytes instanceof PackedBytes ? bytes.copyTo(target, at) : at + bytes.copy(target, at);
}

/** Nobody looks at it any more. */
export function releaseBytes(bytes: SampleBytes): void {
  if (bytes instanceof PackedBytes) bytes.release();
}
