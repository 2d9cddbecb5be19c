import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, type Directory, type DirectoryFinding, type DirectoryPreview, type DirectorySync } from "../api.ts";
import { ago, Dialog, Empty, Field, Trouble, useTask, wordsOf } from "../parts.tsx";

/** How often a sync that is running is looked at. */
const LOOK_MS = 2000;

/** Directories: how they stand, what a sync would change, and doing it. */
export function Directories(): JSX.Element {
  const [directories, setDirectories] = useState<readonly Directory[] | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const load = (): void => {
    api.directories().then(setDirectories, (error: unknown) => setTrouble(wordsOf(error)));
  };
  useEffect(() => {
    load();
    const timer = window.setInterval(load, LOOK_MS);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <section aria-label="Directory">
      <Trouble text={trouble} />
      {directories === undefined ? (
        <p class="loading">Loading directories…</p>
      ) : directories.length === 0 ? (
        <Empty title="No directory is set up">
          <p>
            People of Active Directory or another LDAP directory may log in, with roles by their groups. It is set up in
            the configuration file, under <code>directory</code>; <code>viaduct config example</code> shows how.
          </p>
        </Empty>
      ) : (
        directories.map((directory) => <One key={directory.name} directory={directory} onChange={load} />)
      )}
    </section>
  );
}

type Shown =
  | { readonly what: "preview"; readonly preview: DirectoryPreview }
  | { readonly what: "findings"; readonly findings: readonly DirectoryFinding[] }
  | { readonly what: "history"; readonly history: readonly DirectorySync[] };

function One({ directory, onChange }: { readonly directory: Directory; readonly onChange: () => void }): JSX.Element {
  const { name, running, trouble, held, last, active, out } = directory;
  const [shown, setShown] = useState<Shown | undefined>(undefined);
  const [confirming, setConfirming] = useState(false);
  const task = useTask();
  const preview = async (): Promise<DirectoryPreview> => {
    const found = await api.previewDirectory(name);
    setShown({ what: "preview", preview: found });
    return found;
  };
  const sync = (confirm?: string): void =>
    task.run(async () => {
      await api.syncDirectory(name, confirm);
      setConfirming(false);
      setShown(undefined);
      onChange();
    });
  const busy = task.busy || running;
  return (
    <article class="card directory">
      <div class="title">
        <h2>{name}</h2>
        {busy ? (
          <span class="hint" role="status">
            Asking the directory…
          </span>
        ) : null}
      </div>
      <dl>
        <dt>Servers</dt>
        <dd>
          {directory.servers.join(", ")}
          {directory.encryption === "none" ? <strong class="bad"> without encryption</strong> : null}
        </dd>
        <dt>Accounts</dt>
        <dd>
          {active} in, {out} out
        </dd>
        <dt>Last sync</dt>
        <dd>{last === null ? "none yet" : `${ago(Date.parse(last.at))} ago, ${outcomeWords(last)}`}</dd>
      </dl>
      <Trouble text={task.trouble ?? trouble ?? undefined} />
      {held === null || shown?.what === "preview" ? null : (
        <div class="trouble" role="alert">
          The last sync holds: {held}. Look at the preview, and confirm it where it is meant.
        </div>
      )}
      <div class="bar">
        <button type="button" disabled={busy} onClick={() => task.run(async () => void (await preview()))}>
          Preview
        </button>
        <button type="button" class="primary" disabled={busy} onClick={() => sync()}>
          Sync now
        </button>
        <button
          type="button"
          disabled={busy}
          onClick={() => task.run(async () => setShown({ what: "findings", findings: await api.testDirectory(name) }))}
        >
          Test
        </button>
        <button
          type="button"
          disabled={busy}
          onClick={() => task.run(async () => setShown({ what: "history", history: await api.directoryHistory(name) }))}
        >
          History
        </button>
      </div>
      {shown?.what === "preview" ? (
        <Preview preview={shown.preview} onConfirm={() => setConfirming(true)} />
      ) : shown?.what === "findings" ? (
        <Findings findings={shown.findings} />
      ) : shown?.what === "history" ? (
        <History history={shown.history} />
      ) : null}
      <Explain name={name} />
      {confirming && shown?.what === "preview" ? (
        <Dialog title="Take rights from many accounts?" onClose={() => setConfirming(false)}>
          <p>
            {shown.preview.removals} of {shown.preview.active} accounts lose something, and what they are watching ends.
          </p>
          <Trouble text={task.trouble} />
          <footer>
            <button type="button" onClick={() => setConfirming(false)}>
              Cancel
            </button>
            <button type="button" class="primary danger" disabled={busy} onClick={() => sync(shown.preview.id)}>
              Do it
            </button>
          </footer>
        </Dialog>
      ) : null}
    </article>
  );
}

function Preview(props: { readonly preview: DirectoryPreview; readonly onConfirm: () => void }): JSX.Element {
  const { changes, conflicts, people, held } = props.preview;
  return (
    <>
      {held === null ? null : (
        <div class="trouble">
          A sync would hold: {held}.{" "}
          <button type="button" class="danger" onClick={props.onConfirm}>
            Confirm…
          </button>
        </div>
      )}
      {conflicts.map(({ name, why }) => (
        <p key={name} class="hint">
          {why}
        </p>
      ))}
      {changes.length === 0 ? (
        <p class="hint">Nothing would change: {people} people have a role, and their accounts are as they should be.</p>
      ) : (
        <table aria-label="Preview">
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col">Change</th>
              <th scope="col">Why</th>
              <th scope="col">Gains</th>
              <th scope="col">Loses</th>
              <th scope="col">Ends now</th>
            </tr>
          </thead>
          <tbody>
            {changes.map((change) => (
              <tr key={change.name}>
                <td>{change.name}</td>
                <td class={change.what === "goes" ? "bad" : ""}>{change.what}</td>
                <td>{change.why}</td>
                <td>{change.gains.join(", ") || "–"}</td>
                <td>{change.loses.join(", ") || "–"}</td>
                <td>{change.ends === 0 ? "–" : change.ends}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Findings({ findings }: { readonly findings: readonly DirectoryFinding[] }): JSX.Element {
  return (
    <table aria-label="Test">
      <tbody>
        {findings.map(({ what, result, says, next }) => (
          <tr key={`${what} ${says}`}>
            <td class={result === "fails" ? "bad" : ""}>{result}</td>
            <td>{what}</td>
            <td>
              {says}
              {next === undefined ? null : <small> {next}</small>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function History({ history }: { readonly history: readonly DirectorySync[] }): JSX.Element {
  if (history.length === 0) return <p class="hint">There has been no sync yet.</p>;
  return (
    <table aria-label="History">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">By</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        {history.map((one) => (
          <tr key={one.at}>
            <td>{new Date(one.at).toLocaleString()}</td>
            <td>{one.by}</td>
            <td class={one.outcome === "failed" || one.outcome === "held" ? "bad" : ""}>{outcomeWords(one)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** How somebody comes by their roles. */
function Explain({ name }: { readonly name: string }): JSX.Element {
  const [user, setUser] = useState("");
  const [words, setWords] = useState<readonly string[]>([]);
  const task = useTask();
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(async () => {
      const { found, dn, standing, roles, account } = await api.explainDirectory(name, user);
      if (!found) setWords([`${name} has no ${user} below its base.`]);
      else
        setWords([
          `${dn}: ${standing}`,
          ...(roles.length === 0 ? ["In no group that gives a role."] : []),
          ...roles.map(({ role, path }) => `Role ${role} by ${path.join(" › ")}`),
          account === null
            ? "No account here yet: the next sync makes it."
            : `Account ${account.name}: ${account.out ?? (account.enabled ? "in" : "disabled here")}`,
        ]);
    });
  };
  return (
    <form class="bar" onSubmit={submit}>
      <Field label="Why has somebody a role, or not?">
        <input
          value={user}
          required
          spellcheck={false}
          placeholder="name to log in with"
          onInput={(event) => setUser(event.currentTarget.value)}
        />
      </Field>
      <button type="submit" disabled={task.busy}>
        Explain
      </button>
      <Trouble text={task.trouble} />
      {words.length === 0 ? null : (
        <ul class="plain" aria-label="Explanation">
          {words.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </form>
  );
}

function outcomeWords({ outcome, why, came, went, changed }: DirectorySync): string {
  if (outcome === "nothing") return "nothing to do";
  return why === null ? `${came} came, ${went} went, ${changed} changed` : `${outcome}: ${why}`;
}
