import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api.ts";
import { Dialog, Field, Trouble, useTask } from "../parts.tsx";
import { TemporaryPassword } from "./passwords.tsx";
import { type Policy, policyApi } from "./roles/policy.ts";

/** Makes an account for somebody who logs in at the pages. */
export function NewPerson({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [temporary, setTemporary] = useState(true);
  const [roles, setRoles] = useState<Policy["role"]>([]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const task = useTask();
  useEffect(() => {
    task.run(async () => setRoles((await policyApi.all()).role));
  }, []);
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(async () => {
      await api.addPerson({ name, password, roles: [...chosen], temporary });
      onClose();
    });
  };
  return (
    <Dialog title="Add a person" onClose={onClose}>
      <form onSubmit={submit}>
        <Field label="Name">
          <input
            required
            autofocus
            autocomplete="off"
            spellcheck={false}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </Field>
        <Field label="Password" hint="At least 12 characters; a few random words are good. Tell it to them alone.">
          <input
            required
            type="password"
            autocomplete="new-password"
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </Field>
        <TemporaryPassword checked={temporary} onChange={setTemporary} />
        <fieldset>
          <legend>Roles</legend>
          {roles.map((role) => (
            <label key={role.id} class="check">
              <input type="checkbox" checked={chosen.has(role.id)} onChange={() => toggle(role.id)} /> {role.name}
            </label>
          ))}
        </fieldset>
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={task.busy}>
            Add
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
