import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Dialog, Field, Trouble, useTask } from "../../parts.tsx";
import { Refusal } from "../../send.ts";
import { GrantForm } from "./grant-form.tsx";
import { type Group, type Hours, type Kind, policyApi, type Role } from "./policy.ts";
import type { Names } from "./words.ts";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const OFFICE = { days: [1, 2, 3, 4, 5], from: "08:00", to: "17:00" };

interface FormProps<T> {
  readonly names: Names;
  /** What is changed; absent for a new one. */
  readonly before: T | undefined;
  readonly onClose: (changed: boolean) => void;
}

/** A role: a name and its grants. */
export function RoleForm({ names, before, onClose }: FormProps<Role>): JSX.Element {
  const [role, setRole] = useState<Role>(before ?? { id: "", name: "", grants: [] });
  const put = (index: number, ...grants: Role["grants"]): void =>
    setRole({ ...role, grants: role.grants.toSpliced(index, 1, ...grants) });
  return (
    <PartForm
      kind="role"
      title="role"
      part={role}
      names={names}
      isNew={before === undefined}
      onChange={setRole}
      onClose={onClose}
    >
      <label class="check">
        <input
          type="checkbox"
          checked={role.secondFactor === true}
          onChange={(event) => {
            const { id, name, grants } = role;
            setRole({ id, name, grants, ...(event.currentTarget.checked ? { secondFactor: true } : {}) });
          }}
        />{" "}
        People with it must have a second factor
      </label>
      {role.grants.map((grant, index) => (
        <GrantForm
          key={index}
          grant={grant}
          names={names}
          onChange={(changed) => put(index, changed)}
          onRemove={() => put(index)}
        />
      ))}
      <button
        type="button"
        onClick={() => put(role.grants.length, { right: "live", cameras: "any", interfaces: "any" })}
      >
        Add a grant
      </button>
    </PartForm>
  );
}

/** A camera group: its cameras, and the group that it is in. */
export function GroupForm({ names, before, onClose }: FormProps<Group>): JSX.Element {
  const [group, setGroup] = useState<Group>(before ?? { id: "", name: "", cameras: [] });
  const { parent, ...without } = group;
  return (
    <PartForm
      kind="group"
      title="camera group"
      part={group}
      names={names}
      isNew={before === undefined}
      onChange={setGroup}
      onClose={onClose}
    >
      <fieldset>
        <legend>Cameras</legend>
        {names.cameras.size === 0 ? <span class="hint">There are no cameras yet.</span> : null}
        {[...names.cameras].map(([id, name]) => (
          <label key={id}>
            <input
              type="checkbox"
              checked={group.cameras.includes(id)}
              onChange={(event) => {
                const others = group.cameras.filter((one) => one !== id);
                setGroup({ ...group, cameras: event.currentTarget.checked ? [...others, id] : others });
              }}
            />{" "}
            {name}
          </label>
        ))}
      </fieldset>
      <Field label="In the group" hint="What is granted on that one holds here too.">
        <select
          value={parent ?? ""}
          onChange={(event) => {
            const { value } = event.currentTarget;
            setGroup(value === "" ? without : { ...without, parent: value });
          }}
        >
          <option value="">none</option>
          {names.policy.group
            .filter(({ id }) => id !== group.id)
            .map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
        </select>
      </Field>
    </PartForm>
  );
}

/** A time profile: hours of the week in a time zone. Other days stay as they are; the shell and the API set them. */
export function HoursForm({ names, before, onClose }: FormProps<Hours>): JSX.Element {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const [hours, setHours] = useState<Hours>(
    before ?? { id: "", name: "", zone: timeZone, weekly: [OFFICE], exceptions: [] },
  );
  const put = (index: number, ...weekly: Hours["weekly"]): void =>
    setHours({ ...hours, weekly: hours.weekly.toSpliced(index, 1, ...weekly) });
  return (
    <PartForm
      kind="hours"
      title="time profile"
      part={hours}
      names={names}
      isNew={before === undefined}
      onChange={setHours}
      onClose={onClose}
    >
      <Field label="Time zone" hint="Of the clock on the wall, as Europe/Copenhagen.">
        <input
          required
          value={hours.zone}
          onInput={(event) => setHours({ ...hours, zone: event.currentTarget.value })}
        />
      </Field>
      {hours.weekly.map((window, index) => (
        <fieldset key={index} class="window">
          <legend>Every week, on</legend>
          {DAYS.map((day, number) => (
            <label key={day}>
              <input
                type="checkbox"
                checked={window.days.includes(number + 1)}
                onChange={(event) => {
                  const others = window.days.filter((one) => one !== number + 1);
                  const days = event.currentTarget.checked ? [...others, number + 1].sort((a, b) => a - b) : others;
                  put(index, { ...window, days });
                }}
              />{" "}
              {day}
            </label>
          ))}
          <input
            aria-label="From"
            pattern="\d\d:\d\d"
            value={window.from}
            onInput={(event) => put(index, { ...window, from: event.currentTarget.value })}
          />
          <input
            aria-label="To"
            pattern="\d\d:\d\d"
            value={window.to}
            onInput={(event) => put(index, { ...window, to: event.currentTarget.value })}
          />
          <button type="button" class="quiet danger" onClick={() => put(index)}>
            Remove
          </button>
        </fieldset>
      ))}
      <button type="button" onClick={() => put(hours.weekly.length, OFFICE)}>
        Add hours
      </button>
      {hours.exceptions.length === 0 ? null : (
        <p class="hint">{`${hours.exceptions.length} days have other hours; \`viaduct hours change --except\` changes them.`}</p>
      )}
    </PartForm>
  );
}

/** What all of them have: id, name, and the buttons. */
function PartForm<T extends Role | Group | Hours>(props: {
  readonly kind: Kind;
  readonly title: string;
  readonly part: T;
  readonly names: Names;
  readonly isNew: boolean;
  readonly onChange: (part: T) => void;
  readonly onClose: (changed: boolean) => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { kind, title, part, isNew, onChange, onClose } = props;
  const task = useTask();
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(async () => {
      if (isNew && props.names.policy[kind].some(({ id }) => id === part.id))
        throw new Refusal(409, `There is a ${title} with the id ${part.id} already.`);
      await policyApi.set(kind, part);
      onClose(true);
    });
  };
  return (
    <Dialog title={isNew ? `New ${title}` : `Change the ${title} ${part.name}`} onClose={() => onClose(false)}>
      <form onSubmit={submit} class="part">
        <Field label="Name">
          <input
            required
            autofocus
            maxLength={64}
            value={part.name}
            onInput={(event) => {
              const name = event.currentTarget.value;
              onChange({ ...part, name, ...(isNew ? { id: idOf(name) } : {}) });
            }}
          />
        </Field>
        {isNew && part.id !== "" ? <small>{`Its id, for commands and the API: ${part.id}`}</small> : null}
        {props.children}
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" onClick={() => onClose(false)}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={task.busy || part.id === ""}>
            Save
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** An id that is like the name. */
function idOf(name: string): string {
  const plain = name.normalize("NFKD").toLowerCase();
  return plain
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 64);
}
