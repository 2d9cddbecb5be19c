import { randomBytes } from "node:crypto";
import { decide } from "../../../auth/access.ts";
import type { Decision } from "../../../auth/decision.ts";
import type { Principal } from "../../../auth/principal.ts";
import type { Clock, Timer } from "../../../base/clock.ts";
import { type Millis, SECOND, unixMillis } from "../../../base/units.ts";
import type { BridgeEvent, EventBus } from "../../event-bus.ts";
import { eventFault } from "./event-faults.ts";
import type { EventFilter } from "./event-filter.ts";
import { Subscription } from "./subscription.ts";

export const LIMITS = {
  /** Subscriptions of one account at one time. */
  ofAccount: 100,
  /** Of all accounts together. */
  all: 2000,
  /** Those of them whose messages are sent. */
  sentOfAccount: 20,
  allSent: 200,
} as const;

/** How often ended ones are looked for. */
const SWEEP_MS = SECOND;

/** What is told of a camera is for those with the right to its events; what is told of the bridge, for those who may read its status. */
function decideOn(who: Principal, { camera }: Pick<BridgeEvent, "camera">): Decision {
  const door = { interface: "onvif" } as const;
  return decide(who, camera === undefined ? { ...door, right: "read-status" } : { ...door, right: "events", camera });
}

/** Of another camera than the subscription is about. */
const ELSEWHERE: Decision = {
  allowed: false,
  why: "another camera",
  validUntil: unixMillis(Number.POSITIVE_INFINITY),
  maxAgeMs: 0,
};

/** At this moment. */
export function mayKnow(who: Principal, event: Pick<BridgeEvent, "camera">): boolean {
  return decideOn(who, event).allowed;
}

/**
 * Who wants to be told of what happens. A subscription belongs to the account that made it, does not exist for any other, and ends
 * by Unsubscribe, when nobody has renewed it, when the account is changed, or when what its maker came by expires. What its account may not know, it is not told; when hours
 * let it know again, it is told how things stand.
 */
export class Subscriptions {
  readonly #bus: EventBus;
  readonly #clock: Clock;
  readonly #all = new Map<string, Subscription>();
  #sweeping: { readonly timer: Timer; readonly leave: () => void } | undefined;

  constructor(bus: EventBus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  /** Begins with how everything stands. Fault where there are too many. */
  open(o: {
    readonly who: Principal;
    readonly filter: EventFilter;
    readonly changedOnly: boolean;
    readonly lifeMs: Millis;
    /** Of this camera alone. */
    readonly camera?: string | undefined;
    /** To a consumer; fetched if absent. */
    readonly sent?: boolean;
  }): Subscription {
    this.#sweep();
    const all = [...this.#all.values()];
    const own = all.filter(({ who }) => who.accountId === o.who.accountId);
    const tooMany = own.length >= LIMITS.ofAccount || all.length >= LIMITS.all;
    if (tooMany || (o.sent === true && (sentOf(own) >= LIMITS.sentOfAccount || sentOf(all) >= LIMITS.allSent)))
      throw eventFault(
        this.#clock,
        "SubscribeCreationFailedFault",
        "There are too many subscriptions: unsubscribe from some, or let them expire",
      );
    const token = randomBytes(16).toString("hex");
    const subscription = new Subscription({
      ...o,
      camera: o.camera,
      sent: o.sent === true,
      token,
      decide: (event) => (o.camera === undefined || event.camera === o.camera ? decideOn(o.who, event) : ELSEWHERE),
      clock: this.#clock,
    });
    subscription.liveFor(o.lifeMs);
    this.#all.set(token, subscription);
    this.synchronize(subscription);
    this.#sweeping ??= {
      timer: this.#clock.every(SWEEP_MS, () => this.#sweep()),
      leave: this.#bus.listen((event) => this.#offer(event)),
    };
    return subscription;
  }

  /** Fault where there is none of that token, or it is of another account. */
  find(who: Principal, token: string): Subscription {
    this.#sweep();
    const found = this.#all.get(token);
    if (found === undefined || found.who.accountId !== who.accountId)
      throw eventFault(
        this.#clock,
        "ResourceUnknownFault",
        "There is no such subscription: it has ended, or never was",
      );
    return found;
  }

  synchronize(subscription: Subscription): void {
    subscription.synchronize(this.#bus.properties());
  }

  end(subscription: Subscription): void {
    subscription.end();
    this.#all.delete(subscription.token);
    if (this.#all.size > 0) return;
    this.#sweeping?.timer.cancel();
    this.#sweeping?.leave();
    this.#sweeping = undefined;
  }

  close(): void {
    for (const subscription of this.#all.values()) this.end(subscription);
  }

  #offer(event: BridgeEvent): void {
    for (const subscription of this.#all.values()) subscription.offer(event);
  }

  #sweep(): void {
    for (const subscription of this.#all.values())
      if (isOver(subscription.who) || subscription.expired) this.end(subscription);
      else this.#catchUp(subscription);
  }

  #catchUp(subscription: Subscription): void {
    const withheld = subscription.takeWithheld();
    if (withheld.size === 0) return;
    for (const event of this.#bus.properties()) if (withheld.has(event.camera)) subscription.offer(event);
  }
}

function isOver(who: Principal): boolean {
  return who.revoked.aborted || (who.until !== undefined && who.until <= who.now());
}

function sentOf(subscriptions: readonly Subscription[]): number {
  return subscriptions.filter((one) => one.sent).length;
}
