import { CHECKPOINT, type Seal, signerOf } from "./checkpoint.ts";
import { fieldsOf, hashOf, NOTHING, prevOf, sequenceOf } from "./line.ts";

/** The action of lines that say which entries were removed because they were too old or too many. */
export const REMOVAL = "remove-entries";

/** Once a log is signed, no more entries than this follow its last checkpoint. */
export const MOST_UNSIGNED = 1000;

const CHECKPOINT_MARK = Buffer.from(`"action":"${CHECKPOINT}"`);
const REMOVAL_MARK = Buffer.from(`"action":"${REMOVAL}"`);

/** The end of what was removed: the number and the hash of its last line. */
export interface Removal {
  readonly to: number;
  readonly hash: string;
}

/**
 * Follows a log line by line: each number follows from the one before, each line has the hash of the one before, each checkpoint
 * is signed for its place. Goes on behind a break, so that it can say where the log ends.
 */
export class Chain {
  /** Lines, also those that a crash has cut. */
  lines = 0;
  /** The number of the newest entry, and the hash of the last line. */
  seq = 0;
  prev = NOTHING;
  /** Entries behind the last checkpoint. */
  unsigned = 0;
  /** How many checkpoints each key has signed, by its fingerprint. */
  readonly signers = new Map<string, number>();
  /** The number of the first entry, and the hash that it says stood before it. */
  first: { readonly seq: number; readonly prev: string } | undefined;
  /** What was removed, and whether a checkpoint stands behind the statement. */
  readonly #removals: Removal[] = [];
  #vouched = 0;

  /** What is wrong with the line, in words; undefined where nothing is. */
  push(line: Buffer): string | undefined {
    this.lines += 1;
    const hash = hashOf(line);
    const number = sequenceOf(line);
    // A line that a crash has cut has no number; the next one vouches for it.
    const wrong = number === undefined ? undefined : this.#entry(line, number);
    this.prev = hash;
    return wrong;
  }

  /** The entries before the first one are named by a statement that is signed. True also where there are none. */
  get beginningIsKnown(): boolean {
    const { first } = this;
    if (first === undefined || first.seq === 1) return true;
    return this.#removals.slice(0, this.#vouched).some(({ to, hash }) => to === first.seq - 1 && hash === first.prev);
  }

  #entry(line: Buffer, number: number): string | undefined {
    const prev = prevOf(line);
    const begins = this.first === undefined;
    if (begins) this.first = { seq: number, prev: prev ?? "" };
    const follows =
      begins && number > 1 && this.lines === 1 ? prev !== undefined : number === this.seq + 1 && prev === this.prev;
    this.seq = Math.max(this.seq, number);
    if (!follows)
      return "it does not follow from the line before: that one or this was changed, or lines were removed or added";
    if (line.includes(CHECKPOINT_MARK)) return this.#checkpoint(line, number, prev ?? "");
    this.unsigned += 1;
    if (line.includes(REMOVAL_MARK)) {
      const { to, hash } = fieldsOf(line) ?? {};
      this.#removals.push({ to: Number(to), hash: String(hash) });
    }
    return undefined;
  }

  #checkpoint(line: Buffer, seq: number, prev: string): string | undefined {
    const { time, key, signature } = fieldsOf(line) ?? {};
    const seal: Seal = { key: String(key), signature: String(signature) };
    const signer = signerOf({ seq, time: String(time), prev }, seal);
    if (signer === undefined) return "its signature is not over what stands before it";
    this.signers.set(signer, (this.signers.get(signer) ?? 0) + 1);
    this.unsigned = 0;
    this.#vouched = this.#removals.length;
    return undefined;
  }
}
