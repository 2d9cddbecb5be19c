import { type GroupStatement, HASH_BYTES, type SigningDocument } from "./document.ts";
import { hashOf } from "./units.ts";
import { WHY } from "./why.ts";

/** Hashes are SHA-256: there is no tag for another algorithm. */
const NAME = "sha256";
const BYTES = HASH_BYTES[NAME];
/** For what does not stand behind what was signed before it: no group has it. */
const FOREIGN = Buffer.alloc(BYTES, 0xff);

interface Told {
  readonly counter: number;
  readonly list: Buffer;
  readonly isGood: boolean | undefined;
}

/** What a statement of the older form comes to. */
type Completed = Pick<SigningDocument, "group" | "hashes" | "unclear">;

/**
 * Statements of Axis Signed Video before release 2.0, told as later ones: there, the list of a group ends with the first picture of the
 * next one, hashed with its own first one, by which groups follow one another; the first message of a camera lists a first picture alone.
 */
export class OlderStatements {
  #last: Told | undefined;

  /** `isGood`: whether its signature holds. */
  complete({ older, hashes, signature }: SigningDocument, isGood: boolean | undefined): Completed {
    if (older === undefined) return { group: undefined, hashes: undefined };
    const { counter, from, count } = older;
    const common = { isPartial: false, from, to: from, counter };
    const list = hashes?.subarray(0, hashes.length - (hashes.length % BYTES));
    if (list === undefined || list.length === 0) {
      this.#last = undefined;
      // What is signed is made of the pictures: until it is compared, the signature itself says nothing.
      const group = {
        ...common,
        counts: [Math.max(0, count - 1)],
        hash: hashOf([signature ?? FOREIGN], NAME),
        previous: undefined,
      };
      return { group, hashes: undefined, unclear: WHY.olderForm };
    }
    const last = this.#last;
    this.#last = { counter, list, isGood };
    const own = list.subarray(0, -BYTES);
    if (own.length === 0) return { group: undefined, hashes: undefined };
    const counts = [own.length / BYTES];
    const previous = last !== undefined && last.counter + 1 === counter ? previousOf(list, last) : undefined;
    const group: GroupStatement = { ...common, counts, hash: hashOf([own], NAME), previous };
    return { group, hashes: own };
  }
}

/** The first picture of the group before, if this one is what was signed to follow it. */
function previousOf(list: Buffer, { list: before, isGood }: Told): Buffer | undefined {
  if (isGood === false) return undefined;
  if (before.length === BYTES) return Buffer.alloc(BYTES);
  const first = before.subarray(0, BYTES);
  const next = hashOf([first, list.subarray(0, BYTES)], NAME);
  return next.equals(before.subarray(-BYTES)) ? first : FOREIGN;
}
