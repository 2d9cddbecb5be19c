import { align } from "./align.ts";
import type { CheckedSignature } from "./certificates.ts";
import type { CameraFinding, CameraVerdict } from "./finding.ts";
import type { Sought } from "./group-search.ts";
import type { SignedUnit } from "./units.ts";
import { WHY } from "./why.ts";

/** What a camera says of one (partial) group. */
export interface Statement extends Sought, CheckedSignature {
  readonly isSigned: boolean;
  /** Where what is found goes to of one that has no signature: it counts when somebody vouches for it. */
  readonly held: CameraFinding[] | undefined;
}

/** What is said of units, and which of them are as they were signed all the same. */
export interface Change {
  readonly verdict: CameraVerdict;
  readonly why: string;
  readonly matched: ReadonlySet<number>;
}

const NONE: ReadonlySet<number> = new Set();

/** What was done to units that are not as the camera signed them. `isLost`: something of them was missed when they were recorded. */
export function changeOf(units: readonly SignedUnit[], given: Statement, isLost: boolean): Change {
  const { list, name, counts } = given;
  const unclear = whyNotCompared(units) ?? (isLost ? WHY.lost : undefined);
  const { matched, listed, isReordered } =
    list === undefined ? { matched: NONE, listed: 0, isReordered: false } : align(units, list, name);
  const said = (verdict: CameraVerdict, why: string): Change => ({ verdict, why, matched });
  if (unclear !== undefined) return said("unknown", unclear);
  if (given.isSigned && given.isGood === undefined) return said("unknown", WHY.noCertificate);
  if (given.isGood === false) return said("changed", WHY.badSignature);
  if (list === undefined) {
    const [count] = counts;
    const isAsLong = count === undefined || count === units.length;
    const size = isAsLong ? "" : `: it has ${units.length} parts, and the camera signed ${count}`;
    return said("changed", `it is not what the camera signed${size}`);
  }
  const foreign = units.length - matched.size;
  const absent = listed - matched.size;
  if (isReordered) return said("changed", WHY.reordered);
  if (foreign === 0) return said("missing", `${absent} of the ${listed} parts that the camera signed are not here`);
  return absent === 0
    ? said("changed", `${foreign} parts are in it that the camera did not sign`)
    : said("changed", `${foreign} of its ${units.length} parts are not as the camera signed them`);
}

/** Why units that are not as they were signed may be just that; undefined: they cannot. */
export function whyNotCompared(units: readonly SignedUnit[]): string | undefined {
  if (units.some(({ hashes }) => hashes === undefined)) return WHY.early;
  return units.some(({ isStart, held, anchor }) => !isStart && held === undefined && anchor === undefined)
    ? WHY.amid
    : undefined;
}

/** Units that were signed together; undefined where it is not told. */
export function lengthOf({ list, hash, counts }: Sought): number | undefined {
  return list === undefined ? counts[0] : list.length / hash.length;
}
