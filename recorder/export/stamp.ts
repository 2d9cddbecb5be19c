import { createHash, type X509Certificate } from "node:crypto";
import { Fault } from "../../base/fault.ts";
import { checkTimeStamp, printTimeStamp, type TimeStamp } from "../cms/time-stamp.ts";
import { type ExportFiles, readSmall } from "./export-files.ts";
import { EXPORT_FILES } from "./manifest.ts";

/** Has an authority that is not ours stamp a SHA-256 (RFC 3161); rejects where it does not. */
export type Stamping = (
  hash: Buffer,
  signal: AbortSignal,
) => Promise<{ readonly token: Buffer; readonly stamp: TimeStamp }>;

/** A time stamp of an export, and what README.txt says of it. */
export interface StampOfExport {
  /** Absent where there is none: an export goes on without. */
  readonly token?: Buffer;
  readonly words: string;
}

/** Has the manifest's signature stamped, and so all films of which the manifest has the hashes. Rejects with the reason of `signal` alone. */
export async function stampExport(
  signature: Buffer,
  stamping: Stamping | undefined,
  signal: AbortSignal = new AbortController().signal,
): Promise<StampOfExport> {
  if (stamping === undefined) return { words: "nobody else stamped the time of this export" };
  try {
    const { token, stamp } = await stamping(hashOf(signature), signal);
    return { token, words: `the time of this export was stamped, ${printTimeStamp(stamp)}` };
  } catch {
    signal.throwIfAborted();
    return {
      words: "the time of this export is not stamped: the authority that should have done it gave no good answer",
    };
  }
}

/**
 * By whom, and when, the manifest's signature of an export was stamped. `stampers`: to which certificates whoever did must lead; absent: that is
 * not judged. An export without a stamp is not accused: the authority may not have been there.
 */
export async function judgeStampIn(
  files: ExportFiles,
  stampers: readonly X509Certificate[] | undefined,
): Promise<{
  readonly isStamped: boolean;
  readonly judged?: { readonly verdict: "ok" | "unsigned" | "changed"; readonly why: string };
}> {
  const token = await readSmall(files, EXPORT_FILES.timeStamp);
  const signature = await readSmall(files, EXPORT_FILES.manifestSignature);
  if (token === undefined) return { isStamped: false };
  if (signature === undefined || stampers === undefined) return { isStamped: true };
  try {
    const stamp = checkTimeStamp(token, { hash: hashOf(signature), trusted: stampers });
    const why = `the manifest's signature was stamped ${printTimeStamp(stamp)}`;
    return { isStamped: true, judged: { verdict: "ok", why } };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const verdict = error.kind === "denied" ? "unsigned" : "changed";
    return { isStamped: true, judged: { verdict, why: error.message } };
  }
}

function hashOf(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
