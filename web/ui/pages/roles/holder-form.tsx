import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Account } from "../../api.ts";
import { Dialog, Trouble, useTask } from "../../parts.tsx";
import { type Policy, policyApi } from "./policy.ts";

/** Which roles an account has. Grants of its own stay. */
export function HolderForm(props: {
  readonly account: Account;
  readonly policy: Policy;
  readonly onClose: (changed: boolean) => void;
}): JSX.Element {
  const { account, policy, onClose } = props;
  const [roles, setRoles] = useState(account.roles);
  const task = useTask();
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(async () => {
      const { grants } = await policyApi.rightsOf(account.id);
      await policyApi.setRights(account.id, { roles, grants });
      onClose(true);
    });
  };
  return (
    <Dialog title={`Roles of ${account.name}`} onClose={() => onClose(false)}>
      <form onSubmit={submit}>
        <fieldset>
          <legend>Roles</legend>
          {policy.role.map(({ id, name }) => (
            <label key={id}>
              <input
                type="checkbox"
                checked={roles.includes(id)}
                onChange={(event) => {
                  const others = roles.filter((one) => one !== id);
                  setRoles(event.currentTarget.checked ? [...others, id] : others);
                }}
              />{" "}
              {name}
            </label>
          ))}
        </fieldset>
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" onClick={() => onClose(false)}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={task.busy}>
            Save
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
