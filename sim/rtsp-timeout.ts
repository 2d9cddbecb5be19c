import type { Quirk } from "./quirks.ts";

/** Named in every Session field. Any request, and any RTCP packet, counts as a sign of life. */
const TIMEOUT_SECONDS = 60;
/** Where another one is wanted. */
const SHORT_TIMEOUT_SECONDS = { "short-timeout": 5, "reports-count-alone": 12 } as const;

/** A session ends after so long without a sign of life. */
export function timeoutSecondsOf(quirks: ReadonlySet<Quirk>): number {
  for (const [quirk, seconds] of Object.entries(SHORT_TIMEOUT_SECONDS)) if (quirks.has(quirk as Quirk)) return seconds;
  return TIMEOUT_SECONDS;
}

/** The Session field with what the camera says of its end (RFC 2326 12.37), which need not be the truth. */
export function sessionField(id: string, quirks: ReadonlySet<Quirk>): readonly [name: string, value: string] {
  if (quirks.has("no-timeout")) return ["Session", id];
  return ["Session", `${id};timeout=${quirks.has("short-timeout") ? timeoutSecondsOf(quirks) : TIMEOUT_SECONDS}`];
}
