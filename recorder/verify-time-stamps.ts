import type { X509Certificate } from "node:crypto";
import { Fault } from "../base/fault.ts";
import { timeStampFilesIn } from "./anchor-files.ts";
import { checkTimeStamp, type TimeStamp } from "./cms/time-stamp.ts";
import { errorCode, type Files } from "./files.ts";
import { stampLinesOf } from "./time-stamp-log.ts";
import type { Stretch } from "./verify.ts";

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

/**
 * Compares the time stamps beside anchors with these. `trusted`: the certificates to which whoever stamped must lead. That an anchor has
 * no time stamp is no accusation: the authority may not have been there.
 */
export async function verifyTimeStamps(
  files: Files,
  folder: string,
  o: { readonly anchors: readonly KnownAnchor[]; readonly trusted: readonly X509Certificate[] },
): Promise<{ readonly anchors: readonly StampedAnchor[]; readonly stretches: readonly Stretch[] }> {
  const stretches: Stretch[] = [];
  const known = new Map(o.anchors.map((one) => [one.seq, one]));
  const newest = o.anchors.at(-1)?.seq ?? 0;
  const stamps = new Map<number, TimeStamp>();
  for (const { path } of await timeStampFilesIn(files, folder)) {
    const say = (verdict: Stretch["verdict"], why: string): void =>
      void stretches.push({ file: path, camera: "", stream: "", fromUs: 0, toUs: 0, verdict, why });
    try {
      for (const line of await stampLinesOf(files, path)) {
        const anchor = known.get(line?.seq ?? 0);
        if (line === undefined) say("changed", "a line is no time stamp of an anchor");
        else if (anchor !== undefined) {
          const stamp = judged(line.token, anchor, o.trusted);
          if (stamp instanceof Fault)
            say(stamp.kind === "denied" ? "unsigned" : "changed", `anchor ${anchor.seq}: ${stamp.message}`);
          else stamps.set(anchor.seq, stamp);
        }
        // Between others, it is missed by the chain already.
        else if (line.seq > newest) say("missing", `anchor ${line.seq} is not here, of which there is a time stamp`);
      }
    } catch (error) {
      if (errorCode(error) === undefined && !(error instanceof Fault)) throw error;
      say("unreadable", (error as Error).message);
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
