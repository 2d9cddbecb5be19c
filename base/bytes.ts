import { Fault } from "./fault.ts";

/** Reads big-endian fields from foreign bytes. Every read past the end is a Fault of kind `invalid`, never undefined. */
export class ByteReader {
  readonly bytes: Buffer;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.bytes.length - this.#position;
  }

  #take(count: number): number {
    if (count < 0 || count > this.remaining)
      throw new Fault("invalid", `${count} bytes wanted at offset ${this.#position}, ${this.remaining} left`);
    const at = this.#position;
    this.#position += count;
    return at;
  }

  u8(): number {
    return this.bytes.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.bytes.readUInt16BE(this.#take(2));
  }

  u24(): number {
    return this.bytes.readUIntBE(this.#take(3), 3);
  }

  u32(): number {
    return this.bytes.readUInt32BE(this.#take(4));
  }

  i32(): number {
    return this.bytes.readInt32BE(this.#take(4));
  }

  /** An unsigned 64-bit number. Beyond 2^53 it is refused: nothing that we read is that large. */
  u64(): number {
    const value = this.bytes.readBigUInt64BE(this.#take(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Fault("invalid", `64-bit field is ${value}`);
    return Number(value);
  }

  /** A view, not a copy: it lives as long as the bytes that the reader was given. */
  view(count: number): Buffer {
    const at = this.#take(count);
    return this.bytes.subarray(at, at + count);
  }

  ascii(count: number): string {
    return this.view(count).toString("latin1");
  }

  skip(count: number): void {
    this.#take(count);
  }
}
