import type { Happenings } from "./happenings.ts";
import type { Instant, Span } from "./protocol.ts";
import type { CameraTimeline, Part } from "./streams.ts";
import { type Cell, missingIn } from "./strip.ts";
import type { Thumbnails } from "./thumbnails.ts";
import { type Mark, marksOf } from "./time-axis.ts";

/** In CSS pixels. */
export const AXIS_HEIGHT = 26;
export const STRIP_HEIGHT = 66;
export const LANE_HEIGHT = 22;
const MARK_WIDTH = 90;
/** Of the ticks of events below a lane, and of the lines of bookmarks and locks above it. */
const TICK_HEIGHT = 3;
/** Of what another stream alone has: its shape tells it apart, not its color. */
const OTHER_HEIGHT = 6;

/** One camera of the timeline. */
export interface Lane {
  readonly name: string;
  readonly known: CameraTimeline | undefined;
  readonly happenings: Happenings | undefined;
  readonly thumbnails: Thumbnails | undefined;
}

/** Pictures of what is looked at, of the first lane. */
export interface Strip {
  readonly cells: readonly Cell[];
  readonly thumbnails: Thumbnails | undefined;
}

export interface Drawing {
  readonly view: Span;
  readonly instant: Instant;
  readonly lanes: readonly Lane[];
  /** Undefined where no pictures are to be shown. */
  readonly strip: Strip | undefined;
  /** What is pointed at. */
  readonly pointed: Instant | undefined;
  readonly height: number;
}

/** Draws a timeline with as many dots as the screen has. */
export function draw(canvas: HTMLCanvasElement, drawing: Drawing): void {
  const { view, instant, lanes, strip, pointed, height } = drawing;
  const scale = window.devicePixelRatio;
  const width = canvas.clientWidth;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  pen.scale(scale, scale);
  const color = colorsOf(canvas);
  const x = (at: Instant): number => ((at - view.from) / (view.to - view.from)) * width;
  const line = (span: Span, top: number, thickness: number, fill: string): void => {
    const [left, right] = [Math.max(0, x(span.from)), Math.min(width, x(span.to))];
    if (right <= 0 || left >= width) return;
    pen.fillStyle = fill;
    pen.fillRect(left, top, Math.max(2, right - left), thickness);
  };
  const bar = (span: Span, top: number, fill: string): void => line(span, top + 3, LANE_HEIGHT - 6, fill);
  const other = (span: Span, top: number, fill: string): void =>
    line(span, top + (LANE_HEIGHT - OTHER_HEIGHT) / 2, OTHER_HEIGHT, fill);
  drawAxis(pen, { marks: marksOf(view, width / MARK_WIDTH), x, height, color });
  const lanesTop = AXIS_HEIGHT + (strip === undefined ? 0 : STRIP_HEIGHT);
  if (strip !== undefined) {
    for (const cell of strip.cells) drawThumbnail(pen, cell, { x, color, thumbnails: strip.thumbnails });
    // A picture stands for its whole cell: what of it is missing is said on top of it.
    for (const gap of lanes[0]?.known === undefined ? [] : missingIn(lanes[0].known))
      line(gap, AXIS_HEIGHT, STRIP_HEIGHT - 2, color("--bad-ground"));
  }
  for (const [index, { name, known, happenings }] of lanes.entries()) {
    const top = lanesTop + index * LANE_HEIGHT;
    bar(view, top, color("--line"));
    for (const { from, to = Date.now() } of known?.gaps ?? []) bar({ from, to }, top, color("--bad-ground"));
    const isFirst = ({ stream }: Part): boolean => stream === known?.best;
    for (const part of known?.spans ?? []) (isFirst(part) ? bar : other)(part, top, color("--accent"));
    for (const part of known?.fetched ?? []) (isFirst(part) ? bar : other)(part, top, color("--fetched"));
    for (const part of known?.others ?? []) other(part, top, color("--accent"));
    pen.fillStyle = color("--on-accent");
    pen.strokeStyle = color("--accent");
    pen.lineWidth = 3;
    pen.strokeText(name, 6, top + LANE_HEIGHT / 2);
    pen.fillText(name, 6, top + LANE_HEIGHT / 2);
    for (const event of happenings?.events ?? [])
      line(event, top + LANE_HEIGHT - TICK_HEIGHT, TICK_HEIGHT, color("--warn"));
    for (const { kind, from, to } of happenings?.marks ?? [])
      line({ from, to }, top, TICK_HEIGHT, color(kind === "lock" ? "--bad" : "--text"));
  }
  if (pointed !== undefined) {
    pen.fillStyle = color("--text");
    pen.fillRect(x(pointed), 0, 1, height);
  }
  pen.fillStyle = color("--warn");
  pen.fillRect(x(instant) - 1, 0, 2, height);
}

/** The picture of a cell in its middle, as large as it fits. */
function drawThumbnail(
  pen: CanvasRenderingContext2D,
  cell: Cell,
  o: {
    readonly x: (at: Instant) => number;
    readonly color: (name: string) => string;
    readonly thumbnails: Thumbnails | undefined;
  },
): void {
  const [left, right] = [o.x(cell.from) + 1, o.x(cell.to) - 1];
  const height = STRIP_HEIGHT - 2;
  pen.fillStyle = o.color("--ground");
  pen.fillRect(left, AXIS_HEIGHT, right - left, height);
  if (cell.asked === undefined) return;
  const known = o.thumbnails?.of(cell.asked);
  const picture = known !== undefined && "picture" in known ? known.picture : o.thumbnails?.within(cell.from, cell.to);
  if (picture === undefined) return;
  const scale = Math.min((right - left) / picture.width, height / picture.height);
  const [wide, high] = [picture.width * scale, picture.height * scale];
  pen.drawImage(picture, (left + right - wide) / 2, AXIS_HEIGHT + (height - high) / 2, wide, high);
}

function drawAxis(
  pen: CanvasRenderingContext2D,
  o: {
    readonly marks: readonly Mark[];
    readonly x: (at: Instant) => number;
    readonly height: number;
    readonly color: (name: string) => string;
  },
): void {
  pen.font = '12px system-ui, "DejaVu Sans", sans-serif';
  pen.textBaseline = "middle";
  const [first, second] = o.marks;
  const seconds = first !== undefined && second !== undefined && second.at - first.at < 60_000;
  const time = new Intl.DateTimeFormat(undefined, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(seconds ? { second: "2-digit" } : {}),
  });
  const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
  for (const { at, isDay } of o.marks) {
    pen.fillStyle = o.color(isDay ? "--dim" : "--line");
    pen.fillRect(o.x(at), 0, 1, o.height);
    pen.fillStyle = o.color(isDay ? "--text" : "--dim");
    pen.fillText((isDay ? day : time).format(at), o.x(at) + 4, AXIS_HEIGHT / 2);
  }
}

/** Colors of the page, in either scheme. Custom properties are resolved where they are used as a color. */
function colorsOf(canvas: HTMLCanvasElement): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    let found = known.get(name);
    if (found === undefined) {
      canvas.style.color = `var(${name})`;
      found = getComputedStyle(canvas).color;
      canvas.style.color = "";
      known.set(name, found);
    }
    return found;
  };
}
