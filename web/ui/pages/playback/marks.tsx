import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Dialog, Field, Removal, Trouble, useTask } from "../../parts.tsx";
import { type Mark, type MarkKind, removeMark, setMark } from "./happenings.ts";
import type { Instant } from "./protocol.ts";

/** How long a new mark is, unless somebody says otherwise: what is seen has mostly begun a moment ago. */
const BEFORE_MS = 10_000;
const LENGTH_SECONDS = 60;

/** The bookmarks and locks in what is looked at, and what makes new ones. */
export function Marks(props: {
  readonly marks: readonly Mark[];
  readonly cameras: readonly { readonly id: string; readonly name: string }[];
  readonly instant: Instant;
  readonly may: Readonly<Record<MarkKind, boolean>>;
  readonly onJump: (instant: Instant) => void;
  readonly onChange: () => void;
}): JSX.Element | null {
  const { marks, cameras, may, onJump, onChange } = props;
  const [adding, setAdding] = useState<{ readonly kind: MarkKind; readonly at: Instant } | undefined>(undefined);
  const [removing, setRemoving] = useState<Mark | undefined>(undefined);
  const nameOf = (id: string): string => cameras.find((camera) => camera.id === id)?.name ?? id;
  const done = (): void => {
    setAdding(undefined);
    setRemoving(undefined);
    onChange();
  };
  if (marks.length === 0 && !may.bookmark && !may.lock) return null;
  return (
    <section aria-label="Bookmarks and locks">
      <div class="bar">
        <p class="hint grow">
          {marks.length === 0
            ? "No bookmarks here. A bookmark says what there is to see; a lock keeps footage from being deleted."
            : "Bookmarks and locks in this stretch."}
        </p>
        {may.bookmark ? (
          <button type="button" onClick={() => setAdding({ kind: "bookmark", at: props.instant })}>
            Bookmark…
          </button>
        ) : null}
        {may.lock ? (
          <button type="button" onClick={() => setAdding({ kind: "lock", at: props.instant })}>
            Lock…
          </button>
        ) : null}
      </div>
      {marks.length === 0 ? null : (
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">To</th>
              <th scope="col">Camera</th>
              <th scope="col">What</th>
              <th scope="col">By</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {marks
              .toSorted((a, b) => a.from - b.from)
              .map((mark) => (
                <tr key={mark.id}>
                  <td>
                    <button type="button" class="quiet" onClick={() => onJump(mark.from)}>
                      {new Date(mark.from).toLocaleString()}
                    </button>
                  </td>
                  <td>{new Date(mark.to).toLocaleString()}</td>
                  <td>{nameOf(mark.camera)}</td>
                  <td>
                    {mark.kind === "lock" ? <span class="badge">locked</span> : null} {mark.text}
                  </td>
                  <td>{mark.who}</td>
                  <td class="end">
                    {may[mark.kind] ? (
                      <button type="button" class="quiet danger" onClick={() => setRemoving(mark)}>
                        {mark.kind === "lock" ? "Unlock…" : "Remove…"}
                      </button>
                    ) : null}
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      )}
      {adding === undefined ? null : <NewMark {...adding} cameras={cameras} onClose={done} />}
      {removing === undefined ? null : (
        <Removal
          title={removing.kind === "lock" ? "Unlock this footage?" : "Remove this bookmark?"}
          verb="Remove"
          onRemove={() => removeMark(removing)}
          onClose={done}
        >
          {removing.kind === "lock"
            ? `“${removing.text}”: it is deleted with its age from then on, as all other footage of ${nameOf(removing.camera)}.`
            : `“${removing.text}”: the footage itself stays.`}
        </Removal>
      )}
    </section>
  );
}

function NewMark(props: {
  readonly kind: MarkKind;
  readonly at: Instant;
  readonly cameras: readonly { readonly id: string; readonly name: string }[];
  readonly onClose: () => void;
}): JSX.Element {
  const { kind, at, cameras, onClose } = props;
  const [camera, setCamera] = useState(cameras[0]?.id ?? "");
  const [from, setFrom] = useState(localOf(at - BEFORE_MS));
  const [seconds, setSeconds] = useState(String(LENGTH_SECONDS));
  const [text, setText] = useState("");
  const task = useTask();
  const submit = (event: Event): void => {
    event.preventDefault();
    const begin = new Date(from).getTime();
    // What is still to come cannot be marked; what lasts until now can.
    const to = Math.max(begin, Math.min(begin + Number(seconds) * 1000, Date.now()));
    task.run(async () => {
      await setMark({ kind, camera, from: begin, to, text });
      onClose();
    });
  };
  return (
    <Dialog title={kind === "lock" ? "Lock footage against deletion" : "Bookmark"} onClose={onClose}>
      <form onSubmit={submit}>
        {cameras.length < 2 ? null : (
          <Field label="Camera">
            <select value={camera} onChange={(event) => setCamera(event.currentTarget.value)}>
              {cameras.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
        )}
        <Field label="From">
          <input
            required
            type="datetime-local"
            step="1"
            value={from}
            onInput={(event) => setFrom(event.currentTarget.value)}
          />
        </Field>
        <Field label="Seconds">
          <input
            required
            type="number"
            min="0"
            max="86400"
            value={seconds}
            onInput={(event) => setSeconds(event.currentTarget.value)}
          />
        </Field>
        <Field label={kind === "lock" ? "Reason" : "What is to be seen"}>
          <input
            required
            autofocus
            maxLength={500}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </Field>
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={task.busy}>
            {kind === "lock" ? "Lock" : "Bookmark"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** As a field for local time has it. */
function localOf(at: Instant): string {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
