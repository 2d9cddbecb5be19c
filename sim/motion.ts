import type { Clock, Timer } from "../base/clock.ts";
import { type Millis, type MonotonicMillis, SECOND } from "../base/units.ts";

const LIMITS = { presets: 16 } as const;

/** Where the camera looks: pan and tilt from -1 to 1, zoom from 0 to 1. */
export interface Position {
  readonly pan: number;
  readonly tilt: number;
  readonly zoom: number;
}

const STILL: Position = { pan: 0, tilt: 0, zoom: 0 };
/** At full speed, a second. */
const SPEED = 0.5;

/** A round of places, the home position last. */
export interface Tour {
  name: string;
  presets: readonly string[];
  state: "Idle" | "Touring" | "Paused";
}

/** The moved head of a simulated camera. Jumps to places at once, and moves by the clock when it is told to go on. */
export class Motion {
  readonly presets = new Map<string, { readonly name: string; readonly at: Position }>();
  readonly tours = new Map<string, Tour>([["sim_tour_1", { name: "Round", presets: [], state: "Idle" }]]);
  readonly #clock: Clock;
  #from: Position = STILL;
  #since: MonotonicMillis;
  #velocity: Position = STILL;
  #end: Timer | undefined;
  #home: Position = STILL;
  #counted = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  get moving(): boolean {
    return Object.values(this.#velocity).some((part) => part !== 0);
  }

  get position(): Position {
    const seconds = (this.#clock.monotonic() - this.#since) / SECOND;
    const at = (from: number, velocity: number, low: number): number =>
      Math.max(low, Math.min(1, from + velocity * SPEED * seconds));
    const { pan, tilt, zoom } = this.#velocity;
    return {
      pan: at(this.#from.pan, pan, -1),
      tilt: at(this.#from.tilt, tilt, -1),
      zoom: at(this.#from.zoom, zoom, 0),
    };
  }

  /** What is left out goes on as before. */
  go(velocity: Partial<Position>, timeoutMs: Millis): void {
    this.#settle({ ...this.#velocity, ...velocity });
    this.#end = this.#clock.after(timeoutMs, () => this.#settle(STILL));
  }

  stop(): void {
    this.#settle(STILL);
  }

  /** False beyond the ends. */
  goTo(target: Partial<Position>): boolean {
    const { pan, tilt, zoom } = { ...this.position, ...target };
    if (Math.abs(pan) > 1 || Math.abs(tilt) > 1 || zoom < 0 || zoom > 1) return false;
    this.#settle(STILL);
    this.#from = { pan, tilt, zoom };
    return true;
  }

  goHome(): void {
    this.goTo(this.#home);
  }

  setHome(): void {
    this.#home = this.position;
  }

  /** The token of the preset; undefined where there are too many. */
  keep(name: string | undefined, token: string | undefined): string | undefined {
    if (token === undefined && this.presets.size >= LIMITS.presets) return undefined;
    if (token === undefined) this.#counted += 1;
    const kept = token ?? `sim_preset_${this.#counted}`;
    this.presets.set(kept, { name: name ?? this.presets.get(kept)?.name ?? kept, at: this.position });
    return kept;
  }

  #settle(velocity: Position): void {
    this.#from = this.position;
    this.#since = this.#clock.monotonic();
    this.#velocity = velocity;
    this.#end?.cancel();
    this.#end = undefined;
  }
}
