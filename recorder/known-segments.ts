import type { StoredFile } from "./catalog-rows.ts";
import type { Fmp4Track } from "./fmp4.ts";
import type { Protection } from "./protection.ts";
import type { FragmentExtent } from "./segment.ts";

const LIMITS = {
  /** Segments that were played last: some for each of a dozen sessions that jump about. */
  segments: 64,
  /** One with more is read again each time: ordinary ones have some dozen. */
  fragments: 1024,
};

/** What stands where in a sealed segment. It does not change any more, and has nothing secret but what its tracks are. */
export interface SegmentStructure {
  readonly tracks: readonly Fmp4Track[];
  readonly protection: Protection | undefined;
  readonly fragments: readonly FragmentExtent[];
}

/** The structures of the segments that were played last, so that who jumps about in one does not have it read each time. */
export class KnownSegments {
  readonly #known = new Map<string, SegmentStructure>();

  /** `seal`: as in the catalog. A file of the same name with another one is another segment. */
  find(stored: StoredFile, seal: Uint8Array): SegmentStructure | undefined {
    const key = keyOf(stored, seal);
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    this.#known.delete(key);
    this.#known.set(key, known);
    return known;
  }

  note(stored: StoredFile, seal: Uint8Array, structure: SegmentStructure): void {
    if (structure.fragments.length > LIMITS.fragments) return;
    this.#known.set(keyOf(stored, seal), structure);
    const [oldest] = this.#known.keys();
    if (this.#known.size > LIMITS.segments && oldest !== undefined) this.#known.delete(oldest);
  }
}

function keyOf({ file, volume }: StoredFile, seal: Uint8Array): string {
  return `${volume} ${Buffer.from(seal).toString("base64")} ${file}`;
}
