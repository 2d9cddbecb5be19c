import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, type Camera, type Export } from "../api.ts";
import { InstantField, localInput } from "../instant-field.tsx";
import { Copyable, Dialog, Empty, Field, sizeWords, Trouble, useTask, wordsOf } from "../parts.tsx";
import { signerWords, VERDICT_WORDS } from "../signature-words.ts";

/** Until the next look at the list: while one is made, and otherwise. */
const REFRESH_MS = { pending: 1000, settled: 10_000 };
const QUARTER_MS = 15 * 60_000;
const MAIN_STREAM = "main";

const STATE_WORDS: Readonly<Record<Export["state"], string>> = {
  waiting: "waits for its turn",
  running: "is being made",
  ready: "ready",
  failed: "failed",
  cancelled: "cancelled",
};

/** What the account has exported, and what it may still fetch. */
export function Exports(): JSX.Element {
  const [list, setList] = useState<readonly Export[] | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const [asking, setAsking] = useState(false);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let timer: number | undefined;
    let stopped = false;
    const load = async (): Promise<void> => {
      let waitMs = REFRESH_MS.settled;
      try {
        const found = await api.exports();
        if (stopped) return;
        setList(found);
        setTrouble(undefined);
        if (found.some(isPending)) waitMs = REFRESH_MS.pending;
      } catch (error) {
        if (!stopped) setTrouble(wordsOf(error));
      }
      if (!stopped) timer = window.setTimeout(() => void load(), waitMs);
    };
    void load();
    return () => {
      stopped = true;
      window.clearTimeout(timer);
    };
  }, [asked]);
  const end = (one: Export): void => {
    api.endExport(one.id).then(
      () => setAsked((count) => count + 1),
      (error: unknown) => setTrouble(wordsOf(error)),
    );
  };
  return (
    <section aria-label="Exports">
      <div class="bar">
        <p class="hint grow">
          Recordings for somebody without Viaduct: films, signed, with everything to play and to check them.
        </p>
        <button type="button" class="primary" onClick={() => setAsking(true)}>
          Export recordings…
        </button>
      </div>
      <Trouble text={trouble} />
      {list === undefined && trouble === undefined ? <p class="loading">Loading exports…</p> : null}
      {list?.length === 0 ? (
        <Empty title="Nothing is exported">
          <p>Choose cameras and a stretch of time. The file stays here for a while, to be fetched.</p>
        </Empty>
      ) : null}
      {list === undefined || list.length === 0 ? null : <ExportTable list={list} onEnd={end} />}
      {asking ? (
        <NewExport
          onClose={() => {
            setAsking(false);
            setAsked((count) => count + 1);
          }}
        />
      ) : null}
    </section>
  );
}

