import type { X509Certificate } from "node:crypto";
import { Fault } from "../base/fault.ts";
import { timeStampFilesIn } from "./anchor-files.ts";
import { checkTimeStamp, type TimeStamp } from "./cms/time-stamp.ts";
import { errorCode, type Files } from "./files.ts";
import type { Stretch } from "./judge.ts";
import { type StampLine, stampLinesOf } from "./time-stamp-log.ts";

/** An anchor that is as it was signed. */
export interface KnownAnchor {
  readonly seq: number;
  readonly hash: string;
  /** As it says itself. */
  readonly time: string;
}

/** An anchor with what its time stamp says; undefined where it has none that is good. */
export interface StampedAnchor extends Pick<KnownAnchor, "seq" | "time"> {
  readonly stamp: TimeStamp | undefined;
}

/** A file with time stamps as it was read, or why it was not. */
interface StampFile {
  readonly path: string;
  readonly lines: readonly StampLine[] | Error;
}

/** The time stamps of an archive. To be read before its anchors: a running bridge may make both meanwhile, the anchor first. */
export async function readTimeStamps(files: Files, folder: string): Promise<readonly StampFile[]> {
  const found: StampFile[] = [];
  for (const { path } of await timeStampFilesIn(files, folder)) {
    const lines = await stampLinesOf(files, path).catch((error: unknown) => {
      if (errorCode(error) === undefined && !(error instanceof Fault)) throw error;
      return error as Error;
    });
    found.push({ path, lines });
  }
  return found;
}

/**
 * Compares time stamps with the anchors that are as they were signed. `trusted`: the certificates to which whoever stamped must lead;
 * `isWhole`: nothing is wrong with the anchors. That an anchor has no time stamp is no accusation: the authority may not have been there.
 */
export function judgeTimeStamps(
  stampFiles: readonly StampFile[],
  o: {
    readonly anchors: readonly KnownAnchor[];
    readonly isWhole: boolean;
    readonly trusted: readonly X509Certificate[];
  },
): { readonly anchors: readonly StampedAnchor[]; readonly stretches: readonly Stretch[] } {
  const stretches: Stretch[] = [];
  const known = new Map(o.anchors.map((one) => [one.seq, one]));
  // What is missing between others, or cannot be read, is told already.
  const newest = o.isWhole ? (o.anchors.at(-1)?.seq ?? 0) : Number.POSITIVE_INFINITY;
  const stamps = new Map<number, TimeStamp>();
  for (const { path, lines } of stampFiles) {
    const say = (verdict: Stretch["verdict"], why: string): void =>
      void stretches.push({ file: path, camera: "", stream: "", fromUs: 0, toUs: 0, verdict, why });
    if (lines instanceof Error) {
      say("unreadable", lines.message);
      continue;
    }
    for (const line of lines) {
      const anchor = known.get(line?.seq ?? 0);
      if (line === undefined) say("changed", "a line is no time stamp of an anchor");
      else if (anchor !== undefined) {
        const stamp = judged(line.token, anchor, o.trusted);
        if (stamp instanceof Fault)
          say(stamp.kind === "denied" ? "unsigned" : "changed", `anchor ${anchor.seq}: ${stamp.message}`);
        else stamps.set(anchor.seq, stamp);
      } else if (line.seq > newest) say("missing", `anchor ${line.seq} is not here, of which there is a time stamp`);
    }
  }
  return { anchors: o.anchors.map(({ seq, time }) => ({ seq, time, stamp: stamps.get(seq) })), stretches };
}

function judged(token: Buffer, { hash }: KnownAnchor, trusted: readonly X509Certificate[]): TimeStamp | Fault {
  try {
    return checkTimeStamp(token, { hash: Buffer.from(hash, "hex"), trusted });
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}
