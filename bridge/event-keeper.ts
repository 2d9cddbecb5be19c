import type { Clock, Timer } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { type Log, Repeats } from "../base/log.ts";
import { SECOND } from "../base/units.ts";
import type { Journal, KeptEvent } from "../recorder/journal.ts";
import type { Notification } from "../wsdl/notification.ts";
import { topicKey } from "../wsdl/topic.ts";
import type { BridgeEvent, EventBus } from "./event-bus.ts";

const LIMITS = {
  /** Events that are not entered yet: all cameras at the rate of a flood for some seconds. */
  events: 5000,
  /** They are entered so often, all in one go. */
  periodMs: SECOND,
  /** Of what waits for the journal: those who ask for the newest event while it gives no answer. */
  underWay: 100,
} as const;

/** What is told from the recordings themselves, and what is no matter of footage. */
const NOT_KEPT: ReadonlySet<string | undefined> = new Set(["recording", "configuration", "log-in-failed"]);

/** Keeps what happens at cameras, beside their footage. */
export class EventKeeper {
  readonly #journal: Pick<Journal, "enter" | "newest" | "whileAnswering">;
  readonly #log: Log;
  readonly #repeats: Repeats;
  readonly #unlisten: () => void;
  readonly #timer: Timer;
  #waiting: KeptEvent[] = [];
  /** With those that are being entered, which takes as long as the journal gives no answer. */
  #events = 0;
  #entering: Promise<void> = Promise.resolve();
  /** How much of that is not over. */
  #underWay = 0;

  constructor(o: {
    readonly bus: EventBus;
    readonly journal: Pick<Journal, "enter" | "newest" | "whileAnswering">;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#journal = o.journal;
    this.#log = o.log;
    this.#repeats = new Repeats(o.clock);
    this.#unlisten = o.bus.listen((event) => this.#hear(event));
    this.#timer = o.clock.every(LIMITS.periodMs, () => {
      // While the journal gives no answer, they wait here, to be entered in one go.
      if (this.#underWay === 0) void this.flush();
    });
  }

  /** Resolves when everything that was heard so far is entered, or given up. */
  flush(): Promise<void> {
    const events = this.#waiting;
    this.#waiting = [];
    if (events.length > 0) this.#then(() => this.#enter(events));
    return this.#entering;
  }

  /** The id of the last event that was heard so far, once all of them are entered: nothing that is heard from now on has it, or a lower one. */
  async newest(): Promise<number> {
    if (this.#underWay >= LIMITS.underWay) throw new Fault("unavailable", "too much waits for the journal of events");
    void this.flush();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#then(() => this.#journal.newest().then(resolve, reject));
    return this.#journal.whileAnswering(promise);
  }

  async close(): Promise<void> {
    this.#unlisten();
    this.#timer.cancel();
    // Where it gives no answer, they are lost with the process.
    await this.#journal.whileAnswering(this.flush()).catch(() => undefined);
  }

  /** Behind all that was begun before. */
  #then(work: () => Promise<void>): void {
    this.#underWay += 1;
    this.#entering = this.#entering.then(work).finally(() => {
      this.#underWay -= 1;
    });
  }

  #hear({ camera, kind, notification }: BridgeEvent): void {
    if (camera === undefined || NOT_KEPT.has(kind)) return;
    if (this.#events >= LIMITS.events) {
      this.#complain("too many events at once: some are not kept", {});
      return;
    }
    this.#events += 1;
    this.#waiting.push(keptOf(camera, kind, notification));
  }

  async #enter(events: readonly KeptEvent[]): Promise<void> {
    try {
      const over = await this.#journal.enter(events);
      if (over > 0) this.#complain("a camera tells of too much in an hour: the rest of it is not kept", { over });
    } catch (err) {
      this.#complain("events cannot be kept", { err });
    } finally {
      this.#events -= events.length;
    }
  }

  #complain(what: string, details: object): void {
    const suppressed = this.#repeats.admit(what);
    if (suppressed !== undefined) this.#log.error({ ...details, suppressed }, what);
  }
}

function keptOf(camera: string, kind: BridgeEvent["kind"], notification: Notification): KeptEvent {
  const { at, topic, source, key, operation } = notification;
  return {
    camera,
    at,
    kind,
    about: JSON.stringify([topicKey(topic), source, key]),
    property: operation !== undefined,
    content: JSON.stringify(notification),
  };
}

/** The event as it was told. Ours, written by {@link EventKeeper}. */
export function notificationOf({ content }: KeptEvent): Notification {
  return JSON.parse(content) as Notification;
}
