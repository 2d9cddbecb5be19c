import { isoOf, unixMillis } from "../base/units.ts";
import { readFragmentBox } from "./integrity.ts";
import type { Found, Piece } from "./verify-file.ts";

/** What can be said of a stretch of footage. */
export type Verdict =
  | "ok"
  | "recovered" // as ok; its recording had broken off
  | "removed" // it was removed, and a signed statement says so
  | "changed"
  | "missing"
  | "inserted"
  | "reordered"
  | "re-timed"
  | "from another camera"
  | "unsigned"
  | "locked" // its signature is good, its content could not be compared
  | "unreadable"; // the file cannot be read

/** A stretch with one verdict. Times in microseconds since 1970. */
export interface Judgement {
  readonly fromUs: number;
  readonly toUs: number;
  readonly verdict: Verdict;
  readonly why?: string;
}

/** A stretch of a file, or of a stream between its files, with one verdict. */
export interface Stretch extends Judgement {
  readonly file: string;
  readonly camera: string;
  readonly stream: string;
}

/** Says of which camera's footage a hash is, wherever it was found. */
export type Origin = (hash: string) => string | undefined;

/** Fragment by fragment: what is as it was signed, and what happened to the rest. */
export function judge(
  { signature, pieces, junk, locked, header }: Omit<Found, "scan">,
  origin: Origin,
): readonly Judgement[] {
  if (signature === undefined) return pieces.map((one) => ({ ...spanOf(one), verdict: "unsigned" as const }));
  const { statement, heads, valid } = signature;
  const all = { fromUs: statement.startUs, toUs: statement.endUs };
  if (!valid) return [{ ...all, verdict: "changed", why: "the signature is not over what stands here" }];
  if (header !== undefined && header !== statement.header)
    return [{ ...all, verdict: "changed", why: "the tables at its beginning are not those that were signed" }];
  if (header === undefined && !locked)
    return [{ ...all, verdict: "changed", why: "its beginning does not open with its key" }];
  const fetched = statement.fetchedUs;
  const source = fetched === undefined ? {} : { why: fetchedWords(fetched) };
  const good: Verdict = locked ? "locked" : statement.recovered ? "recovered" : "ok";
  const rows = heads.map((head) => ({ head, box: readFragmentBox(head) }));
  const rowOf = new Map(rows.map(({ box }, index) => [box.hash.toString("hex"), index]));
  const matched = new Map<number, Piece>();
  const rest: Piece[] = [];
  const order: number[] = [];
  for (const piece of pieces) {
    const row = rowOf.get(locked ? piece.box.hash.toString("hex") : (piece.hash ?? ""));
    if (row === undefined || matched.has(row)) rest.push(piece);
    else {
      matched.set(row, piece);
      order.push(row);
    }
  }
  const inOrder = longestRising(order);
  const found: Judgement[] = [];
  const leftover = new Set(rest);
  const byHash = Map.groupBy(rest, (one) => one.box.hash.toString("hex"));
  const bySequence = Map.groupBy(rest, (one) => one.box.sequence);
  const firstLeft = (alike: Piece[] | undefined): Piece | undefined => {
    let first = alike?.[0];
    for (; first !== undefined && !leftover.has(first); first = alike?.[0]) alike?.shift();
    return first;
  };
  for (const [index, { head, box }] of rows.entries()) {
    const span = { fromUs: box.startUs, toUs: box.endUs };
    const piece = matched.get(index);
    if (piece !== undefined) {
      if (!piece.head.equals(head))
        found.push({
          ...span,
          verdict: isRetimed(piece, head) ? "re-timed" : "changed",
          why: "its box is another one",
        });
      else found.push(inOrder.has(index) ? { ...span, verdict: good, ...source } : { ...span, verdict: "reordered" });
      continue;
    }
    const hash = box.hash.toString("hex");
    const instead = firstLeft(byHash.get(hash)) ?? firstLeft(bySequence.get(box.sequence));
    if (instead === undefined) {
      found.push({ ...span, verdict: "missing" });
      continue;
    }
    leftover.delete(instead);
    const other = instead.hash === undefined ? undefined : origin(instead.hash);
    if (other !== undefined && other !== statement.camera)
      found.push({ ...span, verdict: "from another camera", why: `it was recorded of ${other}` });
    else if (instead.box.hash.toString("hex") === hash && isRetimed(instead, head))
      found.push({ ...span, verdict: "re-timed" });
    else found.push({ ...span, verdict: "changed" });
  }
  for (const piece of leftover) {
    const other = piece.hash === undefined ? undefined : origin(piece.hash);
    if (other !== undefined && other !== statement.camera)
      found.push({ ...spanOf(piece), verdict: "from another camera", why: `it was recorded of ${other}` });
    else found.push({ ...spanOf(piece), verdict: "inserted" });
  }
  if (junk && leftover.size === 0 && found.every(({ verdict }) => verdict === good))
    found.push({
      ...all,
      verdict: "inserted",
      why: "bytes that were not recorded stand before, between or behind the fragments",
    });
  return found;
}

/** What a good signature does not say of footage that was fetched: that it was recorded here. */
function fetchedWords(us: number): string {
  const at = isoOf(unixMillis(Math.floor(us / 1000)));
  return `fetched from the camera's own recording, ${at}: signed as it was then`;
}

function isRetimed({ box }: Piece, head: Buffer): boolean {
  const signed = readFragmentBox(head);
  return box.startUs !== signed.startUs || box.endUs !== signed.endUs;
}

function spanOf({ box }: Piece): Pick<Judgement, "fromUs" | "toUs"> {
  return { fromUs: box.startUs, toUs: box.endUs };
}

/** The members of the longest rising subsequence: what is in order if as little as possible was moved. */
function longestRising(values: readonly number[]): ReadonlySet<number> {
  const tails: number[] = [];
  const before = new Map<number, number | undefined>();
  for (const value of values) {
    let place = tails.findIndex((tail) => tail >= value);
    if (place === -1) place = tails.length;
    before.set(value, tails[place - 1]);
    tails[place] = value;
  }
  const found = new Set<number>();
  for (let value = tails.at(-1); value !== undefined; value = before.get(value)) found.add(value);
  return found;
}
