import { type Clock, sleepOn, systemClock } from "../../base/clock.ts";

/** The system's clock, and how many timers wait on it. */
export class CountingClock implements Clock {
  readonly #waiting = new Set<object>();

  get pending(): number {
    return this.#waiting.size;
  }

  now: Clock["now"] = () => systemClock.now();
  monotonic: Clock["monotonic"] = () => systemClock.monotonic();
  sleep: Clock["sleep"] = (delayMs, signal) => sleepOn(this, delayMs, signal);

  after: Clock["after"] = (delayMs, run) => {
    const timer = systemClock.after(delayMs, () => {
      this.#waiting.delete(timer);
      run();
    });
    return this.#counted(timer);
  };

  every: Clock["every"] = (periodMs, run) => this.#counted(systemClock.every(periodMs, run));

  #counted(timer: ReturnType<Clock["after"]>): ReturnType<Clock["after"]> {
    this.#waiting.add(timer);
    return {
      cancel: () => {
        this.#waiting.delete(timer);
        timer.cancel();
      },
    };
  }
}
