import type { Instant, Span, Timeline } from "./protocol.ts";

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
export function cellsOf(view: Span, width: number, known: Timeline | undefined): readonly Cell[] {
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

/** Spans are cut to what was asked for, but the grid goes on beyond. */
function firstRecorded(cell: Span, { from, spans }: Timeline): Instant | undefined {
  const span = spans.find((one) => one.to > cell.from && one.from < cell.to);
  if (span === undefined) return undefined;
  return span.from <= from ? cell.from : Math.ceil(Math.max(cell.from, span.from));
}

/** What of the gaps was not filled later. */
export function missingIn({ gaps, spans }: Pick<Timeline, "gaps" | "spans">): readonly Span[] {
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
