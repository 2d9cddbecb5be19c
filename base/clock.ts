import type { Millis, MonotonicMillis, UnixMillis } from "./units.ts";

/** Something that is going to happen and can be called off. */
export interface Timer {
  cancel(): void;
}

/** The only way to time in this product: no other file reads a clock or sets a timer, so that tests run in virtual time. */
export interface Clock {
  /** Wall clock. May jump when the machine's clock is set. */
  now(): UnixMillis;
  /** For measuring and deadlines. Never jumps. */
  monotonic(): MonotonicMillis;
  /** Runs once after `delayMs`, unless cancelled. Does not keep the process alive. */
  after(delayMs: Millis, run: () => void): Timer;
  /** Runs again and again, first after `periodMs`. Does not keep the process alive. */
  every(periodMs: Millis, run: () => void): Timer;
  /** Resolves after `delayMs`; rejects with the signal's reason when it is aborted first. */
  sleep(delayMs: Millis, signal?: AbortSignal): Promise<void>;
}

/**
 * A timer that comes so late: the process stood still meanwhile, as on a machine that is paused, moved to another host or out of memory.
 * It is waited for as long once more then, so that what has come meanwhile is read first: every answer that was waited for would be given
 * up otherwise, though it is there.
 */
const STOOD_STILL_MS: Millis = 250;

export const systemClock: Clock = {
  // Not performance.timeOrigin and what has passed since: that knows nothing of a clock that is set, or of a machine that was asleep.
  now: () => Date.now() as UnixMillis,
  monotonic: () => performance.now() as MonotonicMillis,
  after(delayMs, run) {
    const due = performance.now() + delayMs;
    let timer = setTimeout(() => {
      if (performance.now() - due < STOOD_STILL_MS) run();
      else timer = setTimeout(run, STOOD_STILL_MS).unref();
    }, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
  every(periodMs, run) {
    let timer: Timer | undefined;
    const next = (): void => {
      timer = systemClock.after(periodMs, () => {
        next();
        run();
      });
    };
    next();
    return { cancel: () => timer?.cancel() };
  },
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
};

/** `sleep` in terms of `after`, for every implementation of {@link Clock}. */
export function sleepOn(clock: Pick<Clock, "after">, delayMs: Millis, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const stop = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Rejects with what `late` makes when `work` takes longer than `limitMs`. The work itself is not stopped. */
export async function within<T>(clock: Clock, limitMs: Millis, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: Timer | undefined;
  const alarm = new Promise<never>((_, reject) => {
    timer = clock.after(limitMs, () => reject(late()));
  });
  try {
    return await Promise.race([work, alarm]);
  } finally {
    timer?.cancel();
  }
}
