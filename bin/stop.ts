import { systemClock } from "../base/clock.ts";
import { SECOND } from "../base/units.ts";

/** For what has nothing more to do than to be told that it is over. */
const LAST_MS = 5 * SECOND;

/** Resolves with the first signal to stop. A second one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.on(signal, () => {
        if (asked) process.exit(1);
        asked = true;
        resolve(signal);
      });
  });
}

/**
 * Everything is closed: the process ends of its own accord, or in a moment where a disk that gives no answer keeps it. By a signal that
 * nothing of it can wait for; the kernel may still keep a thread until the disk answers.
 */
export function endAnyway(): void {
  systemClock.after(LAST_MS, () => {
    process.stderr.write("viaduct: everything is closed but for a disk that gives no answer: it is not waited for\n");
    process.kill(process.pid, "SIGKILL");
  });
}
