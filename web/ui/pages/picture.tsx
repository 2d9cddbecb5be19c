import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { LivePlayer, type LiveState } from "../live-player.ts";
import { LiveSound } from "../sound/live-sound.ts";
import { SoundButton } from "../sound/sound-button.tsx";

/** The live picture of one stream of a camera, for as long as it is shown. `sound`: it can be heard, too. */
export function Picture(props: {
  readonly camera: string;
  readonly stream: string;
  readonly sound?: boolean;
}): JSX.Element {
  const { camera, stream } = props;
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const player = useRef<LivePlayer>(undefined);
  const [state, setState] = useState<LiveState>({ at: "connecting" });
  useEffect(() => {
    if (video.current === null || canvas.current === null) return undefined;
    const on = { video: video.current, canvas: canvas.current };
    const made = new LivePlayer(on, camera, stream, setState);
    player.current = made;
    return () => made.close();
  }, [camera, stream]);
  return (
    <div class="picture" data-state={state.at}>
      <video ref={video} muted playsInline aria-label="Live picture" />
      <canvas ref={canvas} width={0} />
      {state.at === "playing" ? <span class="badge">LIVE</span> : null}
      {state.at === "connecting" ? <p>Waiting for the picture…</p> : null}
      {state.at === "stopped" ? <p>{state.why}</p> : null}
      {props.sound === true ? (
        <SoundButton
          of={`${camera} ${stream}`}
          hear={(onTrouble) => new LiveSound(camera, stream, { shownAt: () => player.current?.shownAt, onTrouble })}
        />
      ) : null}
    </div>
  );
}
