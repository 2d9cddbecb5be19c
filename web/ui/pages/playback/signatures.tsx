import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { CameraSigner, CameraVerdict } from "../../api.ts";
import { InstantField, localInput } from "../../instant-field.tsx";
import { Dialog, Field, Trouble, useTask } from "../../parts.tsx";
import { lines } from "../../send.ts";
import { signerWords, VERDICT_WORDS } from "../../signature-words.ts";
import { timeWords } from "./instant-words.ts";
import type { Instant, Span } from "./protocol.ts";
import { streamWords } from "./streams.ts";

/** What is compared unless somebody says otherwise: so much before and behind what is shown. */
const AROUND_MS = 5 * 60_000;

interface Stretch {
  /** ISO 8601. */
  readonly from: string;
  readonly to: string;
}

interface Compared {
  readonly type: "compared";
  /** What was there; null: nothing. */
  readonly compared: Stretch | null;
  /** Somebody has said whose cameras are trusted. */
  readonly isAsked: boolean;
  readonly schemes: readonly string[];
  readonly findings: readonly (Stretch & { readonly verdict: CameraVerdict; readonly why?: string })[];
  /** Findings behind these. */
  readonly more: number;
  readonly signers: readonly (CameraSigner & {
    readonly manufacturer?: string;
    readonly serial?: string;
    readonly groups: number;
  })[];
  readonly missing: readonly (Stretch & { readonly reason: string })[];
}

type Line = Compared | { readonly type: "at"; readonly at: string } | { readonly type: "failed"; readonly why: string };

interface SignaturesProps {
  /** `streams`: those of which there is footage. `shown`: the one that is seen now, or was last; undefined where that is not known yet. */
  readonly cameras: readonly {
    readonly id: string;
    readonly name: string;
    readonly streams: readonly string[];
    readonly shown: string | undefined;
  }[];
  readonly range: Span;
  readonly instant: Instant;
  readonly onJump: (instant: Instant) => void;
}

/** What opens {@link Signatures}. */
export function SignaturesBar(props: SignaturesProps): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <div class="bar">
      <p class="hint grow">Cameras that sign their pictures prove that these are as they left the camera.</p>
      <button type="button" onClick={() => setOpen(true)}>
        Camera signature…
      </button>
      {open ? <Signatures {...props} onClose={() => setOpen(false)} /> : null}
    </div>
  );
}

