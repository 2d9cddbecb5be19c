import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Account, api, type Camera, type Which } from "../api.ts";
import { Copyable, Dialog, Field, Removal, Trouble, useTask, wordsOf } from "../parts.tsx";
import { ArmedState, ArmingOf } from "./arming.tsx";
import { NewPerson } from "./new-person.tsx";
import { PasswordOf } from "./passwords.tsx";
import { SecretOf } from "./secret.tsx";
import { Tokens } from "./tokens.tsx";

/** Accounts of people and of external systems. `own`: the name of whoever is logged in. */
export function Accounts(props: { readonly own: string }): JSX.Element {
  const [accounts, setAccounts] = useState<readonly Account[] | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const [adding, setAdding] = useState(false);
  const [addingPerson, setAddingPerson] = useState(false);
  const [tokensOf, setTokensOf] = useState<Account | undefined>(undefined);
  const [renewing, setRenewing] = useState<Account | undefined>(undefined);
  const [arming, setArming] = useState<Account | undefined>(undefined);
  const [removing, setRemoving] = useState<Account | undefined>(undefined);
  const load = (): void => {
    api.accounts().then(setAccounts, (error: unknown) => setTrouble(wordsOf(error)));
  };
  useEffect(load, []);
  const change = (work: Promise<void>): void => {
    work.then(load, (error: unknown) => setTrouble(wordsOf(error)));
  };
  const renew = (account: Account): void => {
    setRenewing(account);
    // When its secrets were used last, and whether there is a former one, changes while the page is open.
    load();
  };
  return (
    <section aria-label="Accounts">
      <div class="bar">
        <p class="hint grow">
          External systems log in over ONVIF and RTSP with an account of their own. Its secret is made here and shown
          once. People log in at the pages, with rights by their roles. The table tells with which cameras each account
          may do what at this moment.
        </p>
        <button type="button" onClick={() => setAddingPerson(true)}>
          Add a person…
        </button>
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          Add an external system…
        </button>
      </div>
      <Trouble text={trouble} />
      {accounts === undefined ? (
        <p class="loading">Loading accounts…</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Kind</th>
              <th scope="col">Roles</th>
              <th scope="col">Live</th>
              <th scope="col">Recorded</th>
              <th scope="col">Sound</th>
              <th scope="col">Metadata</th>
              <th scope="col">Talk</th>
              <th scope="col">Besides</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {accounts.map((account) => (
              <tr key={account.id} class={account.enabled && !account.directory?.out ? "" : "off"}>
                <td>{account.name}</td>
                <td>
                  {account.kind === "person" ? "person" : "external system"}
                  {account.directory === null ? null : <small> by {account.directory.name}</small>}
                  {account.temporaryPassword ? <small> temporary password</small> : null}
                  {account.secondFactor === null ? null : <small> second factor {account.secondFactor}</small>}
                  {account.arming === null ? null : (
                    <small class="state">
                      <ArmedState arming={account.arming} onOver={load} />
                    </small>
                  )}
                </td>
                <td>{[...account.roles, ...(account.directory?.roles ?? [])].join(", ") || "–"}</td>
                <td>{whichWords(account.effective.live)}</td>
                <td>{whichWords(account.effective.playback)}</td>
                <td>{whichWords(account.effective.audio)}</td>
                <td>{whichWords(account.effective.metadata)}</td>
                <td>{whichWords(account.effective.talk)}</td>
                <td>{besidesWords(account)}</td>
                <td class="end many">
                  {account.kind === "person" ? null : (
                    <>
                      <button type="button" class="quiet" onClick={() => setArming(account)}>
                        Arm…
                      </button>
                      <button type="button" class="quiet" onClick={() => setTokensOf(account)}>
                        Tokens…
                      </button>
                    </>
                  )}
                  {account.name === props.own || (account.directory !== null && account.kind === "person") ? null : (
                    <>
                      <button type="button" class="quiet" onClick={() => renew(account)}>
                        {account.kind === "person" ? "Password…" : "Secret…"}
                      </button>
                      <button
                        type="button"
                        class="quiet"
                        onClick={() => change(api.changeAccount(account.id, { enabled: !account.enabled }))}
                      >
                        {account.enabled ? "Disable" : "Enable"}
                      </button>
                      <button type="button" class="quiet danger" onClick={() => setRemoving(account)}>
                        Delete…
                      </button>
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {tokensOf === undefined ? null : (
        <Tokens
          title={`Tokens of ${tokensOf.name}`}
          account={tokensOf.id}
          codesBy={undefined}
          proves="nothing"
          onClose={() => setTokensOf(undefined)}
        />
      )}
      {renewing === undefined ? null : renewing.kind === "person" ? (
        <PasswordOf account={renewing} onSet={load} onClose={() => setRenewing(undefined)} />
      ) : (
        <SecretOf
          account={accounts?.find(({ id }) => id === renewing.id) ?? renewing}
          onClose={() => setRenewing(undefined)}
        />
      )}
      {arming === undefined ? null : (
        <ArmingOf
          account={accounts?.find(({ id }) => id === arming.id) ?? arming}
          onChange={load}
          onClose={() => setArming(undefined)}
        />
      )}
      {removing === undefined ? null : (
        <Removal
          title={`Delete ${removing.name}?`}
          verb="Delete"
          onRemove={() => api.removeAccount(removing.id)}
          onClose={() => {
            setRemoving(undefined);
            load();
          }}
        >
          {removing.kind === "person"
            ? "They are logged out and can no longer log in. What they did stays in the audit log."
            : "It is disconnected and can no longer log in. A new account of that name has another secret."}
        </Removal>
      )}
      {addingPerson ? (
        <NewPerson
          onClose={() => {
            setAddingPerson(false);
            load();
          }}
        />
      ) : null}
      {adding ? (
        <NewIntegration
          people={(accounts ?? []).filter(({ kind, directory }) => kind === "person" && directory !== null)}
          onClose={() => {
            setAdding(false);
            load();
          }}
        />
      ) : null}
    </section>
  );
}

function whichWords(which: Which): string {
  if (which === "any") return "all";
  return which.length === 0 ? "–" : which.join(", ");
}

/** Rights without a column of their own, and that some have limits. */
function besidesWords({ roles, others, narrowed }: Account): string {
  const rights = roles.includes("administrator") ? "everything" : others.join(", ");
  return [rights, narrowed ? "with limits" : ""].filter(Boolean).join("; ") || "–";
}

function NewIntegration(props: {
  /** Those of directories. */
  readonly people: readonly Account[];
  readonly onClose: () => void;
}): JSX.Element {
  const { people, onClose } = props;
  const [name, setName] = useState("");
  const [person, setPerson] = useState("");
  const [all, setAll] = useState(true);
  const [playback, setPlayback] = useState(true);
  const [audio, setAudio] = useState(true);
  const [metadata, setMetadata] = useState(false);
  const [talk, setTalk] = useState(false);
  const [onlyWhileArmed, setOnlyWhileArmed] = useState(false);
  const [cameras, setCameras] = useState<readonly Camera[]>([]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [made, setMade] = useState<{ name: string; secret: string } | undefined>(undefined);
  const task = useTask();
  useEffect(() => {
    api.cameras().then(setCameras, () => undefined);
  }, []);
  const submit = (event: Event): void => {
    event.preventDefault();
    const which: Which = all ? "any" : [...chosen];
    const where = (chosenToo: boolean): Which => (chosenToo ? which : []);
    task.run(async () =>
      setMade(
        await api.addIntegration(
          name,
          {
            live: which,
            playback: where(playback),
            audio: where(audio),
            metadata: where(metadata),
            talk: where(talk),
          },
          onlyWhileArmed,
          people.find((one) => one.name === person)?.id,
        ),
      ),
    );
  };
  const unknown = person !== "" && people.every((one) => one.name !== person);
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  if (made !== undefined)
    return (
      <Dialog title={`${made.name} may log in${onlyWhileArmed ? " while it is armed" : ""}`} onClose={onClose}>
        <p>This secret is shown once. Type it into the external system now, with the name below.</p>
        <dl>
          <dt>Name</dt>
          <dd>
            <Copyable text={made.name} label="name" />
          </dd>
          <dt>Secret</dt>
          <dd>
            <Copyable text={made.secret} label="secret" />
          </dd>
        </dl>
        <footer>
          <button type="button" class="primary" onClick={onClose}>
            Done
          </button>
        </footer>
      </Dialog>
    );
  return (
    <Dialog title="Add an external system" onClose={onClose}>
      <form onSubmit={submit}>
        <Field label="Name" hint="The user name that the system logs in with.">
          <input
            required
            autofocus
            value={name}
            spellcheck={false}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </Field>
        {people.length === 0 ? null : (
          <Field
            label="Person of a directory"
            hint="If given: it has the roles of their groups besides what is chosen here, and is out when they are."
          >
            <input
              list="people"
              value={person}
              spellcheck={false}
              onInput={(event) => setPerson(event.currentTarget.value)}
            />
            <datalist id="people">
              {people.map((one) => (
                <option key={one.id} value={one.name} />
              ))}
            </datalist>
          </Field>
        )}
        <fieldset>
          <legend>Cameras</legend>
          <label>
            <input type="radio" name="which" checked={all} onChange={() => setAll(true)} /> All, also those that come
            later
          </label>
          <label>
            <input type="radio" name="which" checked={!all} onChange={() => setAll(false)} /> Only these
          </label>
          {all ? null : (
            <div class="choices">
              {cameras.map((camera) => (
                <label key={camera.id}>
                  <input type="checkbox" checked={chosen.has(camera.id)} onChange={() => toggle(camera.id)} />{" "}
                  {camera.name}
                </label>
              ))}
            </div>
          )}
        </fieldset>
        <label class="check">
          <input type="checkbox" checked={playback} onChange={(event) => setPlayback(event.currentTarget.checked)} />{" "}
          Recorded video too
        </label>
        <label class="check">
          <input type="checkbox" checked={audio} onChange={(event) => setAudio(event.currentTarget.checked)} /> Sound
          with the picture
        </label>
        <label class="check">
          <input type="checkbox" checked={metadata} onChange={(event) => setMetadata(event.currentTarget.checked)} />{" "}
          Metadata: what cameras report besides their picture, and whether they are there
        </label>
        <label class="check">
          <input type="checkbox" checked={talk} onChange={(event) => setTalk(event.currentTarget.checked)} /> Talk
          through cameras that have a speaker
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={onlyWhileArmed}
            onChange={(event) => setOnlyWhileArmed(event.currentTarget.checked)}
          />{" "}
          Let it in only while somebody has armed it
        </label>
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            class="primary"
            disabled={task.busy || unknown || (!all && chosen.size === 0 && person === "")}
          >
            Create
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
