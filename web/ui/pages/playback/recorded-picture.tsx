import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { RecordedSound } from "../../sound/recorded-sound.ts";
import { SoundButton } from "../../sound/sound-button.tsx";
import type { Playback } from "./course.ts";
import type { PlayerState } from "./recorded-player.ts";

/** What one camera recorded at the instant of the page's clock. */
export function RecordedPicture(props: {
  readonly playback: Playback;
  readonly camera: string;
  readonly name: string;
  readonly state: PlayerState | undefined;
  /** It can be heard, too. */
  readonly sound: boolean;
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
      {props.sound ? (
        <SoundButton
          of={camera}
          hear={(onTrouble) => new RecordedSound(camera, { shownAt: () => heardAt(video.current), onTrouble })}
        />
      ) : null}
      <figcaption class="badge">{name}</figcaption>
    </figure>
  );
}

/** Players catch up with their clock by so much. */
const NEARLY = 0.15;

/** When what is seen was captured, which is the time of the media, where it is played as fast as that. */
function heardAt(video: HTMLVideoElement | null): number | undefined {
  if (video === null || video.paused || video.seeking || Math.abs(video.playbackRate - 1) > NEARLY) return undefined;
  return video.currentTime * 1000;
}
