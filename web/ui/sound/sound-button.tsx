import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import "./sound.css";

/** Something that is heard until it is closed. */
export interface Heard {
  close(): void;
}

/** Switches sound on and off. Off at first: pages must not begin to speak by themselves. `of`: where another begins, this one ends. */
export function SoundButton(props: {
  readonly of: string;
  /** `onTrouble`: it has ended, for this reason. */
  readonly hear: (onTrouble: (why: string) => void) => Heard;
}): JSX.Element {
  const heard = useRef<Heard>(undefined);
  const [isOn, setOn] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const stop = (): void => {
    heard.current?.close();
    heard.current = undefined;
    setOn(false);
  };
  useEffect(() => stop, [props.of]);
  const start = (): void => {
    setTrouble(undefined);
    heard.current = props.hear((why) => {
      stop();
      setTrouble(why);
    });
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
