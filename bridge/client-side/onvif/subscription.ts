import type { Decision } from "../../../auth/decision.ts";
import type { Principal } from "../../../auth/principal.ts";
import type { Clock } from "../../../base/clock.ts";
import { BoundedQueue } from "../../../base/queue.ts";
import { later, type Millis, type MonotonicMillis, SECOND, type UnixMillis } from "../../../base/units.ts";
import type { BridgeEvent } from "../../event-bus.ts";
import type { EventFilter } from "./event-filter.ts";
import type { PastEvents } from "./past-events.ts";

const LIMITS = {
  /** What waits for a client that does not come; the oldest goes first. The messages themselves are shared by all. */
  events: 500,
  characters: 256 * 1024,
  /** How long is looked in the past for something to tell, however short the client wishes to wait. */
  lookMs: SECOND,
} as const;

export interface SubscriptionOptions {
  readonly token: string;
  readonly who: Principal;
  /** Of this camera alone. */
  readonly camera: string | undefined;
  readonly filter: EventFilter;
  /** Neither `Initialized` nor `Deleted` (`tev:ChangedOnly`). */
  readonly changedOnly: boolean;
  /** Its messages are sent to a consumer, and not fetched. */
  readonly sent: boolean;
  /** Whether `who` may know of it at this moment. */
  readonly decide: (event: Pick<BridgeEvent, "camera">) => Decision;
  readonly clock: Clock;
}

/**
 * What one client wants to be told of, and what waits for it. What it may not know is withheld, also where it might when it
 * happened and may not when it is told.
 */
