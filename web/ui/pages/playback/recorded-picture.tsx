import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { RecordedSound } from "../../sound/recorded-sound.ts";
import { SoundButton } from "../../sound/sound-button.tsx";
import type { CameraState } from "./camera-player.ts";
import type { Playback } from "./course.ts";
import { type CameraTimeline, type Choice, streamWords } from "./streams.ts";

/** What one camera recorded at the instant of the page's clock. */
export function RecordedPicture(props: {
  readonly playback: Playback;
  readonly camera: string;
  readonly name: string;
  /** Of the camera, the best one first. */
  readonly streams: readonly string[];
  readonly choice: Choice;
  readonly state: CameraState | undefined;
  readonly known: CameraTimeline | undefined;
  /** Those of the streams that can be heard, too. */
  readonly heard: readonly string[];
}): JSX.Element {
  const { playback, camera, name, streams, choice, state, known } = props;
  const videos = useRef(new Map<string, HTMLVideoElement>());
  useEffect(() => {
    playback.add(camera, new Map(streams.flatMap((stream) => entryOf(videos.current, stream))), choice);
    return () => playback.remove(camera);
  }, [playback, camera, streams.join()]);
  useEffect(() => playback.choose(camera, choice), [playback, camera, choice]);
  const heard = useRef(props.heard);
  heard.current = props.heard;
  const heardNow = (): string | undefined => heard.current.find((stream) => stream === playback.streamOf(camera));
  const shown = state?.stream ?? choice ?? streams[0];
  const words = state === undefined || state.at === "connecting" ? "Reading the recording…" : wordsOf(state);
  const called = known?.isNamed === true && shown !== undefined ? `${name}, ${streamWords(shown)}` : name;
  return (
    <figure class="picture" data-camera={camera} data-state={state?.at ?? "connecting"} data-stream={shown}>
      {streams.map((stream) => (
        <video
          key={stream}
          ref={(element) => {
            if (element === null) videos.current.delete(stream);
            else videos.current.set(stream, element);
          }}
          muted
          playsInline
          aria-label={`Recorded picture of ${called}`}
        />
      ))}
      {words === undefined ? null : <p>{words}</p>}
      {props.heard.length > 0 ? (
        <SoundButton
          of={camera}
          hear={(onTrouble) =>
            new RecordedSound(camera, {
              stream: heardNow,
              shownAt: () => heardAt(videos.current.get(heardNow() ?? "")),
              onTrouble,
            })
          }
        />
      ) : null}
      <figcaption class="badge" aria-live="polite">
        {called}
      </figcaption>
    </figure>
  );
}

function entryOf<T>(all: ReadonlyMap<string, T>, name: string): readonly (readonly [string, T])[] {
  const found = all.get(name);
  return found === undefined ? [] : [[name, found]];
}

function wordsOf(state: CameraState): string | undefined {
  return "why" in state ? state.why : undefined;
}

/** Players catch up with their clock by so much. */
const NEARLY = 0.15;

/** When what is seen was captured, which is the time of the media, where it is played as fast as that. */
function heardAt(video: HTMLVideoElement | undefined): number | undefined {
  if (video === undefined || video.paused || video.seeking || Math.abs(video.playbackRate - 1) > NEARLY)
    return undefined;
  return video.currentTime * 1000;
}
