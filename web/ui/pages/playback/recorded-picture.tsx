import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Playback } from "./course.ts";
import type { PlayerState } from "./recorded-player.ts";

/** What one camera recorded at the instant of the page's clock. */
export function RecordedPicture(props: {
  readonly playback: Playback;
  readonly camera: string;
  readonly name: string;
  readonly state: PlayerState | undefined;
}): JSX.Element {
  const { playback, camera, name, state = { at: "connecting" } } = props;
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current === null) return undefined;
    playback.add(camera, video.current);
    return () => playback.remove(camera);
  }, [playback, camera]);
  const words = state.at === "connecting" ? "Reading the recording…" : "why" in state ? state.why : undefined;
  return (
    <figure class="picture" data-camera={camera} data-state={state.at}>
      <video ref={video} muted playsInline aria-label={`Recorded picture of ${name}`} />
      {words === undefined ? null : <p>{words}</p>}
      <figcaption class="badge">{name}</figcaption>
    </figure>
  );
}
