import type { Instant } from "./protocol.ts";
import { type CameraTimeline, partAt, streamWords } from "./streams.ts";

type Known = Pick<CameraTimeline, "gaps" | "extent" | "others" | "isNamed">;

/** Why there is nothing to be seen of an instant that is not recorded, in sentences; and which stream has it that was not chosen. */
export function whyEmpty(known: Known, instant: Instant): string {
  const other = partAt(known.others, instant);
  const why = reasonOf(known, instant);
  return other === undefined ? why : `${why} The ${streamWords(other.stream)} has it.`;
}

function reasonOf({ gaps, extent, isNamed }: Known, instant: Instant): string {
  if (extent === undefined)
    return `Nothing is recorded of this ${isNamed ? "stream" : "camera"}, or nothing that you may play.`;
  const there = gaps.filter(({ from, to = Number.POSITIVE_INFINITY }) => from <= instant && instant < to);
  const reasons = new Set(there.map(({ why }) => why));
  if (reasons.size === 1) return `Not recorded: ${[...reasons].join("")}.`;
  if (reasons.size > 1)
    return `Not recorded: ${there.map(({ stream, why }) => `${streamWords(stream)}: ${why}`).join("; ")}.`;
  if (instant < extent.from) return "Nothing is recorded that early, or nothing that you may play.";
  return instant >= extent.to ? "Nothing is recorded yet." : "Nothing is recorded here.";
}
