import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, type SentBy } from "../api.ts";
import { Copyable, Dialog, Field, Trouble, useTask } from "../parts.tsx";

/** How people read of the ways in which codes are sent. */
const WAYS = {
  mail: {
    name: "e-mail",
    choice: "e-mail",
    label: "E-mail address",
    hint: {},
    field: { type: "email", autocomplete: "email" },
  },
  sms: {
    name: "SMS",
    choice: "SMS, which is the weakest: whoever can have your number moved to another card has the codes",
    label: "Telephone number",
    hint: { hint: "With the country, as +45 12 34 56 78." },
    field: { type: "tel", autocomplete: "tel" },
  },
} as const;

/** Sets up or removes the second factor of whoever is logged in. */
export function Factor(props: {
  readonly codesLeft: number | undefined;
  readonly codesBy: SentBy | undefined;
  /** By what codes can be sent here. */
  readonly sentBy: readonly SentBy[];
  /** Nothing goes on without one. */
  readonly mustHave: boolean;
  readonly onClose: () => void;
}): JSX.Element {
  const [begun, setBegun] = useState<{ secret: string; uri: string } | undefined>(undefined);
  const [codes, setCodes] = useState<readonly string[] | undefined>(undefined);
  const [to, setTo] = useState("");
  const [by, setBy] = useState<SentBy | undefined>(undefined);
  const [sentTo, setSentTo] = useState<string | undefined>(undefined);
  const [typed, setTyped] = useState("");
  const task = useTask();
  const choose = (way: SentBy | undefined): void => {
    setBy(way);
    setTo("");
  };
  const has = props.codesLeft !== undefined;
  const asksPassword = !has && begun === undefined && sentTo === undefined;
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(async () => {
      if (has) {
        await api.removeFactor(typed);
        props.onClose();
        return;
      }
      if (asksPassword && by !== undefined) setSentTo((await api.beginSentFactor(typed, by, to)).sent.to);
      else if (asksPassword) setBegun(await api.beginFactor(typed));
      else setCodes((await api.confirmFactor(typed)).recoveryCodes);
      setTyped("");
    });
  };
  if (codes !== undefined) return <RecoveryCodes codes={codes} onClose={props.onClose} />;
  return (
    <Dialog title={has ? "Remove the second factor" : "Set up a second factor"} onClose={props.onClose}>
      <form onSubmit={submit}>
        {has ? (
          <p>
            Log-ins ask for a code{" "}
            {props.codesBy === undefined ? "of your authenticator" : `that is sent by ${WAYS[props.codesBy].name}`}.{" "}
            {props.codesLeft} recovery codes are left.{" "}
            {props.mustHave
              ? "You must have a second factor: if you remove this one, you are logged out, and set up another at the next log-in."
              : "Without the second factor the password alone opens the account."}
          </p>
        ) : sentTo !== undefined ? (
          <p>A code was sent to {sentTo}. It is good for five minutes.</p>
        ) : begun === undefined ? (
          <>
            <p>From then on a log-in here asks for a code, besides the password.</p>
            {props.sentBy.length > 0 ? (
              <fieldset>
                <legend>Codes come</legend>
                <label>
                  <input type="radio" name="by" checked={by === undefined} onChange={() => choose(undefined)} /> from an
                  authenticator on your telephone, which is safer
                </label>
                {props.sentBy.map((one) => (
                  <label key={one}>
                    <input type="radio" name="by" checked={by === one} onChange={() => choose(one)} /> by{" "}
                    {WAYS[one].choice}
                  </label>
                ))}
              </fieldset>
            ) : null}
            {by === undefined ? null : (
              <Field key={by} label={WAYS[by].label} {...WAYS[by].hint}>
                <input required {...WAYS[by].field} value={to} onInput={(event) => setTo(event.currentTarget.value)} />
              </Field>
            )}
          </>
        ) : (
          <NewAuthenticator {...begun} />
        )}
        {asksPassword ? (
          <Field label="Your password">
            <input
              required
              autofocus
              type="password"
              autocomplete="current-password"
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </Field>
        ) : (
          <CodeField
            label={has ? "Code, or a recovery code" : sentTo === undefined ? "Code that it shows now" : "Code"}
            value={typed}
            onType={setTyped}
          />
        )}
        {has && props.codesBy !== undefined ? <SendCode /> : null}
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" class={has ? "primary danger" : "primary"} disabled={task.busy}>
            {has ? "Remove" : "Go on"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** Asks for a code, to prove oneself once more. */
export function SendCode(): JSX.Element {
  const [sentTo, setSentTo] = useState<string | undefined>(undefined);
  const task = useTask();
  return (
    <>
      <button
        type="button"
        disabled={task.busy}
        onClick={() => task.run(async () => setSentTo((await api.sendCode()).sent.to))}
      >
        Send a code
      </button>
      {sentTo === undefined ? null : <p>It was sent to {sentTo}.</p>}
      <Trouble text={task.trouble} />
    </>
  );
}

/** What a field for a code of a second factor is called. */
export function codeLabel(by: SentBy | undefined): string {
  return by === undefined
    ? "Code of your authenticator, or a recovery code"
    : `Code that was sent by ${WAYS[by].name}, or a recovery code`;
}

/** How an authenticator is told its secret. */
export function NewAuthenticator(props: { readonly secret: string; readonly uri: string }): JSX.Element {
  return (
    <>
      <p>Type this secret into the authenticator, or open the link on the telephone.</p>
      <Copyable text={props.secret} label="secret" />
      <p>
        <a href={props.uri}>Open in an authenticator</a>
      </p>
    </>
  );
}

/** The recovery codes of a new second factor, which cannot be shown again. */
export function RecoveryCodes(props: { readonly codes: readonly string[]; readonly onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Keep these recovery codes" onClose={props.onClose}>
      <p>Each opens the account once, with the password, when the authenticator is lost. They are shown this once.</p>
      <ul class="codes">
        {props.codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <Copyable text={props.codes.join("\n")} label="recovery codes" />
      <footer>
        <button type="button" class="primary" onClick={props.onClose}>
          I have kept them
        </button>
      </footer>
    </Dialog>
  );
}

/** A field for a code of an authenticator. */
export function CodeField(props: {
  readonly label: string;
  readonly value: string;
  readonly onType: (text: string) => void;
}): JSX.Element {
  return (
    <Field label={props.label}>
      <input
        required
        autofocus
        autocomplete="one-time-code"
        spellcheck={false}
        value={props.value}
        onInput={(event) => props.onType(event.currentTarget.value)}
      />
    </Field>
  );
}
