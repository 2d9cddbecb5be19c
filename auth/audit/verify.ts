import { Chain, MOST_UNSIGNED } from "./chain.ts";
import { filesAt } from "./files.ts";
import { fieldsOf, hashOf, sequenceOf } from "./line.ts";
import { linesOf } from "./read.ts";

/** What a check of a log found. */
export interface AuditReport {
  /** Lines, also those that a crash has cut. */
  readonly entries: number;
  /** The numbers of the first and the last entry; 0 where there are none. */
  readonly first: number;
  readonly last: number;
  /** Where it was tampered with, the first place of them. `line` counts from 1 in its file; 0 stands for the log as a whole. */
  readonly broken: { readonly file: string; readonly line: number; readonly why: string } | undefined;
  /** Fingerprints of the keys that signed checkpoints (SHA-256 of the public key), and how many each. */
  readonly signers: readonly { readonly key: string; readonly checkpoints: number }[];
  /** Entries behind the last checkpoint. */
  readonly unsigned: number;
}

export interface VerifyOptions {
  /** Fingerprints of the keys that may have signed; any if absent. */
  readonly trusted?: ReadonlySet<string> | undefined;
  /** Lines of the log, or of checkpoints of it, that were kept elsewhere: each must stand in it as it is. */
  readonly kept?: readonly string[] | undefined;
}

/**
 * Reads a whole log, offline, and follows its chain: a data folder, a folder with copies of its files, or one file, which then
 * must begin with entry 1. Fault `unavailable` when it cannot be read.
 */
export async function verifyAudit(path: string, { trusted, kept = [] }: VerifyOptions = {}): Promise<AuditReport> {
  const chain = new Chain();
  const wanted = new Map(kept.map((line) => [sequenceOf(Buffer.from(line)) ?? 0, hashOf(line)]));
  let broken: AuditReport["broken"];
  for (const file of filesAt(path)) {
    let at = 0;
    for await (const lines of linesOf(file.path))
      for (const { line } of lines) {
        at += 1;
        const wrong = chain.push(line) ?? differsFrom(wanted, line, chain);
        if (wrong !== undefined) broken ??= { file: file.path, line: at, why: wrong };
      }
  }
  const stranger = trusted && [...chain.signers.keys()].find((key) => !trusted.has(key));
  const why = stranger === undefined ? wrongAsAWhole(chain, wanted) : `it is signed by another key, ${stranger}`;
  if (why !== undefined) broken ??= { file: path, line: 0, why };
  return {
    entries: chain.lines,
    first: chain.first?.seq ?? 0,
    last: chain.seq,
    broken,
    signers: [...chain.signers].map(([key, checkpoints]) => ({ key, checkpoints })),
    unsigned: chain.unsigned,
  };
}

/** Whether it may be a line of a log, as it stands there. */
export function isLine(text: string): boolean {
  return sequenceOf(Buffer.from(text)) !== undefined && fieldsOf(Buffer.from(text)) !== undefined;
}

/** `chain` has just taken the line in. */
function differsFrom(wanted: Map<number, string>, line: Buffer, chain: Chain): string | undefined {
  if (wanted.size === 0) return undefined;
  const seq = sequenceOf(line);
  const hash = seq === undefined ? undefined : wanted.get(seq);
  if (seq === undefined || hash === undefined) return undefined;
  wanted.delete(seq);
  return hash === chain.prev ? undefined : `entry ${seq} is another one than was kept elsewhere`;
}

function wrongAsAWhole(chain: Chain, wanted: ReadonlyMap<number, string>): string | undefined {
  if (!chain.beginningIsKnown)
    return `the entries before ${chain.first?.seq} are not here, and no signed statement says that they were removed`;
  const cut = [...wanted.keys()].find((seq) => seq > chain.seq);
  if (cut !== undefined) return `it ends before entry ${cut}, which was there: the end was cut off`;
  if (chain.signers.size > 0 && chain.unsigned > MOST_UNSIGNED)
    return `${chain.unsigned} entries at the end are under no signature, more than the bridge ever leaves`;
  return undefined;
}
