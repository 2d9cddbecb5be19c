import { SECOND, type UnixMillis } from "../base/units.ts";
import { SCAN } from "./payload-scan.ts";
import type { Codec } from "./track.ts";

const LIMITS = {
  /** Streams that refresh pictures bit by bit have no IDR; after this long, parameter sets are taken for a beginning. */
  withoutRandomMs: 10 * SECOND,
};

/** Says at which access units of one track a decoder can begin. */
export class KeyMarks {
  /** Codecs whose access units depend on one another; of the others each one is a beginning. */
  readonly #codec: "NAL" | "MPEG-4" | undefined;
  #randomAt: UnixMillis | undefined;

  constructor(codec: Codec) {
    this.#codec = codec === "H264" || codec === "H265" ? "NAL" : codec === "MP4V-ES" ? "MPEG-4" : undefined;
  }

  /** The camera begins anew. */
  restart(): void {
    this.#randomAt = undefined;
  }

  /** `flags`: what has come of the access unit ({@link SCAN}). `broken`: something of it is missing. */
  isKey(flags: number, broken: boolean, arrivedAt: UnixMillis): boolean {
    if (this.#codec === undefined) return true;
    const random = !broken && (flags & SCAN.random) !== 0;
    if (this.#codec === "MPEG-4") return random;
    this.#randomAt ??= arrivedAt;
    if (random) this.#randomAt = arrivedAt;
    if (random || broken) return random;
    return (flags & SCAN.parameterSets) !== 0 && arrivedAt - this.#randomAt > LIMITS.withoutRandomMs;
  }
}
