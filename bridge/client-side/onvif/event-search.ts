import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../../base/clock.ts";
import { DAY, type Millis, SECOND, type UnixMillis, unixMillis } from "../../../base/units.ts";
import type { EventCursor } from "../../../recorder/journal.ts";
import type { Notification } from "../../../wsdl/notification.ts";
import { onvifTopic } from "../../../wsdl/topic.ts";
import { notificationOf } from "../../event-keeper.ts";
import type { EventFilter } from "./event-filter.ts";
import type { Recording } from "./recorded.ts";
import type { EventHistory } from "./site.ts";

const LIMITS = {
  /** How long one answer looks for more. */
  lookMs: 2 * SECOND,
  /** Nothing is older. */
  reachMs: 3650 * DAY,
} as const;

/** How much of the past is put in order at once. */
const WINDOW_MS = DAY;

const RECORDING_STATE = onvifTopic("RecordingHistory/Recording/State");
const TRACK_STATE = onvifTopic("RecordingHistory/Track/State");

/** An event that a search has found. */
export interface FoundEvent {
  readonly recording: Recording;
  /** Empty where it is of none. */
  readonly track: string;
  readonly notification: Notification;
  /** Made up for the search: how things stood when its range begins. */
  readonly virtual: boolean;
  /** The camera told of it; otherwise the recording itself does. */
  readonly told: boolean;
}

/** What a client searches for. */
interface EventQuestion {
  readonly recordings: readonly Recording[];
  /** Later than `to`: backwards. */
  readonly from: UnixMillis;
  readonly to: UnixMillis;
  readonly filter: EventFilter;
  readonly startState: boolean;
  /** The search is over with so many. */
  readonly most: number;
}

/**
 * One search for events, in the order of time: what cameras told, as it was kept, and beginnings and ends of recording, as the
 * recordings themselves tell them. Nothing is found before it is asked for: a search holds its place, not its results.
 */
export class EventSearch {
  readonly #clock: Clock;
  readonly #found: AsyncGenerator<FoundEvent | undefined>;
  #left: number;
  #completed = false;
  /** Why it cannot be brought to its end: it is never told to be complete then. */
  #failed: { readonly error: unknown } | undefined;
  #asking: Promise<unknown> = Promise.resolve();

  constructor(history: EventHistory, question: EventQuestion, clock: Clock) {
    this.#clock = clock;
    this.#left = question.most;
    this.#found = eventsOf(history, question, clock.now());
  }

  /**
   * The next events, at most `most`, and fewer where they cannot be found soon. Calls wait for one another. Rejects as the journal does, and
   * from then on each time.
   */
  next(
    most: number,
    waitMs: Millis | undefined,
  ): Promise<{
    readonly events: readonly FoundEvent[];
    readonly completed: boolean;
  }> {
    const answer = this.#asking.then(async () => {
      if (this.#failed !== undefined) throw this.#failed.error;
      return this.#take(most, Math.min(waitMs ?? LIMITS.lookMs, LIMITS.lookMs));
    });
    this.#asking = answer.catch(() => undefined);
    return answer;
  }

  async #take(most: number, waitMs: Millis): ReturnType<EventSearch["next"]> {
    const events: FoundEvent[] = [];
    const until = this.#clock.monotonic() + waitMs;
    this.#completed ||= this.#left === 0;
    while (!this.#completed && events.length < most) {
      const { done, value } = await this.#found.next().catch((error: unknown) => {
        this.#failed = { error };
        throw error;
      });
      if (done === true) this.#completed = true;
      else if (value === undefined) {
        if (this.#clock.monotonic() > until) break;
      } else {
        events.push(value);
        this.#left -= 1;
        this.#completed = this.#left === 0;
      }
    }
    return { events, completed: this.#completed };
  }
}

/** Undefined, again and again, where nothing is found for a while. */
async function* eventsOf(
  history: EventHistory,
  question: EventQuestion,
  now: UnixMillis,
): AsyncGenerator<FoundEvent | undefined> {
  const { from, to, filter } = question;
  const backward = to < from;
  const isWanted = ({ notification }: FoundEvent): boolean => filter(notification);
  if (question.startState)
    for (const recording of question.recordings) yield* (await startStates(history, recording, from)).filter(isWanted);
  const begins = question.recordings.map((recording) => recording.earliest ?? now);
  const first = Math.min(now, (await history.journal.earliest()) ?? now, ...begins);
  const earliest = Math.max(Math.min(from, to), first, now - LIMITS.reachMs);
  const latest = Math.min(Math.max(from, to), now);
  for (let done = 0; earliest + done < latest; done += WINDOW_MS) {
    const part = backward
      ? { from: unixMillis(Math.max(latest - done - WINDOW_MS, earliest)), to: unixMillis(latest - done) }
      : { from: unixMillis(earliest + done), to: unixMillis(Math.min(earliest + done + WINDOW_MS, latest)) };
    for await (const one of windowOf(history, question.recordings, { ...part, backward }))
      yield isWanted(one) ? one : undefined;
    yield undefined;
  }
}

