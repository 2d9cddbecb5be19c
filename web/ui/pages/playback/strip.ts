import type { Instant, Span, Timeline } from "./protocol.ts";

/** What is recorded, of whichever stream. */
type Known = Pick<Timeline, "from" | "spans" | "gaps">;

/** In CSS pixels: no narrower, and less than half as wide again. */
const CELL_WIDTH = 104;

/** A part of the timeline with a picture of its own. */
export interface Cell extends Span {
  /** Of which instant; undefined where nothing of it is recorded. In whole milliseconds. */
  readonly asked: Instant | undefined;
}

/**
 * Parts of what is looked at, each of them with room for a picture. They stand on a grid that does not move with the view, so that its
 * pictures are the same ones after a move, and after the way back.
 */
export function cellsOf(view: Span, width: number, known: Known | undefined): readonly Cell[] {
  if (width < CELL_WIDTH) return [];
  const stepMs = stepOf(((view.to - view.from) / width) * CELL_WIDTH);
  const cells: Cell[] = [];
  for (let from = Math.floor(view.from / stepMs) * stepMs; from < view.to; from += stepMs) {
    const span = { from, to: from + stepMs };
    cells.push({ ...span, asked: known && firstRecorded(span, known) });
  }
  return cells;
}

/** Whole seconds, each step less than half as long again as the one before. */
function stepOf(leastMs: number): number {
  for (let step = 1000; ; step *= 2) {
    if (step >= leastMs) return step;
    if (step * 1.5 >= leastMs) return step * 1.5;
  }
}

function firstRecorded(cell: Span, known: Known): Instant | undefined {
  const span = known.spans.find((one) => one.to > cell.from && one.from < cell.to);
  return span && recordedFrom(cell.from, span, known);
}

/** Spans are cut to what was asked for, but the grid goes on beyond. */
function recordedFrom(at: Instant, span: Span, known: Known): Instant {
  return span.from <= known.from ? at : Math.ceil(Math.max(at, span.from));
}

/**
 * Of which instant a picture is asked for where somebody points; undefined where nothing is recorded. Points next to each other, and those
 * within a second, have the same one, so that a moving pointer does not ask for one a pixel. Of a gap before it there is none.
 */
export function instantOfPicture(at: Instant, { from, to }: Span, known: Known | undefined): Instant | undefined {
  const span = known?.spans.find((one) => one.from <= at && at < one.to);
  if (known === undefined || span === undefined) return undefined;
  const stepMs = Math.max(1000, Math.ceil((to - from) / 400));
  return recordedFrom(Math.floor(at / stepMs) * stepMs, span, known);
}

/** What of the gaps was not filled later. */
export function missingIn({ gaps, spans }: Pick<Known, "gaps" | "spans">): readonly Span[] {
  return gaps.flatMap(({ from, to = Date.now() }) => {
    const missing: Span[] = [];
    let begin = from;
    for (const span of spans) {
      if (span.to <= begin || span.from >= to) continue;
      if (span.from > begin) missing.push({ from: begin, to: span.from });
      begin = span.to;
    }
    return begin < to ? [...missing, { from: begin, to }] : missing;
  });
}
