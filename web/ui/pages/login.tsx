import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { Field, Mark, Trouble, useTask } from "../parts.tsx";
import { CodeField } from "./factor.tsx";

/** Log-in, or the first administrator where there is none yet. */
export function LogIn(props: { readonly setUpNeeded: boolean; readonly onDone: () => void }): JSX.Element {
  const { setUpNeeded } = props;
  const [token, setToken] = useState("");
  const [name, setName] = useState(setUpNeeded ? "admin" : "");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [needsCode, setNeedsCode] = useState(false);
  const task = useTask();
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(async () => {
      const answer = await (setUpNeeded ? api.setUp(token.trim(), name, password) : api.logIn(name, password, code));
      if (answer === undefined || !("needs" in answer)) props.onDone();
      else setNeedsCode(true);
    });
  };
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
        {needsCode ? (
          <CodeField label="Code of your authenticator, or a recovery code" value={code} onType={setCode} />
        ) : null}
        <Trouble text={task.trouble} />
        <button type="submit" class="primary" disabled={task.busy}>
          {task.busy ? "One moment…" : setUpNeeded ? "Create administrator" : "Log in"}
        </button>
      </form>
    </main>
  );
}
