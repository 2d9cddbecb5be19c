import type { Clock } from "../../base/clock.ts";
import { SECOND, type UnixMillis } from "../../base/units.ts";

/** What is so new may not be on the disk yet: the fragment, the flush and a slow disk. */
export const SETTLED_MS = 10 * SECOND;
/** How often it is looked for more at the end of what is recorded. */
export const LOOK_AGAIN_MS = 250;

/** What was captured at `from` may yet come onto the disk. */
export function maySettle(clock: Clock, from: UnixMillis): boolean {
  return Math.abs(clock.now() - from) < SETTLED_MS;
}

/**
 * Looks again and again for what was captured at `from`, as long as it may yet come onto the disk. Undefined where it is not
 * there, and when the client is `gone`.
 */
export async function whenSettled<T>(
  o: { readonly clock: Clock; readonly from: UnixMillis; readonly gone: AbortSignal },
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const { clock, from, gone } = o;
  for (const began = clock.monotonic(); ; await clock.sleep(LOOK_AGAIN_MS)) {
    const found = await look();
    if (found !== undefined || gone.aborted) return found;
    if (!maySettle(clock, from) || clock.monotonic() - began >= SETTLED_MS) return undefined;
  }
}
