import { ifValid } from "../../base/fault.ts";
import { BOX_HEADER_BYTES, bodyAt } from "../box.ts";
import type { Fmp4Track } from "../fmp4.ts";
import { readMovie } from "../fmp4-read.ts";

const LIMITS = {
  /** Of one fragment. */
  bytes: 64 * 1024 * 1024,
  /** Of tables. */
  tableBytes: 4 * 1024 * 1024,
};

/** Is shown each fragment of a film: all behind its `uuid` box, if it has one, for as long as it looks. */
export type FilmLook = (body: Buffer, tracks: readonly Fmp4Track[]) => void;

/** The tracks that stand in `moov` of what a film, or the segment that it is from, begins with. */
export function tracksIn(opening: Buffer): readonly Fmp4Track[] {
  return ifValid(() => readMovie(bodyAt(opening, "moov"))) ?? [];
}

/** Shows the fragments of a film in which tracks were left out: there, nothing of the recorder's stands before their boxes. */
export class BareFragments {
  readonly #look: FilmLook;
  readonly #boxes: Buffer[] = [];
  #tracks: readonly Fmp4Track[] = [];
  #bytes = 0;

  constructor(look: FilmLook) {
    this.#look = look;
  }

  /** Whether it wants to see a box of this type, of which `bytes` are there. */
  wants(type: string, bytes: number): boolean {
    if (type === "moov" || type === "prft" || type === "moof") return bytes <= LIMITS.tableBytes;
    return type === "mdat" && this.#boxes.length > 0 && this.#bytes + bytes <= LIMITS.bytes;
  }

  /** The next box that it wants, whole. */
  box(bytes: Buffer): void {
    const type = bytes.toString("latin1", 4, BOX_HEADER_BYTES);
    if (type === "moov") {
      this.#tracks = tracksIn(bytes);
      return;
    }
    this.#boxes.push(bytes);
    this.#bytes += bytes.length;
    if (type !== "mdat" && this.#bytes <= LIMITS.tableBytes) return;
    if (type === "mdat") this.#look(Buffer.concat(this.#boxes), this.#tracks);
    this.#boxes.length = 0;
    this.#bytes = 0;
  }
}
