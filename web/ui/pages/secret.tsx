import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Account, api, type Use } from "../api.ts";
import { Copyable, Dialog, Field, useTask } from "../parts.tsx";
import { PasswordDialog } from "./passwords.tsx";

/** For how long an old secret may hold beside the new one. */
const OVERLAPS = [
  { hours: 0, words: "Ends at once" },
  { hours: 1, words: "Holds for an hour more" },
  { hours: 24, words: "Holds for a day more" },
  { hours: 168, words: "Holds for a week more" },
] as const;

/** Makes another secret for an external system, and shows it once; says which secret it comes with, and ends the former one. */
export function SecretOf(props: { readonly account: Account; readonly onClose: () => void }): JSX.Element {
  const { account, onClose } = props;
  const [secret, setSecret] = useState<string | undefined>(undefined);
  const [hours, setHours] = useState(0);
  const task = useTask();
  if (secret !== undefined)
    return (
      <Dialog title={`The new secret of ${account.name}`} onClose={onClose}>
        <p>It is shown once. Type it into the external system now.</p>
        <Copyable text={secret} label="secret" />
        <footer>
          <button type="button" class="primary" onClick={onClose}>
            Done
          </button>
        </footer>
      </Dialog>
    );
  const end = (): void =>
    task.run(async () => {
      await api.endFormerSecret(account.id);
      onClose();
    });
  const former = account.secrets?.former;
  return (
    <PasswordDialog
      title={`Another secret for ${account.name}?`}
      verb="Make"
      busy={task.busy}
      trouble={task.trouble}
      onClose={onClose}
      onSubmit={() => task.run(async () => setSecret((await api.renewSecret(account.id, hours)).secret))}
    >
      <p>The present secret was used last: {useWords(account.secrets?.lastUse)}.</p>
      {former == null ? null : (
        <p>
          The former one holds until {new Date(former.until).toLocaleString()}. It was used last:{" "}
          {useWords(former.lastUse)}.{" "}
          <button type="button" class="quiet danger" disabled={task.busy} onClick={end}>
            End it now
          </button>
        </p>
      )}
      <Field label="The present secret">
        <select value={hours} onChange={(event) => setHours(Number(event.currentTarget.value))}>
          {OVERLAPS.map((one) => (
            <option key={one.hours} value={one.hours}>
              {one.words}
            </option>
          ))}
        </select>
      </Field>
      <p>
        {hours === 0
          ? "The system is disconnected at once, and comes back in when the new secret is typed into it."
          : "Either opens the account meanwhile. What was begun with the old one ends with it."}
        {former == null ? null : " The former one ends now."}
      </p>
    </PasswordDialog>
  );
}

function useWords(use: Use | null | undefined): string {
  return use == null ? "never" : `${new Date(use.at).toLocaleString()}, from ${use.address}`;
}
