import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, type Camera } from "../../api.ts";
import { Empty, Trouble, wordsOf } from "../../parts.tsx";
import { type Asked, addressOf, askedIn } from "./address.ts";
import { Controls } from "./controls.tsx";
import { Playback as Course, type PlaybackView } from "./course.ts";
import { MissingOf } from "./fetch-gap.tsx";
import { type MarkKind, useHappenings } from "./happenings.ts";
import { Marks } from "./marks.tsx";
import "./playback.css";
import type { Span } from "./protocol.ts";
import { RecordedPicture } from "./recorded-picture.tsx";
import { SignaturesBar } from "./signatures.tsx";
import { StreamChoice } from "./stream-choice.tsx";
import type { CameraTimeline, Choice } from "./streams.ts";
import { showing } from "./time-axis.ts";
import { Timeline } from "./timeline.tsx";

type May = Readonly<Record<MarkKind | "fetch", boolean>>;

/** Pictures side by side. */
const MOST_CAMERAS = 4;
const HOUR_MS = 3_600_000;

/** Recordings of one to four cameras, all at the same instant. The address says which, and when: it can be sent to others. */
export function Playback({ may }: { readonly may: May }): JSX.Element {
  const [cameras, setCameras] = useState<readonly Camera[] | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  useEffect(() => {
    const take = (all: readonly Camera[]): void => setCameras(all.filter(({ mayPlayBack }) => mayPlayBack));
    api.cameras().then(take, (error: unknown) => setTrouble(wordsOf(error)));
  }, []);
  if (trouble !== undefined) return <Trouble text={trouble} />;
  if (cameras === undefined) return <p class="loading">Loading cameras…</p>;
  if (cameras.length === 0)
    return (
      <Empty title="Nothing to play">
        <p>There are no cameras whose recordings your account may play.</p>
      </Empty>
    );
  return <Player cameras={cameras} may={may} />;
}

