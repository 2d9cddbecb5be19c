import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { pause } from "./usage.ts";

// How late a process comes to what is due in its event loop. Every 7 ms something is, whether or not the loop has come to what was due
// before: all that was due while it stood still counts, each from its own instant. `monitorEventLoopDelay` of Node.js begins to
// count anew when it has had its turn, and sees a loop that stands still for a second once, where a hundred packets would have waited.

/**
 * In no step with cameras of 30 pictures a second: within a second it has been at every millisecond between two of them. Timers of
 * Node.js count whole milliseconds, so that a loop that is idle is up to 1 ms late.
 */
const EVERY_MS = 7;

/** On the clock that all processes of this machine share. */
const nowOfAllMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** In the process that is to be measured: looks while its parent wishes it, and tells it then what it saw. Until then it does nothing. */
export function watchLoop(): void {
  let delaysMs: number[] = [];
  let dueAtMs = 0;
  let timer: NodeJS.Timeout | undefined;
  /** How long it is to the next. */
  const look = (): number => {
    const nowMs = nowOfAllMs();
    for (; dueAtMs <= nowMs; dueAtMs += EVERY_MS) delaysMs.push(nowMs - dueAtMs);
    return dueAtMs - nowMs;
  };
  const wait = (): void => {
    timer = setTimeout(wait, Math.ceil(look()));
  };
  process.on("message", (message) => {
    if (typeof message === "number") {
      delaysMs = [];
      // From when it was asked, for the loop may stand still already.
      dueAtMs = message + EVERY_MS;
      wait();
    } else if (message === "tell") {
      look();
      clearTimeout(timer);
      process.send?.(delaysMs);
    }
  });
}

/** Of a process that can watch its loop: how late it was for each, in milliseconds, from now on for so long. */
export async function loopDelaysMs(watched: ChildProcess, seconds: number): Promise<readonly number[]> {
  watched.send(nowOfAllMs());
  await pause(seconds * 1000);
  watched.send("tell");
  return ((await once(watched, "message")) as [readonly number[]])[0];
}
