import type { Clock, Timer } from "../base/clock.ts";
import type { Millis } from "../base/units.ts";
import { errorCode } from "./files.ts";

/** The code of errors of a disk that gives no answer; also the system's, of a network disk that is mounted so that it fails. */
export const NO_ANSWER = "ETIMEDOUT";

/** A disk is not found to hang in one look: where this process was held up itself, answers that are there are heard before the second. */
const FIRST_LOOK = 0.9;

/** How what is asked of a disk is kept within bounds. */
export interface TurnsOptions {
  readonly clock: Clock;
  /** So many operations at a time: each has a thread of the process until it is answered. */
  readonly count: number;
  /** What takes longer hangs. */
  readonly answerMs: Millis;
  /** Whether those who wait are told that it failed; else they wait on. Asked when it begins to hang. */
  readonly givesUp: () => boolean;
  /** Told when it begins to hang, and when all that was asked for is answered. */
  readonly told: (hangs: boolean) => void;
}

interface Running {
  overdue: boolean;
  /** Nobody waits for it any more. */
  givenUp: boolean;
  timer: Timer | undefined;
  readonly giveUp: () => void;
}

/**
 * What is asked of one disk, a few operations at a time. Where one gets no answer, the disk hangs until all that was asked is answered.
 * Those who wait are told so with {@link NO_ANSWER}, and nothing more is asked meanwhile, so that other disks can take its place.
 *
 * An operation that was given up is under way all the same, and may be done later: its memory may still be read or written to.
 */
export class DiskTurns {
  readonly #o: TurnsOptions;
  readonly #running = new Set<Running>();
  readonly #waiting: { readonly begin: () => void; readonly giveUp: () => void }[] = [];
  /** To be done when it answers. */
  readonly #afterwards: (() => Promise<void>)[] = [];
  #taken = 0;
  #hangs = false;
  #stopped = false;

  constructor(o: TurnsOptions) {
    this.#o = o;
  }

  /**
   * Does it when it is its turn. Rejects with {@link NO_ANSWER} where the disk hangs; `undo` is called with what comes of it
   * nevertheless, before anything else is asked of the disk.
   */
  async run<T>(act: () => Promise<T>, undo: (result: T) => Promise<void> = async () => undefined): Promise<T> {
    if (this.#hangs && this.#givesUp) throw noAnswer();
    if (this.#taken < this.#o.count) this.#taken += 1;
    else
      await new Promise<void>((begin, reject) => {
        this.#waiting.push({ begin, giveUp: () => reject(noAnswer()) });
      });
    return new Promise<T>((resolve, reject) => {
      const one = this.#begin(reject);
      act()
        .then((result) => (one.givenUp ? undo(result) : resolve(result)))
        .catch(reject)
        .finally(() => this.#ended(one));
    });
  }

  /** Does it once, when it can be done. Nobody waits for that while the disk hangs. */
  async eventually(act: () => Promise<void>): Promise<void> {
    let hasBegun = false;
    const begin = (): Promise<void> => {
      hasBegun = true;
      return act();
    };
    try {
      await this.run(begin);
    } catch (error) {
      if (!hasBegun) this.#afterwards.push(act);
      else if (!isNoAnswer(error)) throw error;
    }
  }

  /** From now on nobody waits for a disk that hangs. */
  stop(): void {
    this.#stopped = true;
    if (this.#hangs) this.#giveUp();
  }

  get #givesUp(): boolean {
    return this.#stopped || this.#o.givesUp();
  }

  #begin(reject: (error: Error) => void): Running {
    const { clock, answerMs } = this.#o;
    const one: Running = {
      overdue: false,
      givenUp: false,
      timer: clock.after(answerMs * FIRST_LOOK, () => {
        one.timer = clock.after(answerMs * (1 - FIRST_LOOK), () => this.#overdue(one));
      }),
      giveUp() {
        one.givenUp = true;
        reject(noAnswer());
      },
    };
    this.#running.add(one);
    return one;
  }

  #overdue(one: Running): void {
    one.overdue = true;
    if (!this.#hangs) {
      this.#hangs = true;
      this.#o.told(true);
    }
    if (this.#givesUp) this.#giveUp();
  }

  #giveUp(): void {
    for (const one of this.#running) one.giveUp();
    for (const one of this.#waiting.splice(0)) one.giveUp();
  }

  #ended(one: Running): void {
    one.timer?.cancel();
    this.#running.delete(one);
    const next = this.#waiting.shift();
    // The turn goes to the one who waits.
    if (next === undefined) this.#taken -= 1;
    else next.begin();
    if (!this.#hangs || [...this.#running].some(({ overdue, givenUp }) => overdue || givenUp)) return;
    this.#hangs = false;
    for (const act of this.#afterwards.splice(0)) void this.eventually(act).catch(() => undefined);
    this.#o.told(false);
  }
}

/** Whether a disk hangs, so that what was asked of it may still be done. */
export function isNoAnswer(error: unknown): boolean {
  return errorCode(error) === NO_ANSWER;
}

function noAnswer(): Error {
  return Object.assign(new Error("the disk gives no answer"), { code: NO_ANSWER });
}
