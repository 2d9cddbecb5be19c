/** Writes bits, most significant first, as H.264 wants them (ITU-T H.264 7.2, 9.1). Grows as needed. */
export class BitWriter {
  #bytes = Buffer.alloc(64 * 1024);
  #length = 0;
  #pending = 0;
  #pendingBits = 0;

  /** The `count` lowest bits of `value`; at most 32. */
  put(value: number, count: number): void {
    for (let left = count; left > 0; ) {
      const taken = Math.min(left, 8 - this.#pendingBits);
      left -= taken;
      this.#pending = (this.#pending << taken) | ((value >>> left) & ((1 << taken) - 1));
      this.#pendingBits += taken;
      if (this.#pendingBits === 8) this.#flush();
    }
  }

  /** Unsigned Exp-Golomb code. */
  ue(value: number): void {
    const bits = 31 - Math.clz32(value + 1);
    this.put(0, bits);
    this.put(value + 1, bits + 1);
  }

  /** Signed Exp-Golomb code. */
  se(value: number): void {
    this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  /** Zeros up to the next whole byte. */
  align(): void {
    if (this.#pendingBits > 0) this.put(0, 8 - this.#pendingBits);
  }

  /** `count` bytes of `from`, in rows of `width` that are `stride` apart. Only where the position is a whole byte. */
  block(from: Uint8Array, at: number, stride: number, width: number, height: number): void {
    this.#reserve(width * height);
    let to = this.#length;
    for (let row = at; row < at + stride * height; row += stride)
      for (let column = row; column < row + width; column += 1) this.#bytes[to++] = from[column] as number;
    this.#length = to;
  }

  /** A stop bit, zeros to a whole byte, and all that was written; the writer is empty again. The result is a view until then. */
  finish(): Buffer {
    this.put(1, 1);
    this.align();
    return this.take();
  }

  /** All that was written, whole bytes; the writer is empty again. The result is a view until then. */
  take(): Buffer {
    const written = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return written;
  }

  #flush(): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = this.#pending;
    this.#pending = 0;
    this.#pendingBits = 0;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.alloc(2 * (this.#length + count));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

const TWO_ZEROS = Buffer.of(0, 0);

/** A NAL unit: header byte and payload, with a 3 put in wherever the payload would look like a start code (7.4.1). */
export function nalUnit(header: number, payload: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.of(header)];
  let from = 0;
  for (let at = payload.indexOf(TWO_ZEROS); at >= 0; at = payload.indexOf(TWO_ZEROS, at)) {
    at += 2;
    if (at >= payload.length || (payload[at] as number) > 3) continue;
    parts.push(payload.subarray(from, at), Buffer.of(3));
    from = at;
  }
  parts.push(payload.subarray(from));
  return Buffer.concat(parts);
}