interface Window {
  readonly from: UnixMillis;
  readonly to: UnixMillis;
  readonly backward: boolean;
}

/** What cameras told and what recordings tell, merged. */
async function* windowOf(
  history: EventHistory,
  recordings: readonly Recording[],
  window: Window,
): AsyncGenerator<FoundEvent> {
  const sign = window.backward ? -1 : 1;
  const edges = (await Promise.all(recordings.map((recording) => edgesOf(history, recording, window)))).flat();
  edges.sort((a, b) => sign * (a.notification.at - b.notification.at));
  let next = 0;
  const isDue = (at: UnixMillis): boolean => {
    const edge = edges[next];
    return edge !== undefined && sign * (edge.notification.at - at) <= 0;
  };
  for await (const told of toldOf(history, recordings, window)) {
    while (isDue(told.notification.at)) yield edges[next++] as FoundEvent;
    yield told;
  }
  yield* edges.slice(next);
}

async function* toldOf(
  { journal }: EventHistory,
  recordings: readonly Recording[],
  window: Window,
): AsyncGenerator<FoundEvent> {
  // A camera's events are found once, in its first recording: that of the main stream.
  const of = new Map(recordings.toReversed().map((recording) => [recording.view.camera.id, recording]));
  let cursor: EventCursor | undefined;
  for (;;) {
    const page = await journal.events([...of.keys()], window, cursor);
    // A database without a thread answers within this turn of the loop: others shall have theirs between two pages.
    await setImmediate();
    for (const kept of page) {
      const recording = of.get(kept.camera);
      if (recording === undefined) continue;
      yield { recording, track: "", notification: notificationOf(kept), virtual: false, told: true };
    }
    cursor = page.at(-1);
    if (cursor === undefined) return;
  }
}

/** Where recording begins and ends. */
async function edgesOf(
  history: EventHistory,
  recording: Recording,
  { from, to }: Window,
): Promise<readonly FoundEvent[]> {
  const { camera, stream } = recording.view;
  // A millisecond more on both sides shows which ends of spans are ends of recording.
  const spans = await history.spans(camera.id, unixMillis(from - 1), unixMillis(to + 1), stream);
  const latest = recording.recording ? recording.latest : undefined;
  return spans.flatMap((span) => [
    ...(span.from >= from && span.from < to ? statesOf(recording, span.from, true, "Changed") : []),
    // What is being recorded has no end yet.
    ...(span.to >= from && span.to < to && !(latest !== undefined && span.to >= latest)
      ? statesOf(recording, span.to, false, "Changed")
      : []),
  ]);
}

/** How the recording, its tracks, and what its camera told of stood at an instant (Recording Search 5.11). */
async function startStates(
  history: EventHistory,
  recording: Recording,
  at: UnixMillis,
): Promise<readonly FoundEvent[]> {
  const { camera, stream } = recording.view;
  const spans = await history.spans(camera.id, unixMillis(at - 1), unixMillis(at + 1), stream);
  const states = statesOf(
    recording,
    at,
    spans.some((span) => span.from <= at && at < span.to),
    "Initialized",
  );
  const standing = recording.view.token === camera.id ? await history.journal.standing(camera.id, at) : [];
  const told = standing.map((kept): FoundEvent => {
    const notification = { ...notificationOf(kept), at, operation: "Initialized" as const };
    return { recording, track: "", notification, virtual: true, told: true };
  });
  return [...states.map((state) => ({ ...state, virtual: true })), ...told];
}

function statesOf(
  recording: Recording,
  at: UnixMillis,
  on: boolean,
  operation: "Changed" | "Initialized",
): readonly FoundEvent[] {
  const { view, tracks } = recording;
  const source = [["RecordingToken", view.token]] as const;
  const base = { at, operation } as const;
  const whole = { ...base, topic: RECORDING_STATE, source, data: [["IsRecording", String(on)]] as const };
  return [
    { recording, track: "", notification: whole, virtual: false, told: false },
    ...tracks.map(({ token }): FoundEvent => {
      const notification = {
        ...base,
        topic: TRACK_STATE,
        source: [...source, ["Track", token]] as const,
        data: [["IsDataPresent", String(on)]] as const,
      };
      return { recording, track: token, notification, virtual: false, told: false };
    }),
  ];
}
