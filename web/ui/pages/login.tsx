import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, type ComputerDoor, type SentTo } from "../api.ts";
import { Field, Mark, Trouble, useTask } from "../parts.tsx";
import type { Approval } from "../second-person.ts";
import { Refusal } from "../send.ts";
import { timeWords } from "../waiting.tsx";
import { CodeField, codeLabel, NewAuthenticator, RecoveryCodes } from "./factor.tsx";
import { ChosenPassword } from "./passwords.tsx";

interface Sending {
  /** Where a code went; nowhere where there is trouble. */
  readonly to: SentTo | undefined;
  readonly trouble: string | undefined;
}

/** How often it is looked whether a log-in is approved. */
const LOOK_MS = 2000;

/** Log-in, or the first administrator where there is none yet. */
export function LogIn(props: {
  readonly setUpNeeded: boolean;
  /** The account of this computer may do instead of name and password. */
  readonly computer: ComputerDoor | undefined;
  readonly onDone: () => void;
}): JSX.Element {
  const { setUpNeeded, computer } = props;
  const [byComputer, setByComputer] = useState(false);
  const [token, setToken] = useState("");
  const [name, setName] = useState(setUpNeeded ? "admin" : "");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [needsCode, setNeedsCode] = useState(false);
  const [next, setNext] = useState("");
  const [needsPassword, setNeedsPassword] = useState(false);
  const [newFactor, setNewFactor] = useState<{ secret: string; uri: string } | undefined>(undefined);
  const [sent, setSent] = useState<Sending | undefined>(undefined);
  const [codes, setCodes] = useState<readonly string[] | undefined>(undefined);
  const [waits, setWaits] = useState<Approval | undefined>(undefined);
  const task = useTask();
  const submit = (event: Event): void => {
    event.preventDefault();
    logIn(code);
  };
  const logIn = (withCode: string, withComputer = byComputer): void =>
    task.run(async () => {
      if (setUpNeeded) {
        await api.setUp(token.trim(), name, password);
        props.onDone();
        return;
      }
      const asked =
        withComputer && computer !== undefined
          ? api.logInByComputer(computer, withCode)
          : api.logIn(name, password, withCode, next);
      const answer = await asked.catch((error: unknown) => {
        // It took too long: the next one, without a code, brings a new secret.
        if (error instanceof Refusal && error.status === 409) {
          setCode("");
          setNeedsCode(false);
          setByComputer(false);
          setNewFactor(undefined);
        }
        throw error;
      });
      if (answer === undefined) props.onDone();
      else if (answer.needs === "approval") await approved(answer.ticket, answer.approval, answer.recoveryCodes);
      else if (answer.needs === undefined) setCodes(answer.recoveryCodes);
      else if (answer.needs === "password") setNeedsPassword(true);
      else {
        setNeedsPassword(answer.newPassword === true);
        setNeedsCode(true);
        setByComputer(withComputer);
        setNewFactor(answer.needs === "factor" ? answer : undefined);
        if (answer.needs === "code" && (answer.sent ?? answer.trouble) !== undefined)
          setSent({ to: answer.sent, trouble: answer.trouble });
      }
    });
  /** Asks until the log-in is approved. */
  const approved = async (ticket: string, approval: Approval, fresh: readonly string[] | undefined): Promise<void> => {
    setWaits(approval);
    setCode("");
    try {
      while ((await api.proceed(ticket)) !== undefined)
        await new Promise((resolve) => window.setTimeout(resolve, LOOK_MS));
    } finally {
      setWaits(undefined);
    }
    if (fresh === undefined) props.onDone();
    else setCodes(fresh);
  };
  if (codes !== undefined) return <RecoveryCodes codes={codes} onClose={props.onDone} />;
  return (
    <main class="log-in">
      <form onSubmit={submit} class="card" aria-label={setUpNeeded ? "Set up Viaduct" : "Log in"}>
        <div class="brand">
          <Mark />
          <h1>Viaduct</h1>
        </div>
        {setUpNeeded ? (
          <>
            <p>There is no administrator yet. The one-time set-up token is in the console where Viaduct was started.</p>
            <Field label="Set-up token">
              <input
                required
                autofocus
                autocomplete="off"
                spellcheck={false}
                value={token}
                onInput={(event) => setToken(event.currentTarget.value)}
              />
            </Field>
          </>
        ) : null}
        {byComputer ? null : (
          <>
            <Field label="Name">
              <input
                required
                autofocus={!setUpNeeded}
                autocomplete="username"
                spellcheck={false}
                value={name}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            </Field>
            <Field
              label="Password"
              {...(setUpNeeded ? { hint: "At least 12 characters; a few random words are good." } : {})}
            >
              <input
                required
                type="password"
                autocomplete={setUpNeeded ? "new-password" : "current-password"}
                value={password}
                onInput={(event) => setPassword(event.currentTarget.value)}
              />
            </Field>
          </>
        )}
        {newFactor === undefined ? null : (
          <>
            <p>You must have a second factor here: an authenticator on your telephone that shows codes.</p>
            <NewAuthenticator {...newFactor} />
          </>
        )}
        {sent === undefined ? null : (
          <p>
            {sent.to === undefined ? null : `A code was sent to ${sent.to.to}. It is good for five minutes. `}
            <button type="button" class="quiet" disabled={task.busy} onClick={() => logIn("")}>
              Send another
            </button>
          </p>
        )}
        <Trouble text={sent?.trouble} />
        {needsCode ? (
          <CodeField
            label={newFactor === undefined ? labelOf(sent) : "Code that it shows now"}
            value={code}
            onType={setCode}
          />
        ) : null}
        {needsPassword ? <ChosenPassword value={next} onType={setNext} focused={!needsCode} /> : null}
        {waits === undefined ? null : (
          <p role="status">
            A second person has to approve this log-in, until {timeWords(waits.until)}. It goes on by itself; keep this
            page open.
          </p>
        )}
        <Trouble text={task.trouble} />
        <button type="submit" class="primary" disabled={task.busy}>
          {task.busy ? "One moment…" : setUpNeeded ? "Create administrator" : "Log in"}
        </button>
        {computer !== undefined && !setUpNeeded && !needsCode && !needsPassword ? (
          <button type="button" disabled={task.busy} onClick={() => logIn("", true)}>
            Log in with this computer's account
          </button>
        ) : null}
      </form>
    </main>
  );
}

/** `sent`: undefined where no codes are. */
function labelOf(sent: Sending | undefined): string {
  if (sent !== undefined && sent.to === undefined) return "Code that was sent, or a recovery code";
  return codeLabel(sent?.to?.by);
}
