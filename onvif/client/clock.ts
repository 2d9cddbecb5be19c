import { type Millis, SECOND } from "../../base/units.ts";
import { type Answer, type Call, type Caller, ifThere } from "./caller.ts";
import { clockOffset, clockOffsetOfHeader } from "./skew.ts";

const LIMITS = {
  /** A clock by which footage is dated is asked for so often at most, ... */
  asks: 3,
  /** ... until an answer takes no longer than this: when it was read is known half as well. */
  tookMs: SECOND,
} as const;

/**
 * Asked before logging in, as Core 5.9.4 allows everybody: log-ins by UsernameToken are dated by the camera's clock. Panasonic
 * and Digital Barriers want a login even here (agsh/onvif src/onvif.ts, getSystemDateAndTime); they are asked once more with
 * one, dated by the Date field of their refusal or else by our clock.
 */
export async function readClock(caller: Caller, call: Call): Promise<Millis | undefined> {
  const answer = await askClock(caller, call);
  return answer && clockOffset(answer.body, answer.at);
}

/** The same for what is dated by it: asked again where the answer took long, and told by the quickest one. */
export async function readClockWell(caller: Caller, call: Call): Promise<Millis | undefined> {
  let best: { readonly offsetMs: Millis | undefined; readonly tookMs: Millis } | undefined;
  for (let asks = 0; asks < LIMITS.asks && (best === undefined || best.tookMs > LIMITS.tookMs); asks += 1) {
    const answer = await askClock(caller, call).catch((error: unknown) => {
      // What it said before is better than nothing.
      if (best === undefined) throw error;
      return undefined;
    });
    if (answer === undefined) break;
    if (best === undefined || answer.tookMs < best.tookMs)
      best = { offsetMs: clockOffset(answer.body, answer.at), tookMs: answer.tookMs };
  }
  return best?.offsetMs;
}

async function askClock(caller: Caller, call: Call): Promise<Answer | undefined> {
  const answer = await ifThere(caller.callOpenly(call));
  if (answer !== undefined || caller.refusedAt === undefined) return answer;
  const { date, at } = caller.refusedAt;
  caller.login.clockOffsetMs = clockOffsetOfHeader(date, at) ?? 0;
  return ifThere(caller.call(call));
}
