import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

// How late a process comes to what is due in its event loop. Every 7 ms something is, whether or not the loop has come to what was due
// before: all that was due while it stood still counts, each from its own instant. `monitorEventLoopDelay` of Node.js begins to
// count anew when it has had its turn, and sees a loop that stands still for a second once, where a hundred packets would have waited.

/**
 * Seldom enough to cost next to nothing, and in no step with cameras of 30 pictures a second: within a second it has been at every
 * millisecond between two of them. Timers of Node.js count whole milliseconds, so that a loop that is idle is up to 1 ms late.
 */
const EVERY_MS = 7;

/** In the process that is to be measured: looks from now on, and tells its parent, when asked, what it saw since it was asked before. */
export function watchLoop(): void {
  let delaysMs: number[] = [];
  let dueAtMs = performance.now() + EVERY_MS;
  const look = (): void => {
    const nowMs = performance.now();
    for (; dueAtMs <= nowMs; dueAtMs += EVERY_MS) delaysMs.push(nowMs - dueAtMs);
  };
  const wait = (): void => {
    look();
    setTimeout(wait, Math.ceil(dueAtMs - performance.now()));
  };
  wait();
  process.on("message", (message) => {
    if (message !== "loop") return;
    look();
    process.send?.(delaysMs);
    delaysMs = [];
  });
}

/** Of a process that watches its loop: how late it was for each, in milliseconds, since it was asked before. */
export async function loopDelaysMs(process: ChildProcess): Promise<readonly number[]> {
  process.send("loop");
  return ((await once(process, "message")) as [readonly number[]])[0];
}
