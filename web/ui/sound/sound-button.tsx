import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { SoundPlayer } from "./sound-player.ts";
import "./sound.css";

/** Switches a camera's sound on and off. Off at first: pages must not begin to speak by themselves. */
export function SoundButton(props: {
  readonly camera: string;
  readonly stream: string;
  readonly shownAt: () => number | undefined;
}): JSX.Element {
  const { camera, stream, shownAt } = props;
  const player = useRef<SoundPlayer>(undefined);
  const [isOn, setOn] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const stop = (): void => {
    player.current?.close();
    player.current = undefined;
    setOn(false);
  };
  useEffect(() => stop, [camera, stream]);
  const start = (): void => {
    setTrouble(undefined);
    const onTrouble = (why: string): void => {
      stop();
      setTrouble(why);
    };
    player.current = new SoundPlayer({ camera, stream, shownAt, onTrouble });
    setOn(true);
  };
  return (
    <div class="sound">
      <span role="alert" hidden={trouble === undefined}>
        {trouble}
      </span>
      <button type="button" aria-pressed={isOn} onClick={isOn ? stop : start}>
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <path d="M3 8v4h3l4 4V4L6 8z" />
          <path class="waves" d={isOn ? "M13 7a4 4 0 0 1 0 6M15.5 4.5a7.5 7.5 0 0 1 0 11" : "M13 8l4 4M17 8l-4 4"} />
        </svg>
        Sound
      </button>
    </div>
  );
}
