import { z } from "zod";
import { Fault } from "../base/fault.ts";
import { DAY, MINUTE, type Millis, type UnixMillis, unixMillis } from "../base/units.ts";

/** For how long a system can be armed at a time. */
export const ARMED_FOR = { shortestMs: 1 * MINUTE, longestMs: 1 * DAY } as const;

/** Why somebody who comes in its place is refused, for the administrator alone. */
export const NOT_ARMED = "its account is not armed";

/** Of an external system that is let in only while somebody has armed it. */
export interface Arming {
  /** When that was, and until when it holds. Absent: it is not armed. */
  readonly window?: ArmingWindow;
}

export interface ArmingWindow {
  readonly from: UnixMillis;
  readonly until: UnixMillis;
}

/** Whether an account with this demand, if any, is let in at that instant. Of a clock that is set back, see {@link leftOf}. */
export function isArmed(arming: Arming | undefined, at: UnixMillis): boolean {
  return arming === undefined || (arming.window !== undefined && at < arming.window.until);
}

/** How long the window may stay open from now on: never longer than it was made for, whatever the wall clock is set to. */
export function leftOf({ from, until }: ArmingWindow, now: UnixMillis): Millis {
  return Math.max(0, Math.min(until - now, until - from));
}

const schema = z.strictObject({
  window: z
    .strictObject({ from: z.number().transform(unixMillis), until: z.number().transform(unixMillis) })
    .refine(({ from, until }) => until - from <= ARMED_FOR.longestMs)
    .exactOptional(),
});

/** Out of the database. Fault `invalid`. */
export function readArming(text: string | null): Arming | undefined {
  if (text === null) return undefined;
  const read = schema.safeParse(JSON.parse(text));
  if (!read.success) throw new Fault("invalid", `an arming makes no sense: ${text}`);
  return read.data;
}
