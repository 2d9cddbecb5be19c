import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Preview } from "./preview.tsx";
import type { Instant, Span } from "./protocol.ts";
import { momentWords } from "./streams.ts";
import { cellsOf, instantOfPicture } from "./strip.ts";
import { moved, zoomed } from "./time-axis.ts";
import { AXIS_HEIGHT, draw, LANE_HEIGHT, type Lane, STRIP_HEIGHT } from "./timeline-drawing.ts";

/** A drag of fewer pixels is a click. */
const CLICK_PIXELS = 4;

/** Pictures are asked for when the view has stood still for so long. */
const SETTLE_MS = 150;

/** Steps of the pointer by keys in the whole width. */
const KEY_STEPS = 60;

/** What is pointed at. */
interface Pointed {
  readonly at: Instant;
  readonly lane: number;
}

/**
 * What is recorded when and what happened then, one lane a camera, with the instant that is shown and small pictures of the first one.
 * Wheel and keys zoom and move it; a click goes there; what is pointed at is shown in small beforehand.
 */
export function Timeline(props: {
  readonly view: Span;
  readonly instant: Instant;
  readonly lanes: readonly Lane[];
  /** Whether small pictures are wanted. */
  readonly pictures: boolean;
  readonly onView: (view: Span) => void;
  readonly onJump: (instant: Instant) => void;
}): JSX.Element {
  const { view, instant, lanes, pictures, onView, onJump } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useRef<{ readonly x: number; readonly view: Span; moved: boolean } | undefined>(undefined);
  const [pointed, setPointed] = useState<Pointed | undefined>(undefined);
  const [width, setWidth] = useState(0);
  const lanesTop = AXIS_HEIGHT + (pictures ? STRIP_HEIGHT : 0);
  const height = lanesTop + Math.max(1, lanes.length) * LANE_HEIGHT;
  const [first] = lanes;
  const cells = pictures ? cellsOf(view, width, first?.known) : [];
  const strip = pictures ? { cells, thumbnails: first?.thumbnails } : undefined;

  // A canvas keeps its dots where a page would be laid out anew, and its colors where the scheme changes.
  const redraw = useRef((): void => undefined);
  redraw.current = () => {
    if (canvas.current === null) return;
    draw(canvas.current, { view, instant, lanes, strip, pointed: pointed?.at, height });
    setWidth(canvas.current.clientWidth);
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

  const pointing = pictures && pointed !== undefined ? lanes[pointed.lane] : undefined;
  const asked = pointed && instantOfPicture(pointed.at, view, pointing?.known);
  const wished = cells.flatMap((cell) => cell.asked ?? []).join();
  useEffect(() => {
    const timer = window.setTimeout(() => {
      for (const lane of lanes) {
        const ofPointer = lane === pointing && asked !== undefined ? [asked] : [];
        const ofStrip = lane === first ? cells.flatMap((cell) => cell.asked ?? []) : [];
        lane.thumbnails?.want([...ofPointer, ...ofStrip]);
      }
    }, SETTLE_MS);
    return () => window.clearTimeout(timer);
  }, [wished, asked, pointing?.thumbnails, first?.thumbnails]);

  const at = (x: number): Instant => view.from + (x / (canvas.current?.clientWidth ?? 1)) * (view.to - view.from);
  const laneAt = (y: number): number =>
    Math.max(0, Math.min(lanes.length - 1, Math.floor((y - lanesTop) / LANE_HEIGHT)));
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

  const point = (steps: number): void => {
    const from = pointed?.at ?? instant;
    const to = from + (steps * (view.to - view.from)) / KEY_STEPS;
    setPointed({ at: Math.max(view.from, Math.min(view.to, to)), lane: pointed?.lane ?? 0 });
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => onJump(instant - 10_000),
    ArrowRight: () => onJump(instant + 10_000),
    "Shift+ArrowLeft": () => point(-1),
    "Shift+ArrowRight": () => point(1),
    Enter: () => onJump(pointed?.at ?? instant),
    Escape: () => setPointed(undefined),
    PageUp: () => onView(moved(view, -(view.to - view.from) / 2)),
    PageDown: () => onView(moved(view, (view.to - view.from) / 2)),
    "+": () => onView(zoomed(view, 0.5, instant)),
    "-": () => onView(zoomed(view, 2, instant)),
  };
  return (
    <div class="timeline-box">
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
        aria-valuetext={[
          new Date(pointed?.at ?? instant).toLocaleString(),
          ...lanes.flatMap((lane) => wordsOf(lane, pointed?.at ?? instant)),
        ].join("; ")}
        onKeyDown={(event) => {
          const act = keys[event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key];
          if (act === undefined) return;
          event.preventDefault();
          act();
        }}
        onBlur={() => setPointed(undefined)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.offsetX, view, moved: false };
        }}
        onPointerMove={(event) => {
          const held = drag.current;
          if (held === undefined) {
            setPointed({ at: at(event.offsetX), lane: laneAt(event.offsetY) });
            return;
          }
          const by = held.x - event.offsetX;
          held.moved ||= Math.abs(by) >= CLICK_PIXELS;
          if (!held.moved) return;
          setPointed(undefined);
          onView(moved(held.view, (by / Math.max(1, width)) * (held.view.to - held.view.from)));
        }}
        onPointerLeave={() => setPointed(undefined)}
        onPointerUp={(event) => {
          if (drag.current?.moved === false) onJump(at(event.offsetX));
          drag.current = undefined;
        }}
        onPointerCancel={() => {
          drag.current = undefined;
          setPointed(undefined);
        }}
      />
      {pointing === undefined || pointed === undefined ? null : (
        <Preview
          lane={pointing}
          instant={pointed.at}
          asked={asked}
          place={(pointed.at - view.from) / (view.to - view.from)}
        />
      )}
    </div>
  );
}

/** `Gate: sub-stream`. */
function wordsOf({ name, known }: Lane, instant: Instant): readonly string[] {
  return known === undefined ? [] : [`${name}: ${momentWords(known, instant)}`];
}
