import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type AuditEntry, type AuditQuestion, type AuditState, api } from "../api.ts";
import { Empty, Field, Trouble, useTask } from "../parts.tsx";

/** Who did what: the newest first, filtered, page by page. */
export function Audit(): JSX.Element {
  const [question, setQuestion] = useState<AuditQuestion>({});
  const [entries, setEntries] = useState<readonly AuditEntry[] | undefined>(undefined);
  const [next, setNext] = useState<number | undefined>(undefined);
  const [opened, setOpened] = useState<number | undefined>(undefined);
  const [state, setState] = useState<AuditState | undefined>(undefined);
  const task = useTask();
  const look = (asked: AuditQuestion): void => {
    setQuestion(asked);
    task.run(async () => {
      const found = await api.audit(asked);
      setEntries(found.entries);
      setNext(found.next);
    });
  };
  const more = (): void =>
    task.run(async () => {
      const found = await api.audit({ ...question, before: String(next) });
      setEntries([...(entries ?? []), ...found.entries]);
      setNext(found.next);
    });
  useEffect(() => {
    look({});
    api.auditState().then(setState, () => undefined);
  }, []);
  return (
    <section aria-label="Audit log">
      <Filters busy={task.busy} onAsk={look} />
      <Trouble text={task.trouble ?? stateWords(state)} />
      {entries === undefined ? (
        task.trouble === undefined ? (
          <p class="loading">Reading the audit log…</p>
        ) : null
      ) : entries.length === 0 ? (
        <Empty title="No entries">
          {next === undefined
            ? "Nothing in the audit log is like this. Take a filter away, or look at another time."
            : "Nothing in the newest part of the log is like this. Look further back."}
        </Empty>
      ) : (
        <table class="audit">
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Who</th>
              <th scope="col">Did what</th>
              <th scope="col">Outcome</th>
              <th scope="col">From</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <Row
                key={entry.seq}
                entry={entry}
                open={opened === entry.seq}
                onToggle={() => setOpened(opened === entry.seq ? undefined : entry.seq)}
              />
            ))}
          </tbody>
        </table>
      )}
      {next === undefined ? null : (
        <p class="more">
          <button type="button" disabled={task.busy} onClick={more}>
            {task.busy ? "Reading…" : "Older entries"}
          </button>
        </p>
      )}
    </section>
  );
}

const CHOICES = {
  outcome: ["allowed", "denied", "failed"],
  interface: ["web", "api", "onvif", "rtsp", "cli", "bridge"],
} as const;

function Filters(props: { readonly busy: boolean; readonly onAsk: (question: AuditQuestion) => void }): JSX.Element {
  const [asked, setAsked] = useState<Readonly<Record<string, string>>>({});
  const set = (name: string, value: string): void => setAsked({ ...asked, [name]: value });
  const submit = (event: Event): void => {
    event.preventDefault();
    const { from, to, ...rest } = asked;
    props.onAsk({ ...rest, ...instant("from", from), ...instant("to", to) });
  };
  const text = (name: string, label: string): JSX.Element => (
    <Field label={label}>
      <input spellcheck={false} value={asked[name] ?? ""} onInput={(event) => set(name, event.currentTarget.value)} />
    </Field>
  );
  const choice = (name: keyof typeof CHOICES, label: string): JSX.Element => (
    <Field label={label}>
      <select value={asked[name] ?? ""} onChange={(event) => set(name, event.currentTarget.value)}>
        <option value="">any</option>
        {CHOICES[name].map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    </Field>
  );
  const time = (name: string, label: string): JSX.Element => (
    <Field label={label}>
      <input
        type="datetime-local"
        value={asked[name] ?? ""}
        onInput={(event) => set(name, event.currentTarget.value)}
      />
    </Field>
  );
  return (
    <form class="filters" aria-label="Filters" onSubmit={submit}>
      {text("who", "Account")}
      {text("action", "Action")}
      {text("camera", "Camera")}
      {choice("outcome", "Outcome")}
      {choice("interface", "Interface")}
      {time("from", "From")}
      {time("to", "Before")}
      {text("text", "Any text")}
      <button type="submit" class="primary" disabled={props.busy}>
        Search
      </button>
    </form>
  );
}

function Row(props: {
  readonly entry: AuditEntry;
  readonly open: boolean;
  readonly onToggle: () => void;
}): JSX.Element {
  const { entry, open } = props;
  const what = [...new Set([entry.action, entry.subject, entry.camera])].filter(Boolean).join(" ");
  const times = entry.repeated === undefined ? "" : ` (${entry.repeated} times more)`;
  return (
    <>
      <tr>
        <td class="time">{new Date(entry.time).toLocaleString()}</td>
        <td>{entry.who ?? "the bridge"}</td>
        <td>
          <button type="button" class="quiet what" aria-expanded={open} onClick={props.onToggle}>
            {what}
            {times}
          </button>
        </td>
        <td>{entry.outcome === undefined ? "–" : <span class={`outcome ${entry.outcome}`}>{entry.outcome}</span>}</td>
        <td>{[entry.interface, entry.address].filter(Boolean).join(" ") || "–"}</td>
        <td>{entry.why ?? "–"}</td>
      </tr>
      {open ? (
        <tr>
          <td colSpan={6}>
            <pre>{JSON.stringify(entry, undefined, 2)}</pre>
          </td>
        </tr>
      ) : null}
    </>
  );
}

function stateWords(state: AuditState | undefined): string | undefined {
  if (state === undefined) return undefined;
  const away = state.forwarding.filter(({ connected, why }) => !connected && why !== undefined);
  const words = [
    state.failing ? "The audit log cannot be written: look after the disk of the bridge." : "",
    ...away.map(
      ({ name, why }) => `${name} does not receive the audit log: ${why ?? ""}. What it misses is sent later.`,
    ),
  ].filter(Boolean);
  return words.length === 0 ? undefined : words.join(" ");
}

/** What is typed is in the local time of the browser. */
function instant(name: "from" | "to", local: string | undefined): AuditQuestion {
  return local === undefined || local === "" ? {} : { [name]: new Date(local).toISOString() };
}
