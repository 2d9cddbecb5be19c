import type { Principal } from "../../../auth/principal.ts";
import type { Clock } from "../../../base/clock.ts";
import { BoundedQueue } from "../../../base/queue.ts";
import { later, type Millis, type MonotonicMillis, type UnixMillis } from "../../../base/units.ts";
import type { BridgeEvent } from "../../event-bus.ts";
import type { EventFilter } from "./event-filter.ts";

const LIMITS = {
  /** What waits for a client that does not come; the oldest goes first. The messages themselves are shared by all. */
  events: 500,
  characters: 256 * 1024,
} as const;

export interface SubscriptionOptions {
  readonly token: string;
  readonly who: Principal;
  readonly filter: EventFilter;
  /** Neither `Initialized` nor `Deleted` (`tev:ChangedOnly`). */
  readonly changedOnly: boolean;
  /** Its messages are sent to a consumer, and not fetched. */
  readonly sent: boolean;
  readonly clock: Clock;
}

/** What one client wants to be told of, and what waits for it. */
export class Subscription {
  readonly token: string;
  readonly who: Principal;
  readonly sent: boolean;
  readonly #filter: EventFilter;
  readonly #changedOnly: boolean;
  readonly #clock: Clock;
  /** How everything stood when it was asked for: shared events, so a list of any length costs little. */
  #initial: readonly BridgeEvent[] = [];
  readonly #queue = new BoundedQueue<BridgeEvent>(
    { maxItems: LIMITS.events, maxWeight: LIMITS.characters },
    ({ xml }) => xml.length,
  );
  #expires: MonotonicMillis;
  #wake: (() => void) | undefined;
  #paused = false;
  readonly #end = new AbortController();

  constructor({ token, who, filter, changedOnly, sent, clock }: SubscriptionOptions) {
    this.token = token;
    this.who = who;
    this.sent = sent;
    this.#filter = filter;
    this.#changedOnly = changedOnly;
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
    return this.#wake !== undefined;
  }

  get endsAt(): UnixMillis {
    return later(this.#clock.now(), this.#expires - this.#clock.monotonic());
  }

  /** From now on. */
  liveFor(ms: Millis): void {
    this.#expires = (this.#clock.monotonic() + ms) as MonotonicMillis;
  }

  /** At least; never less than it would anyway. */
  prolong(ms: Millis): void {
    this.#expires = Math.max(this.#expires, this.#clock.monotonic() + ms) as MonotonicMillis;
  }

  offer(event: BridgeEvent): void {
    const { operation } = event.notification;
    const wanted = !this.#changedOnly || (operation !== "Initialized" && operation !== "Deleted");
    if (!wanted || !this.#filter(event.notification)) return;
    while (!this.#queue.push(event)) if (this.#queue.shift() === undefined) return;
    this.#arrived();
  }

  /** Tells from the beginning how everything stands. What waits is told before: it may be older. */
  synchronize(properties: readonly BridgeEvent[]): void {
    if (this.#changedOnly) return;
    this.#queue.clear();
    this.#initial = properties.filter(({ notification }) => this.#filter(notification));
    this.#arrived();
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
    const taken = this.#initial.slice(0, most);
    this.#initial = this.#initial.slice(taken.length);
    while (taken.length < most) {
      const event = this.#queue.shift();
      if (event === undefined) break;
      taken.push(event);
    }
    return taken;
  }

  /** Resolves when something waits to be taken, the time is over, the client has gone, or the subscription ends. */
  async arrival(timeoutMs: Millis, gone: AbortSignal): Promise<void> {
    if (this.#ready || timeoutMs <= 0 || gone.aborted || this.over.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.after(timeoutMs, resolve);
    gone.addEventListener("abort", () => resolve(), { once: true });
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
    timer.cancel();
  }

  end(): void {
    this.#end.abort();
    this.#initial = [];
    this.#queue.clear();
    this.#wake?.();
  }

  get #ready(): boolean {
    return !this.#paused && (this.#initial.length > 0 || this.#queue.length > 0);
  }

  #arrived(): void {
    if (this.#ready) this.#wake?.();
  }
}