function ExportTable(props: { readonly list: readonly Export[]; readonly onEnd: (one: Export) => void }): JSX.Element {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Recordings</th>
          <th scope="col">Cameras</th>
          <th scope="col">State</th>
          <th scope="col" />
        </tr>
      </thead>
      <tbody>
        {props.list.map((one) => (
          <tr key={one.id}>
            <td>
              {localWords(one.from)} to {localWords(one.to)}
              {one.reason === "" ? null : <small class="line">{one.reason}</small>}
            </td>
            <td>{one.cameras.map(({ name }) => name).join(", ")}</td>
            <td>
              <State one={one} />
            </td>
            <td class="end">
              {one.state === "ready" ? (
                <a class="button" href={`/api/exports/${one.id}/file`} download>
                  Fetch
                </a>
              ) : null}
              <button type="button" class="quiet danger" onClick={() => props.onEnd(one)}>
                {isPending(one) ? "Cancel" : "Remove"}
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function State({ one }: { readonly one: Export }): JSX.Element {
  const details: string[] = [];
  if (one.state === "ready") {
    details.push(`${sizeWords(one.bytes ?? 0)}, ${one.isProtected ? "encrypted" : "not encrypted"}`);
    if ((one.gaps ?? 0) > 0) details.push(`${one.gaps} stretches are missing: the manifest says why`);
  }
  for (const { camera, verdicts, signers } of one.signatures ?? []) {
    const name = one.cameras.find(({ id }) => id === camera)?.name ?? camera;
    const said = verdicts.map(({ verdict, seconds }) => `${VERDICT_WORDS[verdict]}, ${seconds} s`).join("; ");
    details.push(
      `${name}, signed by the camera: ${said}`,
      ...signers.map((signer) => `signed by ${signerWords(signer)}`),
    );
  }
  if (one.problem !== undefined) details.push(one.problem);
  if (one.goneAt !== undefined && one.state === "ready") details.push(`stays until ${localWords(one.goneAt)}`);
  return (
    <>
      <span class={one.state === "failed" ? "bad" : one.state === "ready" ? "done" : ""}>{STATE_WORDS[one.state]}</span>
      {one.state === "running" ? (
        <progress aria-label="Progress" max={Math.max(1, one.expectedBytes)} value={one.doneBytes} />
      ) : null}
      {details.map((text) => (
        <small key={text} class="line">
          {text}
        </small>
      ))}
    </>
  );
}

function NewExport({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [cameras, setCameras] = useState<readonly Camera[] | undefined>(undefined);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [from, setFrom] = useState(() => localInput(Date.now() - QUARTER_MS));
  const [to, setTo] = useState(() => localInput(Date.now()));
  const [stream, setStream] = useState(MAIN_STREAM);
  const [reason, setReason] = useState("");
  const [sound, setSound] = useState(true);
  const [encrypted, setEncrypted] = useState(true);
  const [made, setMade] = useState<{ password?: string } | undefined>(undefined);
  const task = useTask();
  useEffect(() => {
    task.run(async () => setCameras((await api.cameras()).filter(({ mayExport }) => mayExport)));
  }, []);
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const streams = streamsOf((cameras ?? []).filter(({ id }) => chosen.has(id)));
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(async () =>
      setMade(
        await api.addExport({
          cameras: [...chosen],
          stream: streams.includes(stream) ? stream : MAIN_STREAM,
          from: new Date(from).toISOString(),
          to: new Date(to).toISOString(),
          reason,
          without: sound ? [] : ["audio"],
          encrypted,
        }),
      ),
    );
  };
  if (made !== undefined) return <Asked password={made.password} onClose={onClose} />;
  return (
    <Dialog title="Export recordings" onClose={onClose}>
      <form onSubmit={submit}>
        <fieldset>
          <legend>Cameras</legend>
          {cameras?.length === 0 ? <p>There is no camera that you may export.</p> : null}
          <div class="choices">
            {(cameras ?? []).map((camera) => (
              <label key={camera.id}>
                <input type="checkbox" checked={chosen.has(camera.id)} onChange={() => toggle(camera.id)} />{" "}
                {camera.name}
              </label>
            ))}
          </div>
        </fieldset>
        <div class="pair">
          <InstantField label="From" value={from} onInput={setFrom} />
          <InstantField label="To" value={to} onInput={setTo} />
        </div>
        <small>{`Times of this computer, ${Intl.DateTimeFormat().resolvedOptions().timeZone}. Films begin at the key frame before.`}</small>
        {streams.length < 2 ? null : (
          <Field label="Stream" hint="The main one has the best pictures. Others are there where they are recorded.">
            <select value={stream} onChange={(event) => setStream(event.currentTarget.value)}>
              {streams.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </Field>
        )}
        <Field label="Reason" hint="A case number, for whoever gets it. It stands in the audit log too.">
          <input value={reason} maxLength={1000} onInput={(event) => setReason(event.currentTarget.value)} />
        </Field>
        <label class="check">
          <input type="checkbox" checked={sound} onChange={(event) => setSound(event.currentTarget.checked)} /> With
          sound, where there is some and you may hear it
        </label>
        <label class="check">
          <input type="checkbox" checked={encrypted} onChange={(event) => setEncrypted(event.currentTarget.checked)} />{" "}
          Encrypted, under a password that is shown once
        </label>
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={task.busy || chosen.size === 0}>
            Export
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function Asked(props: { readonly password: string | undefined; readonly onClose: () => void }): JSX.Element {
  return (
    <Dialog title="The export is being made" onClose={props.onClose}>
      {props.password === undefined ? (
        <p>It is not encrypted: whoever has the file can see what is in it.</p>
      ) : (
        <>
          <p>This password is shown once. Send it on another way than the file.</p>
          <dl>
            <dt>Password</dt>
            <dd>
              <Copyable text={props.password} label="password" />
            </dd>
          </dl>
        </>
      )}
      <footer>
        <button type="button" class="primary" onClick={props.onClose}>
          Done
        </button>
      </footer>
    </Dialog>
  );
}

/** Those that all of the cameras have. */
function streamsOf([first, ...others]: readonly Camera[]): readonly string[] {
  const names = first?.streams.map(({ name }) => name) ?? [];
  return names.filter((name) => others.every(({ streams }) => streams.some((one) => one.name === name)));
}

function isPending({ state }: Export): boolean {
  return state === "waiting" || state === "running";
}

function localWords(at: number): string {
  return new Date(at).toLocaleString();
}
