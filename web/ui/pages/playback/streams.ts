import type { Instant, Span, Timeline } from "./protocol.ts";

const LIMITS = {
  /** What the better stream lacks for less is not worth another picture, also where it is known why. */
  leastMs: 1000,
  /** What it lacks without a known reason: of what is being recorded, one stream is told a little before the other. */
  leastUnknownMs: 10_000,
};

/** One stream by its name; undefined: the best that there is of each instant. */
export type Choice = string | undefined;

/** A stretch, and the stream that is meant. */
export interface Part extends Span {
  readonly stream: string;
}

/** What of a range is recorded of one camera, in any of its streams. */
export interface CameraTimeline extends Span {
  /** Those of which anything may be played, the best one first. */
  readonly streams: readonly string[];
  /** What is recorded of streams that the browser cannot show, where another one is played before them. */
  readonly unshowable: readonly Part[];
  /** The best one of what is played. */
  readonly best: string | undefined;
  /** What is played: of no instant more than one stream, in order. */
  readonly spans: readonly Part[];
  /** What another stream alone has, which was not chosen, in order. */
  readonly others: readonly Part[];
  /** What of the spans was fetched from the camera's own recording. */
  readonly fetched: readonly Part[];
  /** Of each stream that is played, in order, whether another one fills them or not. */
  readonly gaps: readonly (Timeline["gaps"][number] & { readonly stream: string })[];
  /** The earliest and latest of what may be played; absent where there is none. */
  readonly extent?: Span;
  /** Words need to say of which stream they are. */
  readonly isNamed: boolean;
}

/**
 * Of all timelines of a camera, the best stream first, what is played by that choice. `cannotShow`: streams that the browser has no
 * decoder for; where none is chosen, any other is better.
 */
export function cameraTimeline(
  all: readonly Timeline[],
  choice: Choice,
  cannotShow: ReadonlySet<string> = new Set(),
): CameraTimeline {
  const recorded = all.filter(({ extent }) => extent !== undefined);
  const isLast = ({ stream }: Timeline): number => (cannotShow.has(stream) ? 1 : 0);
  const inOrder = recorded.toSorted((a, b) => isLast(a) - isLast(b));
  const chosen = choice === undefined ? inOrder : recorded.filter(({ stream }) => stream === choice);
  const hidden = chosen.some((one) => isLast(one) === 0) ? chosen.filter((one) => isLast(one) === 1) : [];
  const spans = bestOf(chosen);
  const extents = chosen.flatMap(({ extent }) => extent ?? []);
  const streams = recorded.map(({ stream }) => stream);
  const main = all[0]?.stream ?? "";
  const holes = holesIn(spans);
  return {
    from: Math.max(...all.map(({ from }) => from)),
    to: Math.min(...all.map(({ to }) => to)),
    streams,
    unshowable: hidden.flatMap(partsOf),
    best: choice ?? inOrder[0]?.stream,
    spans,
    others: recorded
      .filter((one) => !chosen.includes(one))
      .flatMap((one) => common(partsOf(one), holes))
      .toSorted(byBeginning),
    fetched: chosen.flatMap(({ stream, fetched }) =>
      common(
        spans.filter((part) => part.stream === stream),
        fetched,
      ),
    ),
    gaps: chosen.flatMap(({ stream, gaps }) => gaps.map((gap) => ({ ...gap, stream }))).toSorted(byBeginning),
    ...(extents.length === 0 ? {} : { extent: around(extents) }),
    isNamed: streams.length > 1 || choice !== undefined || (streams[0] ?? main) !== main,
  };
}

/** What is played at an instant. */
export function partAt(spans: readonly Part[], instant: Instant): Part | undefined {
  return spans.find(({ from, to }) => from <= instant && instant < to);
}

/** What there is of an instant, for whoever does not see the timeline. */
export function momentWords({ spans, others, isNamed }: CameraTimeline, instant: Instant): string {
  const [part, other] = [partAt(spans, instant), partAt(others, instant)];
  if (part !== undefined) return isNamed ? streamWords(part.stream) : "recorded";
  return other === undefined ? "not recorded" : `not recorded, the ${streamWords(other.stream)} has it`;
}

