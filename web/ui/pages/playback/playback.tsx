import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, type Camera } from "../../api.ts";
import { Empty, Trouble, wordsOf } from "../../parts.tsx";
import { Controls } from "./controls.tsx";
import { Playback as Course, type PlaybackView } from "./course.ts";
import { FetchGap } from "./fetch-gap.tsx";
import { type MarkKind, useHappenings } from "./happenings.ts";
import { Marks } from "./marks.tsx";
import "./playback.css";
import type { Span } from "./protocol.ts";
import { RecordedPicture } from "./recorded-picture.tsx";
import { SignaturesBar } from "./signatures.tsx";
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
  const [range, setRange] = useState<Span>(asked.range);
  const [view, setView] = useState<PlaybackView | undefined>(undefined);
  const [playback, setPlayback] = useState<Course | undefined>(undefined);
  useEffect(() => {
    const made = new Course({ start: asked.start, range: asked.range, onView: setView });
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
    if (!playing) remember(chosen, instant);
  }, [chosen, playing, playing ? 0 : instant]);

  const toggle = (id: string): void => {
    const without = chosen.filter((one) => one !== id);
    if (without.length < chosen.length) setChosen(without.length === 0 ? chosen : without);
    else if (chosen.length < MOST_CAMERAS) setChosen([...chosen, id]);
  };
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
                state={view?.states.get(id)}
                sound={isHeard(cameras.find((camera) => camera.id === id))}
              />
            ))}
          </div>
          <Controls playback={playback} view={view} />
          <Timeline
            view={range}
            instant={instant}
            lanes={chosen.map((id) => ({
              name: nameOf(id),
              known: view?.timelines.get(id),
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
            <i class="recorded" /> recorded <i class="fetched" /> from the camera's own recording <i class="gap" /> not
            recorded <i class="event" /> events <i class="bookmark" /> bookmarks <i class="lock" /> locked
          </p>
          <SignaturesBar
            cameras={chosen.map((id) => ({ id, name: nameOf(id), stream: view?.timelines.get(id)?.stream }))}
            range={range}
            instant={instant}
            onJump={(to) => playback.jump(to)}
          />
          {may.fetch
            ? chosen.map((id) => (
                <FetchGap key={id} camera={id} name={nameOf(id)} known={view?.timelines.get(id)} instant={instant} />
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

function isHeard(camera: Camera | undefined): boolean {
  return camera?.mayHearRecorded === true && camera.streams[0].tracks.some(({ kind }) => kind === "audio");
}

/** What the address says: `?camera=gate,yard&at=2026-11-24T10:00:00.000Z`. */
function askedFor(cameras: readonly Camera[]): {
  readonly cameras: readonly string[];
  readonly start: number | undefined;
  readonly range: Span;
} {
  const query = new URLSearchParams(location.search);
  const known = (query.get("camera") ?? "").split(",").filter((id) => cameras.some((camera) => camera.id === id));
  const at = Date.parse(query.get("at") ?? "");
  const start = Number.isNaN(at) ? undefined : at;
  const to = start === undefined ? Date.now() : start + HOUR_MS / 2;
  const first = cameras[0]?.id ?? "";
  return {
    cameras: known.length === 0 ? [first] : known.slice(0, MOST_CAMERAS),
    start,
    range: { from: to - HOUR_MS, to },
  };
}

function remember(cameras: readonly string[], instant: number): void {
  const query = `?camera=${cameras.join(",")}&at=${new Date(instant).toISOString()}`;
  if (location.search !== query) history.replaceState(null, "", `${location.pathname}${query}`);
}