export class Subscription {
  readonly token: string;
  readonly who: Principal;
  readonly camera: string | undefined;
  readonly sent: boolean;
  readonly #filter: EventFilter;
  readonly #changedOnly: boolean;
  readonly #decide: SubscriptionOptions["decide"];
  readonly #clock: Clock;
  /** How everything stood when it was asked for, behind what waited then: shared events, so a list of any length costs little. */
  #initial: readonly BridgeEvent[] = [];
  readonly #queue = new BoundedQueue<BridgeEvent>(
    { maxItems: LIMITS.events, maxWeight: LIMITS.characters },
    ({ xml }) => xml.length,
  );
  /** Whose properties were withheld, undefined for the bridge's own, and when that may change; not those for which it never will. */
  readonly #withheld = new Map<string | undefined, UnixMillis>();
  /** Where its place is in the past. What happens meanwhile waits for the end of it; going back, there is no such end. */
  #past: PastEvents | undefined;
  #sought = false;
  /** Seeks of which it is not known yet whether they succeed. */
  #seeking = 0;
  /** How much was put in the queue since the beginning: the newest of that are in it. */
  #offered = 0;
  #expires: MonotonicMillis;
  #waiting = false;
  #wake: (() => void) | undefined;
  #paused = false;
  readonly #end = new AbortController();

  constructor({ token, who, camera, filter, changedOnly, sent, decide, clock }: SubscriptionOptions) {
    this.token = token;
    this.who = who;
    this.camera = camera;
    this.sent = sent;
    this.#filter = filter;
    this.#changedOnly = changedOnly;
    this.#decide = decide;
    this.#clock = clock;
    this.#expires = clock.monotonic();
  }

  /** Aborted at its end. */
  get over(): AbortSignal {
    return this.#end.signal;
  }

  get expired(): boolean {
    return this.#expires <= this.#clock.monotonic();
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Somebody waits for messages. */
  get waiting(): boolean {
    return this.#waiting;
  }

  get endsAt(): UnixMillis {
    // The wall clock tells whole milliseconds: what has passed of one would be missing of the life that was promised.
    return later(this.#clock.now(), Math.ceil(this.#expires - this.#clock.monotonic()));
  }

  /** From now on. */
  liveFor(ms: Millis): void {
    this.#expires = (this.#clock.monotonic() + ms) as MonotonicMillis;
  }

  /** At least; never less than it would anyway. */
  prolong(ms: Millis): void {
    this.#expires = Math.max(this.#expires, this.#clock.monotonic() + ms) as MonotonicMillis;
  }

  /** At this moment. What is withheld and lasts is told when that changes, as it stands then. */
  mayKnow(event: BridgeEvent): boolean {
    const { allowed, validUntil } = this.#decide(event);
    const lasts = event.notification.operation !== undefined;
    if (!allowed && lasts && Number.isFinite(validUntil)) this.#withheld.set(event.camera, validUntil);
    return allowed;
  }

  /** Whether it asked for such a one, wherever and whenever it happened. */
  readonly wants: EventFilter = (notification) => {
    const { operation } = notification;
    return (
      (!this.#changedOnly || (operation !== "Initialized" && operation !== "Deleted")) && this.#filter(notification)
    );
  };

  offer(event: BridgeEvent): void {
    if (
      (this.#past?.reverse === true && this.#seeking === 0) ||
      !this.wants(event.notification) ||
      !this.mayKnow(event)
    )
      return;
    while (!this.#queue.push(event)) if (this.#queue.shift() === undefined) return;
    this.#offered += 1;
    this.#arrived();
  }

  /** Tells from the beginning how everything stands, behind what happened and waits. Nothing after a Seek (ONVIF Core 9.2.5). */
  synchronize(properties: readonly BridgeEvent[]): void {
    if (this.#changedOnly || this.#sought || this.#seeking > 0) return;
    const waits = [...this.#initial];
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) waits.push(event);
    const happened = waits.filter(({ notification }) => notification.operation !== "Initialized").slice(-LIMITS.events);
    this.#withheld.clear();
    const standing = properties.filter((event) => this.#filter(event.notification) && this.mayKnow(event));
    this.#initial = [...happened, ...standing];
    this.#arrived();
  }

  /**
   * Tells what happened, instead of all that waits now, and then, unless it goes back, what has happened since. `newest`: up to where it is
   * the past. Until that is known, all is as it was; where it rejects, this does too, and all stays so.
   */
  async seek(newest: Promise<number>, pastUpTo: (newest: number) => PastEvents): Promise<void> {
    const offered = this.#offered;
    this.#seeking += 1;
    const past = pastUpTo(
      await newest.finally(() => {
        this.#seeking -= 1;
      }),
    );
    if (this.over.aborted) return;
    this.#initial = [];
    while (this.#queue.length > this.#offered - offered) this.#queue.shift();
    this.#withheld.clear();
    this.#sought = true;
    this.#past = past;
    this.#wake?.();
  }

  /** Nothing arrives, as far as who waits can tell; what does is kept as for one who does not come. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake?.();
  }

  /** At most so many, oldest first; none where nothing waits, or it is paused. */
  take(most: number): readonly BridgeEvent[] {
    if (this.#paused) return [];
    if (this.#past !== undefined) return this.#past.take(most);
    const taken: BridgeEvent[] = [];
    let told = 0;
    for (const event of this.#initial) {
      if (taken.length >= most) break;
      told += 1;
      if (this.mayKnow(event)) taken.push(event);
    }
    this.#initial = this.#initial.slice(told);
    while (taken.length < most) {
      const event = this.#queue.shift();
      if (event === undefined) break;
      if (this.mayKnow(event)) taken.push(event);
    }
    return taken;
  }

  /** Whose properties were withheld and may be no longer: how they stand is to be offered anew. Each is named once. */
  takeWithheld(): ReadonlySet<string | undefined> {
    const now = this.#clock.now();
    const due = new Set([...this.#withheld].filter(([, until]) => until <= now).map(([camera]) => camera));
    for (const camera of due) this.#withheld.delete(camera);
    return due;
  }

  /** Resolves when something waits to be taken, the time is over, the client has gone, or the subscription ends. */
  async arrival(timeoutMs: Millis, gone: AbortSignal): Promise<void> {
    const until = this.#clock.monotonic() + timeoutMs;
    this.#waiting = true;
    try {
      do {
        await this.#look(Math.max(until, this.#clock.monotonic() + LIMITS.lookMs), gone);
        await this.#wakeUp(until - this.#clock.monotonic(), gone);
        // What woke it may have been a Seek.
      } while (this.#past?.completed === false && !this.#ready && !this.#isOver(until, gone));
    } finally {
      this.#waiting = false;
    }
  }

  /** Looks in the past until something is found there, or everything was. */
  async #look(until: number, gone: AbortSignal): Promise<void> {
    for (let past = this.#past; past?.completed === false && !past.ready; past = this.#past) {
      await past.look();
      if (past === this.#past && past.completed && !past.reverse) this.#past = undefined;
      if (this.#isOver(until, gone)) return;
    }
  }

  async #wakeUp(timeoutMs: Millis, gone: AbortSignal): Promise<void> {
    if (this.#ready || timeoutMs <= 0 || gone.aborted || this.over.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.after(timeoutMs, resolve);
    gone.addEventListener("abort", () => resolve(), { once: true });
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
    timer.cancel();
  }

  #isOver(until: number, gone: AbortSignal): boolean {
    return this.#clock.monotonic() >= until || gone.aborted || this.over.aborted;
  }

  end(): void {
    this.#end.abort();
    this.#forget();
    this.#wake?.();
  }

  #forget(): void {
    this.#initial = [];
    this.#queue.clear();
    this.#withheld.clear();
    this.#past = undefined;
  }

  get #ready(): boolean {
    if (this.#paused) return false;
    return this.#past === undefined ? this.#initial.length > 0 || this.#queue.length > 0 : this.#past.ready;
  }

  #arrived(): void {
    if (this.#ready) this.#wake?.();
  }
}