/** Compares a stretch with what its camera signed, when that is asked for, and says what came of it. */
function Signatures(props: SignaturesProps & { readonly onClose: () => void }): JSX.Element {
  const { cameras, range, instant, onJump, onClose } = props;
  const [camera, setCamera] = useState(cameras[0]?.id ?? "");
  // What is played behind the dialog must not change what is asked for in it.
  const [shown] = useState(() => new Map(cameras.map((one) => [one.id, one.shown])));
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  const { streams = [], shown: shownNow } = cameras.find(({ id }) => id === camera) ?? {};
  const stream = chosen ?? shown.get(camera) ?? shownNow;
  const [from, setFrom] = useState(() => localInput(Math.max(range.from, instant - AROUND_MS)));
  const [to, setTo] = useState(() => localInput(Math.min(range.to, instant + AROUND_MS)));
  /** Of the stretch, 0 to 1, while it runs. */
  const [done, setDone] = useState(0);
  const [found, setFound] = useState<Compared | undefined>(undefined);
  const stopping = useRef<AbortController | undefined>(undefined);
  const task = useTask();
  useEffect(() => () => stopping.current?.abort(), []);
  const compare = async (): Promise<void> => {
    const [begin, end] = [new Date(from), new Date(to)];
    const query = new URLSearchParams({ from: begin.toISOString(), to: end.toISOString() });
    if (stream !== undefined) query.set("stream", stream);
    const stopper = new AbortController();
    stopping.current = stopper;
    setFound(undefined);
    setDone(0);
    const path = `/api/cameras/${encodeURIComponent(camera)}/camera-signatures?${query.toString()}`;
    for await (const value of lines(path, stopper.signal)) {
      const line = value as Line;
      if (line.type === "failed") throw new Error(line.why);
      if (line.type === "compared") setFound(line);
      else setDone((Date.parse(line.at) - begin.getTime()) / (end.getTime() - begin.getTime()));
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(() =>
      compare().catch((error: unknown) => {
        if (stopping.current?.signal.aborted !== true) throw error;
      }),
    );
  };
  const stop = (): void => stopping.current?.abort();
  return (
    <Dialog title="Camera signature" onClose={onClose}>
      <form onSubmit={submit}>
        {cameras.length < 2 ? null : (
          <Field label="Camera">
            <select
              value={camera}
              onChange={(event) => {
                setCamera(event.currentTarget.value);
                setChosen(undefined);
              }}
            >
              {cameras.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
        )}
        {streams.length < 2 ? null : (
          <Field label="Stream">
            <select value={stream ?? ""} onChange={(event) => setChosen(event.currentTarget.value)}>
              {streams.map((name) => (
                <option key={name} value={name}>
                  {streamWords(name)}
                </option>
              ))}
            </select>
          </Field>
        )}
        <div class="pair">
          <InstantField label="From" value={from} onInput={setFrom} />
          <InstantField label="To" value={to} onInput={setTo} />
        </div>
        {task.busy ? <progress aria-label="Progress" max={1} value={Math.min(1, done)} /> : null}
        <Trouble text={task.trouble} />
        <div class="compared" aria-live="polite">
          {found === undefined ? null : <Found found={found} onJump={onJump} />}
        </div>
        <footer>
          <button type="button" onClick={task.busy ? stop : onClose}>
            {task.busy ? "Stop" : "Close"}
          </button>
          <button type="submit" class="primary" disabled={task.busy}>
            Compare
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function Found(props: { readonly found: Compared; readonly onJump: (instant: Instant) => void }): JSX.Element {
  const { compared, findings, more, signers, schemes, missing, isAsked } = props.found;
  if (compared === null)
    return (
      <p>
        There is nothing here to compare. What is being recorded can be compared once its file is finished, in a minute
        or two.
      </p>
    );
  if (schemes.length === 0)
    return <p>This camera does not sign its pictures: nothing of this stretch has a signature of it.</p>;
  return (
    <>
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">Signed by the camera</th>
          </tr>
        </thead>
        <tbody>
          {findings.map(({ from, to, verdict, why }) => (
            <tr key={`${from} ${verdict} ${why ?? ""}`}>
              <td>
                <button type="button" class="quiet" onClick={() => props.onJump(Date.parse(from))}>
                  {timeText(from)}
                </button>
              </td>
              <td>{timeText(to)}</td>
              <td>
                <span class={verdict === "ok" ? "done" : verdict === "unknown" || verdict === "unsigned" ? "" : "bad"}>
                  {VERDICT_WORDS[verdict]}
                </span>
                {why === undefined ? null : <small class="line">{why}</small>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more === 0 ? null : <p class="hint">{more} more stretches follow. Choose a shorter stretch to see them.</p>}
      {missing.map(({ from, to, reason }) => (
        <p key={from} class="hint">
          {timeText(from)} to {timeText(to)}: not compared: {reason}.
        </p>
      ))}
      {signers.map((signer) => (
        <p key={signer.fingerprint} class="signer">
          {signer.groups} groups of pictures are signed by {signerWords(signer)}
          {signer.manufacturer === undefined
            ? ""
            : `, which says that it is ${signer.manufacturer} ${signer.serial ?? ""}`}
          .
        </p>
      ))}
      {isAsked || signers.length === 0 ? null : (
        <p class="hint">
          Whoever signed is taken here: anybody can sign for a camera with a key of their own. Compare the names, or
          have the certificates of the cameras' makers put into the settings (recording.cameraCa).
        </p>
      )}
    </>
  );
}

function timeText(at: string): string {
  return timeWords(Date.parse(at));
}
