import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../../base/clock.ts";
import { later, type Millis, type UnixMillis, unixMillis } from "../../../base/units.ts";
import type { EventCursor } from "../../../recorder/journal.ts";
import { type Notification, printNotification } from "../../../wsdl/notification.ts";
import { onvifTopic } from "../../../wsdl/topic.ts";
import type { BridgeEvent } from "../../event-bus.ts";
import { notificationOf } from "../../event-keeper.ts";
import type { EventFilter } from "./event-filter.ts";
import type { EventHistory } from "./site.ts";

const LIMITS = {
  /** Events that are looked at in one go, and so the most that wait to be taken: those of one answer. */
  page: 100,
} as const;

/** Nothing is later: the last instant of a JavaScript date. */
const END_OF_TIME = unixMillis(8.64e15);

/** Told once, where what is kept begins (ONVIF Core, "BeginOfBuffer"). */
export const BUFFER_BEGIN = onvifTopic("EventBuffer/Begin");

export interface PastEventsOptions {
  readonly history: Pick<EventHistory, "journal">;
  /** Of what was kept up to then is told; what comes later is told as it happens. See `EventHistory.newest`. */
  readonly newest: number;
  /** From here on, or, in reverse, back from here; itself included. */
  readonly at: UnixMillis;
  readonly reverse: boolean;
  readonly filter: EventFilter;
  /** The cameras whose events may be told at this moment, each with how old they may be. */
  readonly reach: () => ReadonlyMap<string, Millis>;
  readonly clock: Clock;
}

interface PastEvent {
  /** Undefined: of the storage itself. */
  readonly camera: string | undefined;
  readonly notification: Notification;
}

/** Why a page cannot be told now. */
interface Unanswered {
  readonly error: unknown;
}

type Page = readonly PastEvent[];

/**
 * What cameras told before a Seek, as it was kept, strictly in the order of time, each event once. Holds its place and one page, not its
 * results, and reads no further before that page is taken. Where the journal gives no answer, it goes on from there when that does.
 */
export class PastEvents {
  readonly reverse: boolean;
  readonly #reach: PastEventsOptions["reach"];
  readonly #clock: Clock;
  readonly #pages: AsyncGenerator<Page | Unanswered>;
  #found: Page = [];
  #over = false;

  constructor(options: PastEventsOptions) {
    this.reverse = options.reverse;
    this.#reach = options.reach;
    this.#clock = options.clock;
    this.#pages = pagesOf(options);
  }

  /** Something waits to be taken. */
  get ready(): boolean {
    return this.#found.length > 0;
  }

  /** Everything is told. */
  get completed(): boolean {
    return this.#over && !this.ready;
  }

  /** Looks at the next page, unless something waits already. Rejects as the journal does; the next look is at the same page then. */
  async look(): Promise<void> {
    if (this.ready || this.#over) return;
    // A database without a thread answers within this turn of the loop: others shall have theirs between two pages.
    await setImmediate();
    const { value, done } = await this.#pages.next();
    if (done === true) this.#over = true;
    else if ("error" in value) throw value.error;
    else this.#found = value;
  }

  /** At most so many; none that may not be told any more. */
  take(most: number): readonly BridgeEvent[] {
    const taken = this.#found.slice(0, most);
    this.#found = this.#found.slice(most);
    const reach = this.#reach();
    const now = this.#clock.now();
    return taken
      .filter((event) => mayTell(event, reach, now))
      .map(({ camera, notification }) => {
        const xml = printNotification(notification);
        return { camera, kind: undefined, notification, raw: undefined, xml };
      });
  }
}

function mayTell({ camera, notification }: PastEvent, reach: ReadonlyMap<string, Millis>, now: UnixMillis): boolean {
  return camera === undefined || now - notification.at <= (reach.get(camera) ?? 0);
}

async function* pagesOf(o: PastEventsOptions): AsyncGenerator<Page | Unanswered> {
  const { history, newest: upTo, at, reverse, filter, reach, clock } = o;
  const begin = yield* answered(() => beginOf(o));
  const notification = { at: begin, topic: BUFFER_BEGIN, source: [], data: [] };
  const begun = filter(notification) ? [{ camera: undefined, notification }] : [];
  const isBefore = reverse ? at < begin : at <= begin;
  if (isBefore && begun.length > 0) yield begun;
  const range = reverse
    ? { from: begin, to: later(at, 1) }
    : { from: unixMillis(Math.max(at, begin)), to: END_OF_TIME };
  let cursor: EventCursor | undefined;
  do {
    const allowed = reach();
    const page = yield* answered(() =>
      history.journal.events([...allowed.keys()], { ...range, backward: reverse, upTo }, cursor, LIMITS.page),
    );
    cursor = page.at(-1);
    yield page
      .map((kept) => ({ camera: kept.camera, notification: notificationOf(kept) }))
      .filter((event) => filter(event.notification) && mayTell(event, allowed, clock.now()));
  } while (cursor !== undefined);
  if (reverse && !isBefore) yield begun;
}

/** Asks again, at each look, for what was not answered: a generator that throws is over, and what it has not told would be missing. */
async function* answered<T>(ask: () => Promise<T>): AsyncGenerator<Unanswered, T> {
  for (;;)
    try {
      return await ask();
    } catch (error) {
      yield { error };
    }
}

/** Where what is kept begins, as far as it may be told; now where there is nothing. */
async function beginOf({ history, reach, clock }: PastEventsOptions): Promise<UnixMillis> {
  const now = clock.now();
  const allowed = reach();
  const begins = [...(await history.journal.beginnings([...allowed.keys()]))].map(([camera, at]) =>
    Math.max(at, now - (allowed.get(camera) ?? 0)),
  );
  return unixMillis(Math.min(now, ...begins));
}