/** Which stream is asked for a picture of about that instant: what is played then, or next. */
export function streamNear(spans: readonly Part[], instant: Instant): string | undefined {
  return (spans.find(({ to }) => instant < to) ?? spans.at(-1))?.stream;
}

/** The gaps at an instant of which no better stream has a picture, the best stream first. */
export function missingAt(known: CameraTimeline, instant: Instant): CameraTimeline["gaps"] {
  const { spans, streams, gaps, unshowable } = known;
  const shown = partAt(spans, instant)?.stream;
  const isHeld = (stream: string): boolean =>
    partAt(
      unshowable.filter((part) => part.stream === stream),
      instant,
    ) !== undefined;
  const better = shown === undefined ? streams : streams.slice(0, streams.indexOf(shown));
  return gaps
    .filter(({ from, to = Number.POSITIVE_INFINITY }) => from <= instant && instant < to)
    .filter(({ stream }) => better.includes(stream) && !isHeld(stream))
    .toSorted((a, b) => better.indexOf(a.stream) - better.indexOf(b.stream));
}

/** `main stream`, `sub-stream`, `sub-stream 2`: as it stands within a sentence. */
export function streamWords(name: string): string {
  if (name === "main") return "main stream";
  const number = /^sub(?:-(\d+))?$/.exec(name);
  if (number === null) return name;
  return number[1] === undefined ? "sub-stream" : `sub-stream ${number[1]}`;
}

/** Of each stream what no better one has. */
function bestOf(timelines: readonly Timeline[]): readonly Part[] {
  const newest = Math.max(...timelines.flatMap(({ extent }) => extent?.to ?? []));
  let parts: readonly Part[] = [];
  const gaps: Timeline["gaps"][number][] = [];
  for (const timeline of timelines) {
    const holes = holesIn(parts).filter((hole) => isWorth(hole, gaps, newest));
    parts = [...parts, ...common(partsOf(timeline), holes)].toSorted(byBeginning);
    gaps.push(...timeline.gaps);
  }
  return parts;
}

function isWorth({ from, to }: Span, gaps: Timeline["gaps"], newest: Instant): boolean {
  const lengthMs = Math.min(to, newest) - from;
  if (lengthMs >= LIMITS.leastUnknownMs) return true;
  const isKnown = gaps.some((gap) => gap.from < to && from < (gap.to ?? Number.POSITIVE_INFINITY));
  return isKnown && lengthMs >= LIMITS.leastMs;
}

function partsOf({ stream, spans }: Timeline): readonly Part[] {
  return spans.map((span) => ({ ...span, stream }));
}

/** What is before, between and behind stretches that are in order. */
function holesIn(spans: readonly Span[]): readonly Span[] {
  const ends = [Number.NEGATIVE_INFINITY, ...spans.map(({ to }) => to)];
  return ends.map((from, index) => ({ from, to: spans[index]?.from ?? Number.POSITIVE_INFINITY }));
}

/** What of the parts is in one of the stretches. Both are in order, and neither has anything twice. */
function common(parts: readonly Part[], stretches: readonly Span[]): readonly Part[] {
  const found: Part[] = [];
  for (let [one, other] = [0, 0]; ; ) {
    const [part, stretch] = [parts[one], stretches[other]];
    if (part === undefined || stretch === undefined) return found;
    const from = Math.max(part.from, stretch.from);
    const to = Math.min(part.to, stretch.to);
    if (from < to) found.push({ ...part, from, to });
    if (part.to < stretch.to) one += 1;
    else other += 1;
  }
}

function byBeginning(a: { readonly from: Instant }, b: { readonly from: Instant }): number {
  return a.from - b.from;
}

function around(spans: readonly Span[]): Span {
  return { from: Math.min(...spans.map(({ from }) => from)), to: Math.max(...spans.map(({ to }) => to)) };
}
