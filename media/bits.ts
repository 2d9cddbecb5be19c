import { Fault } from "../base/fault.ts";

/** Reads bits of a parameter set, most significant first. Every read past the end is a Fault of kind `invalid`. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #bit = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** At most 32 bits. */
  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index += 1) {
      const byte = this.#bytes[this.#bit >> 3];
      if (byte === undefined) throw new Fault("invalid", "bits wanted beyond the end");
      value = value * 2 + ((byte >> (7 - (this.#bit & 7))) & 1);
      this.#bit += 1;
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  skip(count: number): void {
    this.#bit += count;
  }

  /** ue(v): unsigned Exp-Golomb (ITU-T H.264 9.1), up to 2^32 - 2. */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros += 1;
      if (zeros > 31) throw new Fault("invalid", "Exp-Golomb code longer than 32 bits");
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v): signed Exp-Golomb (ITU-T H.264 9.1.1). */
  se(): number {
    const code = this.ue();
    return code % 2 === 0 ? 0 - code / 2 : (code + 1) / 2;
  }
}

/** A NAL unit without the bytes that keep start codes out of it (ITU-T H.264 7.4.1). Byte by byte: for parameter sets only. */
export function withoutEmulationPrevention(nal: Uint8Array): Buffer {
  const out = Buffer.alloc(nal.length);
  let length = 0;
  let zeros = 0;
  for (const byte of nal) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length] = byte;
    length += 1;
  }
  return out.subarray(0, length);
}
