import type { Instant, Timeline } from "./protocol.ts";

/** Why there is nothing to be seen of an instant that is not recorded, as a sentence. */
export function whyEmpty({ gaps, extent }: Pick<Timeline, "gaps" | "extent">, instant: Instant): string {
  if (extent === undefined) return "Nothing is recorded of this camera, or nothing that you may play.";
  const gap = gaps.find(({ from, to = Number.POSITIVE_INFINITY }) => from <= instant && instant < to);
  if (gap !== undefined) return `Not recorded: ${gap.why}.`;
  if (instant < extent.from) return "Nothing is recorded that early, or nothing that you may play.";
  return instant >= extent.to ? "Nothing is recorded yet." : "Nothing is recorded here.";
}
