import type { Clock, Timer } from "../../base/clock.ts";
import { type Millis, type MonotonicMillis, SECOND } from "../../base/units.ts";

/** How long after a Stop that failed it is tried once more. */
const AGAIN_MS = SECOND;

/** A continuous move that nothing has ended yet, as far as is known. */
interface Move {
  /** Of the camera's, by which it is moved. */
  readonly profile: string;
  readonly until: MonotonicMillis;
  readonly timer: Timer;
}

/** Sees to it that a continuous move of one camera ends, whatever becomes of those who began it. */
export class MoveEnd {
  readonly #clock: Clock;
  readonly #stop: (profile: string) => Promise<boolean>;
  #move: Move | undefined;
  /** The last request for a move: when it was taken, a Stop for the one before would end the wrong one. */
  #asking: Promise<unknown> = Promise.resolve();

  /** `stop` tells the camera to stand still, and whether it has taken that. */
  constructor(o: { readonly clock: Clock; readonly stop: (profile: string) => Promise<boolean> }) {
    this.#clock = o.clock;
    this.#stop = o.stop;
  }

  /**
   * Has the camera asked for a move of this length. Until it takes it, whether it does is not known: the end of one that runs
   * already stays, if that is earlier. Faults: those of `ask`.
   */
  begin<R>(lengthMs: Millis, profile: string, ask: () => Promise<R>): Promise<R> {
    const asking = this.#begin(lengthMs, profile, ask);
    this.#asking = asking.catch(() => undefined);
    return asking;
  }

  /** The camera has taken what ends every move. */
  over(): void {
    this.#move?.timer.cancel();
    this.#move = undefined;
  }

  /** Somebody's Stop has failed: what moves is stopped a second later. */
  missed(): void {
    if (this.#move !== undefined) this.#endWithin(AGAIN_MS, this.#move.profile);
  }

  /** Stops what moves, if anything does. */
  async close(): Promise<void> {
    await this.#asking;
    const move = this.#move;
    this.over();
    if (move !== undefined) await this.#stop(move.profile);
  }

  async #begin<R>(lengthMs: Millis, profile: string, ask: () => Promise<R>): Promise<R> {
    this.#endWithin(lengthMs, profile);
    try {
      const answer = await ask();
      this.#endAfter(lengthMs, profile, true);
      return answer;
    } catch (error) {
      // What was asked before may have ended every move meanwhile, and this one have begun all the same.
      this.#endWithin(lengthMs, profile);
      throw error;
    }
  }

  #endWithin(ms: Millis, profile: string): void {
    if (this.#move === undefined || this.#clock.monotonic() + ms < this.#move.until) this.#endAfter(ms, profile, true);
  }

  #endAfter(ms: Millis, profile: string, again: boolean): void {
    this.over();
    const move: Move = {
      profile,
      until: (this.#clock.monotonic() + ms) as MonotonicMillis,
      timer: this.#clock.after(ms, () => void this.#end(move, again)),
    };
    this.#move = move;
  }

  async #end(move: Move, again: boolean): Promise<void> {
    await this.#asking;
    if (this.#move !== move) return;
    const stopped = await this.#stop(move.profile);
    // Another move may have begun meanwhile, or the camera been stopped by somebody else.
    if (this.#move !== move) return;
    if (stopped || !again) this.over();
    else this.#endAfter(AGAIN_MS, move.profile, false);
  }
}
