import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Account, api } from "../api.ts";
import { Dialog, Field, Trouble, useTask } from "../parts.tsx";

const GOOD = "At least 12 characters; a few random words are good.";

/** Changes the password of whoever is logged in. */
export function OwnPassword({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [present, setPresent] = useState("");
  const [next, setNext] = useState("");
  const task = useTask();
  return (
    <PasswordDialog
      title="Change your password"
      verb="Change"
      busy={task.busy}
      trouble={task.trouble}
      onClose={onClose}
      onSubmit={() =>
        task.run(async () => {
          await api.changePassword(present, next);
          onClose();
        })
      }
    >
      <p>You stay logged in here. Everywhere else you are logged out.</p>
      <PasswordField label="Present password" kind="current-password" value={present} onType={setPresent} focused />
      <PasswordField label="New password" hint={GOOD} kind="new-password" value={next} onType={setNext} />
    </PasswordDialog>
  );
}

/** Gives somebody else another password. */
export function PasswordOf(props: {
  readonly account: Account;
  readonly onSet: () => void;
  readonly onClose: () => void;
}): JSX.Element {
  const { account, onSet, onClose } = props;
  const [next, setNext] = useState("");
  const [temporary, setTemporary] = useState(true);
  const task = useTask();
  return (
    <PasswordDialog
      title={`Another password for ${account.name}`}
      verb="Set"
      busy={task.busy}
      trouble={task.trouble}
      onClose={onClose}
      onSubmit={() =>
        task.run(async () => {
          await api.setPassword(account.id, next, temporary);
          onSet();
          onClose();
        })
      }
    >
      <p>{account.name} is logged out everywhere, and logs in with this password from now on.</p>
      <PasswordField
        label="New password"
        hint={`${GOOD} Tell it to them alone.`}
        kind="new-password"
        value={next}
        onType={setNext}
        focused
      />
      <TemporaryPassword checked={temporary} onChange={setTemporary} />
    </PasswordDialog>
  );
}

/** Whether somebody else's password is to be changed first. */
export function TemporaryPassword(props: {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={props.checked}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />{" "}
      They choose another one at the next log-in, and nothing is open to them before
    </label>
  );
}

/** A dialog that asks for something and has it done. */
export function PasswordDialog(props: {
  readonly title: string;
  readonly verb: string;
  readonly busy: boolean;
  readonly trouble: string | undefined;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          props.onSubmit();
        }}
      >
        {props.children}
        <Trouble text={props.trouble} />
        <footer>
          <button type="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={props.busy}>
            {props.verb}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** What whoever comes with a temporary password chooses in its place. */
export function ChosenPassword(props: {
  readonly value: string;
  readonly onType: (text: string) => void;
  readonly focused: boolean;
}): JSX.Element {
  return (
    <>
      <p>Your password was set by somebody else. Choose one of your own: it is asked for from now on.</p>
      <PasswordField label="New password" hint={GOOD} kind="new-password" {...props} />
    </>
  );
}

function PasswordField(props: {
  readonly label: string;
  readonly hint?: string;
  readonly kind: "current-password" | "new-password";
  readonly value: string;
  readonly onType: (text: string) => void;
  readonly focused?: boolean;
}): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  // The browser does so by itself only where a page or a dialog opens.
  useEffect(() => {
    if (props.focused === true) input.current?.focus();
  }, []);
  return (
    <Field label={props.label} {...(props.hint === undefined ? {} : { hint: props.hint })}>
      <input
        ref={input}
        required
        autofocus={props.focused === true}
        type="password"
        autocomplete={props.kind}
        value={props.value}
        onInput={(event) => props.onType(event.currentTarget.value)}
      />
    </Field>
  );
}
