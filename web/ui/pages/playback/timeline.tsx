import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Happenings } from "./happenings.ts";
import type { Instant, Timeline as Known, Span } from "./protocol.ts";
import { type Mark, marksOf, moved, zoomed } from "./time-axis.ts";

/** In CSS pixels. */
const AXIS_HEIGHT = 26;
const LANE_HEIGHT = 22;
const MARK_WIDTH = 90;
/** Of the ticks of events below a lane, and of the lines of bookmarks and locks above it. */
const TICK_HEIGHT = 3;

/** A drag of fewer pixels is a click. */
const CLICK_PIXELS = 4;

/** One camera of the timeline. */
export interface Lane {
  readonly name: string;
  readonly known: Known | undefined;
  readonly happenings: Happenings | undefined;
}

/** What is recorded when and what happened then, one lane a camera, with the instant that is shown. Wheel and keys zoom and move it; a click goes there. */
export function Timeline(props: {
  readonly view: Span;
  readonly instant: Instant;
  readonly lanes: readonly Lane[];
  readonly onView: (view: Span) => void;
  readonly onJump: (instant: Instant) => void;
}): JSX.Element {
  const { view, instant, lanes, onView, onJump } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useRef<{ readonly x: number; readonly view: Span; moved: boolean } | undefined>(undefined);
  const height = AXIS_HEIGHT + Math.max(1, lanes.length) * LANE_HEIGHT;

  // A canvas keeps its dots where a page would be laid out anew, and its colors where the scheme changes.
  const redraw = useRef((): void => undefined);
  redraw.current = () => {
    if (canvas.current !== null) draw(canvas.current, { view, instant, lanes, height });
  };
  useEffect(() => redraw.current());
  useEffect(() => {
    const again = (): void => redraw.current();
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", again);
    window.addEventListener("resize", again);
    return () => {
      dark.removeEventListener("change", again);
      window.removeEventListener("resize", again);
    };
  }, []);

  const at = (x: number): Instant => {
    const width = canvas.current?.clientWidth ?? 1;
    return view.from + (x / width) * (view.to - view.from);
  };
  // Preact listens to wheels passively, and the page would scroll as well.
  const latest = useRef((_event: WheelEvent): void => undefined);
  latest.current = (event) => {
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY))
      onView(moved(view, (event.deltaX / 600) * (view.to - view.from)));
    else onView(zoomed(view, 1.0015 ** event.deltaY, at(event.offsetX)));
  };
  useEffect(() => {
    const turn = (event: WheelEvent): void => latest.current(event);
    canvas.current?.addEventListener("wheel", turn, { passive: false });
    return () => canvas.current?.removeEventListener("wheel", turn);
  }, []);

  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => onJump(instant - 10_000),
    ArrowRight: () => onJump(instant + 10_000),
    PageUp: () => onView(moved(view, -(view.to - view.from) / 2)),
    PageDown: () => onView(moved(view, (view.to - view.from) / 2)),
    "+": () => onView(zoomed(view, 0.5, instant)),
    "-": () => onView(zoomed(view, 2, instant)),
  };
  return (
    <canvas
      ref={canvas}
      class="timeline"
      style={{ height: `${height}px` }}
      tabIndex={0}
      role="slider"
      aria-label="Timeline"
      aria-valuemin={view.from}
      aria-valuemax={view.to}
      aria-valuenow={Math.round(instant)}
      aria-valuetext={new Date(instant).toLocaleString()}
      onKeyDown={(event) => {
        const act = keys[event.key];
        if (act === undefined) return;
        event.preventDefault();
        act();
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { x: event.offsetX, view, moved: false };
      }}
      onPointerMove={(event) => {
        const held = drag.current;
        if (held === undefined) return;
        const by = held.x - event.offsetX;
        held.moved ||= Math.abs(by) >= CLICK_PIXELS;
        const width = canvas.current?.clientWidth ?? 1;
        if (held.moved) onView(moved(held.view, (by / width) * (held.view.to - held.view.from)));
      }}
      onPointerUp={(event) => {
        if (drag.current?.moved === false) onJump(at(event.offsetX));
        drag.current = undefined;
      }}
    />
  );
}

interface Drawing {
  readonly view: Span;
  readonly instant: Instant;
  readonly lanes: readonly Lane[];
  readonly height: number;
}

function draw(canvas: HTMLCanvasElement, { view, instant, lanes, height }: Drawing): void {
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
  drawAxis(pen, { marks: marksOf(view, width / MARK_WIDTH), x, height, color });
  for (const [index, { name, known, happenings }] of lanes.entries()) {
    const top = AXIS_HEIGHT + index * LANE_HEIGHT;
    bar(view, top, color("--line"));
    for (const { from, to = Date.now() } of known?.gaps ?? []) bar({ from, to }, top, color("--bad-ground"));
    for (const span of known?.spans ?? []) bar(span, top, color("--accent"));
    for (const span of known?.fetched ?? []) bar(span, top, color("--fetched"));
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
  pen.fillStyle = color("--warn");
  pen.fillRect(x(instant) - 1, 0, 2, height);
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
