import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Moves } from "../../api.ts";
import { Mover, type Velocity } from "./mover.ts";

type Direction = Velocity & { readonly sign: string; readonly label: string };

const still = { pan: 0, tilt: 0, zoom: 0 };
/** Row by row. */
const TURNS: readonly (Direction | undefined)[] = [
  { ...still, pan: -1, tilt: 1, sign: "↖", label: "Up and left" },
  { ...still, tilt: 1, sign: "↑", label: "Up" },
  { ...still, pan: 1, tilt: 1, sign: "↗", label: "Up and right" },
  { ...still, pan: -1, sign: "←", label: "Left" },
  undefined,
  { ...still, pan: 1, sign: "→", label: "Right" },
  { ...still, pan: -1, tilt: -1, sign: "↙", label: "Down and left" },
  { ...still, tilt: -1, sign: "↓", label: "Down" },
  { ...still, pan: 1, tilt: -1, sign: "↘", label: "Down and right" },
];
const ZOOMS: readonly Direction[] = [
  { ...still, zoom: 1, sign: "+", label: "Zoom in" },
  { ...still, zoom: -1, sign: "−", label: "Zoom out" },
];

/** Keys that are held together add up. Plus is typed with and without Shift. */
const KEYS: Readonly<Record<string, Velocity>> = {
  ArrowLeft: { ...still, pan: -1 },
  ArrowRight: { ...still, pan: 1 },
  ArrowUp: { ...still, tilt: 1 },
  ArrowDown: { ...still, tilt: -1 },
  "+": { ...still, zoom: 1 },
  "=": { ...still, zoom: 1 },
  "-": { ...still, zoom: -1 },
};

/** Buttons that turn and zoom a camera while they are held, by mouse, finger or key. */
export function Pad(props: {
  readonly camera: string;
  readonly moves: Moves;
  /** Told why it does not move; undefined: there is nothing in its way that is known. */
  readonly onTrouble: (why: string | undefined) => void;
}): JSX.Element {
  const { camera, moves } = props;
  const [speed, setSpeed] = useState(5);
  const [mover, setMover] = useState<Mover | undefined>(undefined);
  const held = useRef(new Map<string, Velocity>());
  useEffect(() => {
    const made = new Mover(camera, props.onTrouble);
    setMover(made);
    props.onTrouble(undefined);
    const release = (): void => {
      held.current.clear();
      made.stop();
    };
    // What is let go of elsewhere is not heard of here.
    window.addEventListener("blur", release);
    document.addEventListener("visibilitychange", release);
    return () => {
      window.removeEventListener("blur", release);
      document.removeEventListener("visibilitychange", release);
      made.close();
    };
  }, [camera]);

  const go = (): void => {
    const all = [...held.current.values()];
    const sum = (part: keyof Velocity): number =>
      Math.max(
        -1,
        Math.min(
          1,
          all.reduce((whole, one) => whole + one[part], 0),
        ),
      ) *
      (speed / 10);
    if (all.length === 0) mover?.stop();
    else mover?.move({ pan: sum("pan"), tilt: sum("tilt"), zoom: sum("zoom") });
  };
  const hold = (what: string, velocity: Velocity): void => {
    held.current.set(what, velocity);
    go();
  };
  const release = (what: string): void => {
    if (held.current.delete(what)) go();
  };
  const button = (direction: Direction): JSX.Element => {
    const { sign, label } = direction;
    return (
      <button
        key={label}
        type="button"
        aria-label={label}
        title={label}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          hold(label, direction);
        }}
        onPointerUp={() => release(label)}
        onPointerCancel={() => release(label)}
        onLostPointerCapture={() => release(label)}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={(event) => {
          if ((event.key === " " || event.key === "Enter") && !event.repeat) hold(label, direction);
        }}
        onKeyUp={(event) => {
          if (event.key === " " || event.key === "Enter") release(label);
        }}
        onBlur={() => release(label)}
      >
        {sign}
      </button>
    );
  };
  const canKey = (velocity: Velocity): boolean => (velocity.zoom === 0 ? moves.panTilt : moves.zoom);
  return (
    <div class="pad-box">
      <fieldset
        class="pad"
        aria-label="Turn and zoom"
        onKeyDown={(event) => {
          const velocity = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key];
          if (velocity === undefined || !canKey(velocity)) return;
          event.preventDefault();
          if (!event.repeat) hold(event.code, velocity);
        }}
        onKeyUp={(event) => release(event.code)}
        onFocusOut={(event) => {
          // A press on another button moves the focus, too.
          if (event.currentTarget.contains(event.relatedTarget as Node | null)) return;
          held.current.clear();
          go();
        }}
      >
        {moves.panTilt ? (
          <div class="turns">{TURNS.map((one, index) => (one === undefined ? <i key={index} /> : button(one)))}</div>
        ) : null}
        {moves.zoom ? <div class="zooms">{ZOOMS.map(button)}</div> : null}
      </fieldset>
      <label>
        Speed{" "}
        <input
          type="range"
          min="1"
          max="10"
          value={speed}
          onInput={(event) => setSpeed(Number(event.currentTarget.value))}
        />
      </label>
      <small>Arrow keys, + and − while a button has the focus</small>
    </div>
  );
}