function Player(props: { readonly cameras: readonly Camera[]; readonly may: May }): JSX.Element {
  const { cameras, may } = props;
  const asked = useMemo(() => askedFor(cameras), []);
  const [chosen, setChosen] = useState<readonly string[]>(asked.cameras);
  const [choices, setChoices] = useState<ReadonlyMap<string, string>>(asked.choices);
  const [range, setRange] = useState<Span>(asked.range);
  const [view, setView] = useState<PlaybackView | undefined>(undefined);
  const [playback, setPlayback] = useState<Course | undefined>(undefined);
  useEffect(() => {
    const made = new Course({ start: asked.at, range: asked.range, onView: setView });
    setPlayback(made);
    return () => made.close();
  }, []);
  const [marked, setMarked] = useState(0);
  const [pictures, setPictures] = useState(true);
  const happenings = useHappenings(chosen, range, marked);
  const { instant = asked.range.to, playing = false } = view ?? {};
  const look = (to: Span): void => {
    setRange(to);
    playback?.look(to);
  };
  useEffect(() => {
    // What is played stays in sight.
    const to = showing(range, instant);
    if (to !== range) look(to);
  }, [instant]);
  useEffect(() => {
    if (!playing) remember(addressOf(chosen, (id) => choices.get(id), instant));
  }, [chosen, choices, playing, playing ? 0 : instant]);

  const toggle = (id: string): void => {
    const without = chosen.filter((one) => one !== id);
    if (without.length < chosen.length) setChosen(without.length === 0 ? chosen : without);
    else if (chosen.length < MOST_CAMERAS) setChosen([...chosen, id]);
  };
  const choose = (id: string, choice: Choice): void => {
    const others = [...choices].filter(([one]) => one !== id);
    setChoices(new Map(choice === undefined ? others : [...others, [id, choice]]));
  };
  const streamsOf = (id: string): readonly string[] =>
    cameras.find((camera) => camera.id === id)?.streams.map(({ name }) => name) ?? [];
  const knownOf = (id: string): CameraTimeline | undefined => view?.timelines.get(id);
  const severalAreRecorded = chosen.some((id) => (knownOf(id)?.streams.length ?? 0) > 1);
  const nameOf = (id: string): string => cameras.find((camera) => camera.id === id)?.name ?? id;
  return (
    <section aria-label="Playback" class="playback">
      <fieldset class="chips">
        <legend>Cameras, up to {MOST_CAMERAS}</legend>
        {cameras.map(({ id, name }) => (
          <button
            key={id}
            type="button"
            aria-pressed={chosen.includes(id)}
            disabled={!chosen.includes(id) && chosen.length >= MOST_CAMERAS}
            onClick={() => toggle(id)}
          >
            {name}
          </button>
        ))}
      </fieldset>
      {playback === undefined ? null : (
        <>
          <div class="players" data-count={chosen.length}>
            {chosen.map((id) => (
              <RecordedPicture
                key={id}
                playback={playback}
                camera={id}
                name={nameOf(id)}
                streams={streamsOf(id)}
                choice={choices.get(id)}
                state={view?.states.get(id)}
                known={knownOf(id)}
                heard={heardOf(
                  cameras.find((camera) => camera.id === id),
                  choices.get(id),
                )}
              />
            ))}
          </div>
          <Controls playback={playback} view={view} />
          <div class="streams">
            {chosen
              .filter((id) => choices.has(id) || (knownOf(id)?.streams.length ?? 0) > 1)
              .map((id) => (
                <StreamChoice
                  key={id}
                  name={nameOf(id)}
                  streams={streamsOf(id)}
                  choice={choices.get(id)}
                  unshowable={[...new Set(knownOf(id)?.unshowable.map(({ stream }) => stream))]}
                  onChoose={(choice) => choose(id, choice)}
                />
              ))}
          </div>
          <Timeline
            view={range}
            instant={instant}
            lanes={chosen.map((id) => ({
              name: nameOf(id),
              known: knownOf(id),
              happenings: happenings.get(id),
              thumbnails: playback.thumbnailsOf(id),
            }))}
            pictures={pictures}
            onView={look}
            onJump={(to) => playback.jump(to)}
          />
          <p class="hint legend">
            <label class="switch">
              <input
                type="checkbox"
                checked={pictures}
                onChange={(event) => setPictures(event.currentTarget.checked)}
              />{" "}
              Thumbnails
            </label>
            <i class="recorded" /> recorded{" "}
            {severalAreRecorded ? (
              <>
                <i class="other" /> by another stream alone{" "}
              </>
            ) : null}
            <i class="fetched" /> from the camera's own recording <i class="gap" /> not recorded <i class="event" />{" "}
            events <i class="bookmark" /> bookmarks <i class="lock" /> locked
          </p>
          <SignaturesBar
            cameras={chosen.map((id) => ({
              id,
              name: nameOf(id),
              streams: knownOf(id)?.streams ?? [],
              shown: knownOf(id) && view?.states.get(id)?.stream,
            }))}
            range={range}
            instant={instant}
            onJump={(to) => playback.jump(to)}
          />
          {may.fetch
            ? chosen.map((id) => (
                <MissingOf key={id} camera={id} name={nameOf(id)} known={knownOf(id)} instant={instant} />
              ))
            : null}
          <Marks
            marks={[...happenings.values()].flatMap(({ marks }) => marks)}
            cameras={chosen.map((id) => ({ id, name: nameOf(id) }))}
            instant={instant}
            may={may}
            onJump={(to) => playback.jump(to)}
            onChange={() => setMarked((count) => count + 1)}
          />
        </>
      )}
    </section>
  );
}

/** The streams that can be heard, of those that are played. */
function heardOf(camera: Camera | undefined, choice: Choice): readonly string[] {
  if (camera?.mayHearRecorded !== true) return [];
  const played = camera.streams.filter(({ name }) => choice === undefined || name === choice);
  return played.filter(({ tracks }) => tracks.some(({ kind }) => kind === "audio")).map(({ name }) => name);
}

function askedFor(cameras: readonly Camera[]): Asked & { readonly range: Span } {
  const asked = askedIn(location.search, cameras, MOST_CAMERAS);
  const to = asked.at === undefined ? Date.now() : asked.at + HOUR_MS / 2;
  return {
    ...asked,
    cameras: asked.cameras.length === 0 ? [cameras[0]?.id ?? ""] : asked.cameras,
    range: { from: to - HOUR_MS, to },
  };
}

function remember(query: string): void {
  if (location.search !== query) history.replaceState(null, "", `${location.pathname}${query}`);
}
