import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { call } from "../../api.ts";
import { Trouble, useTask } from "../../parts.tsx";
import type { Instant } from "./protocol.ts";
import { type CameraTimeline, missingAt, streamWords } from "./streams.ts";

/** Until the next look how a fetch stands. */
const REFRESH_MS = 2000;
/** The most that is asked for at once. */
const LONGEST_MS = 24 * 3_600_000;

interface Fetch {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly state: "running" | "fetched" | "nothing" | "failed" | "stopped";
  readonly why: string | null;
}

const STATE_WORDS: Readonly<Record<Fetch["state"], string>> = {
  running: "is being fetched from the camera…",
  fetched: "was fetched from the camera's own recording",
  nothing: "the camera has nothing of it",
  failed: "could not be fetched",
  stopped: "was broken off",
};

/** What is missing of a camera at an instant in what is played, and what has it fetched from the camera's own recording. */
export function MissingOf(props: {
  readonly camera: string;
  readonly name: string;
  readonly known: CameraTimeline | undefined;
  readonly instant: Instant;
}): JSX.Element {
  const { camera, name, known, instant } = props;
  const missing = known === undefined ? [] : missingAt(known, instant);
  return (
    <>
      {(known?.streams ?? []).map((stream) => (
        <FetchGap
          key={stream}
          camera={camera}
          stream={stream}
          name={known?.isNamed === true ? `${name}, ${streamWords(stream)}` : name}
          gap={missing.find((gap) => gap.stream === stream)}
          instant={instant}
        />
      ))}
    </>
  );
}

/** The same of one stream. */
function FetchGap(props: {
  readonly camera: string;
  readonly stream: string;
  readonly name: string;
  readonly gap: CameraTimeline["gaps"][number] | undefined;
  readonly instant: Instant;
}): JSX.Element | null {
  const { camera, stream, name, gap, instant } = props;
  const [begun, setBegun] = useState<Fetch | undefined>(undefined);
  // What came of one is said of its own stretch: another gap is missing all the same.
  const fetch = begun?.state === "running" || isWithin(begun, instant) ? begun : undefined;
  const task = useTask();
  const path = `/api/cameras/${encodeURIComponent(camera)}/fetches`;
  useEffect(() => {
    if (fetch?.state !== "running") return undefined;
    const look = async (): Promise<void> => {
      const { fetches } = await call<{ readonly fetches: readonly Fetch[] }>("GET", path);
      setBegun(fetches.find(({ id }) => id === fetch.id));
    };
    const timer = window.setInterval(() => task.run(look), REFRESH_MS);
    return () => window.clearInterval(timer);
  }, [fetch?.id, fetch?.state]);
  if (gap === undefined && fetch === undefined) return null;
  const begin = (): void => {
    if (gap === undefined) return;
    const from = Math.max(gap.from, instant - LONGEST_MS / 2);
    const to = Math.min(gap.to ?? Date.now(), from + LONGEST_MS);
    const stretch = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), stream };
    task.run(async () => setBegun(await call<Fetch>("POST", path, stretch)));
  };
  return (
    <section class="bar" aria-label={`What is missing of ${name}`}>
      <p class="hint grow">
        {name}:{" "}
        {fetch === undefined
          ? `not recorded here: ${gap?.why}.`
          : `${STATE_WORDS[fetch.state]}${fetch.why === null ? "" : `: ${fetch.why}`}.`}
      </p>
      {gap === undefined || fetch?.state === "running" ? null : (
        <button type="button" disabled={task.busy} onClick={begin}>
          Fetch from the camera
        </button>
      )}
      <Trouble text={task.trouble} />
    </section>
  );
}

function isWithin(fetch: Fetch | undefined, instant: Instant): boolean {
  return fetch !== undefined && Date.parse(fetch.from) <= instant && instant < Date.parse(fetch.to);
}
