import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Account, api } from "../../api.ts";
import { Removal, Trouble, wordsOf } from "../../parts.tsx";
import { HolderForm } from "./holder-form.tsx";
import { GroupForm, HoursForm, RoleForm } from "./part-forms.tsx";
import { type Kind, type Policy, policyApi } from "./policy.ts";
import "./roles.css";
import { Why } from "./why.tsx";
import { grantWords, hoursWords, type Names, nameOf } from "./words.ts";

/** The role that has everything and cannot be changed. */
const ADMINISTRATOR = "administrator";

/** What is open: a form for one of them (a new one where there is no id), the question whether to remove one, or the roles of an account. */
type Open =
  | { readonly kind: Kind; readonly id?: string }
  | { readonly kind: Kind; readonly removing: string }
  | { readonly account: Account };

/** Roles, camera groups and time profiles; who has which role; and why somebody may do something, or not. */
export function Roles(): JSX.Element {
  const [names, setNames] = useState<Names | undefined>(undefined);
  const [accounts, setAccounts] = useState<readonly Account[]>([]);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const [open, setOpen] = useState<Open | undefined>(undefined);
  const load = async (): Promise<void> => {
    try {
      const [policy, cameras, all] = await Promise.all([policyApi.all(), api.cameras(), api.accounts()]);
      setNames({ policy, cameras: new Map(cameras.map(({ id, name }) => [id, name])) });
      setAccounts(all);
      setTrouble(undefined);
    } catch (error) {
      setTrouble(wordsOf(error));
    }
  };
  useEffect(() => void load(), []);
  if (names === undefined)
    return trouble === undefined ? <p class="loading">Loading roles…</p> : <Trouble text={trouble} />;
  const { policy } = names;
  const section = (kind: Kind, title: string, add: string, rows: readonly Row[], empty: string): JSX.Element => (
    <Section
      title={title}
      add={add}
      rows={rows}
      empty={empty}
      onAdd={() => setOpen({ kind })}
      onChange={(id) => setOpen({ kind, id })}
      onRemove={(id) => setOpen({ kind, removing: id })}
    />
  );
  return (
    <div class="roles">
      <Trouble text={trouble} />
      {section("role", "Roles", "Add a role…", roleRows(names, accounts), "There are no roles.")}
      {section(
        "group",
        "Camera groups",
        "Add a camera group…",
        groupRows(names),
        "There are no camera groups yet: grants name cameras one by one.",
      )}
      {section(
        "hours",
        "Time profiles",
        "Add a time profile…",
        policy.hours.map((hours) => ({ id: hours.id, name: hours.name, lines: [hoursWords(hours)], fixed: false })),
        "There are no time profiles yet: grants hold at all hours.",
      )}
      <section aria-label="Accounts with roles">
        <div class="title">
          <h2>Who has which role</h2>
        </div>
        <table>
          <tbody>
            {accounts.map((account) => (
              <tr key={account.id} class={account.enabled ? "" : "off"}>
                <th scope="row">{account.name}</th>
                <td>{rolesOf(account, policy)}</td>
                <td class="end">
                  <button type="button" class="quiet" onClick={() => setOpen({ account })}>
                    Roles…
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Why names={names} accounts={accounts} />
      <OpenForm
        open={open}
        names={names}
        onClose={(changed) => {
          setOpen(undefined);
          if (changed) void load();
        }}
      />
    </div>
  );
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly lines: readonly string[];
  /** It can be neither changed nor removed. */
  readonly fixed: boolean;
}

function Section(props: {
  readonly title: string;
  readonly add: string;
  readonly rows: readonly Row[];
  readonly empty: string;
  readonly onAdd: () => void;
  readonly onChange: (id: string) => void;
  readonly onRemove: (id: string) => void;
}): JSX.Element {
  return (
    <section aria-label={props.title}>
      <div class="title">
        <h2>{props.title}</h2>
        <button type="button" onClick={props.onAdd}>
          {props.add}
        </button>
      </div>
      {props.rows.length === 0 ? (
        <p class="hint">{props.empty}</p>
      ) : (
        <table>
          <tbody>
            {props.rows.map(({ id, name, lines, fixed }) => (
              <tr key={id}>
                <th scope="row">{name}</th>
                <td>
                  <ul class="lines">
                    {lines.map((line) => (
                      <li key={line}>{line}</li>
                    ))}
                  </ul>
                </td>
                <td class="end">
                  {fixed ? null : (
                    <>
                      <button
                        type="button"
                        class="quiet"
                        aria-label={`Change ${name}`}
                        onClick={() => props.onChange(id)}
                      >
                        Change…
                      </button>
                      <button
                        type="button"
                        class="quiet danger"
                        aria-label={`Delete ${name}`}
                        onClick={() => props.onRemove(id)}
                      >
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
    </section>
  );
}

function roleRows(names: Names, accounts: readonly Account[]): readonly Row[] {
  return names.policy.role.map(({ id, name, grants, secondFactor }) => {
    const holders = accounts
      .filter(({ roles, directory }) => roles.includes(id) || directory?.roles.includes(id))
      .map((account) => account.name);
    const says: string[] =
      id === ADMINISTRATOR ? ["Has every right, also what comes later."] : grants.map((one) => grantWords(one, names));
    if (secondFactor === true) says.push("People with it must have a second factor.");
    return { id, name, lines: [...says, `Held by: ${holders.join(", ") || "nobody"}.`], fixed: id === ADMINISTRATOR };
  });
}

/** Its own, and those that its groups in a directory give. */
function rolesOf({ roles, directory }: Account, { role }: Policy): string {
  const given = (directory?.roles ?? []).filter((id) => !roles.includes(id));
  const names = roles.map((id) => nameOf(role, id));
  return [...names, ...given.map((id) => `${nameOf(role, id)} by ${directory?.name}`)].join(", ") || "–";
}

function groupRows({ policy, cameras }: Names): readonly Row[] {
  return policy.group.map(({ id, name, cameras: of, parent }) => {
    const list = of.map((camera) => cameras.get(camera) ?? camera).join(", ");
    const within = parent === undefined ? [] : [`In the group ${nameOf(policy.group, parent)}.`];
    return { id, name, lines: [list || "No camera of its own.", ...within], fixed: false };
  });
}

function OpenForm(props: {
  readonly open: Open | undefined;
  readonly names: Names;
  readonly onClose: (changed: boolean) => void;
}): JSX.Element | null {
  const { open, names, onClose } = props;
  if (open === undefined) return null;
  if ("account" in open) return <HolderForm account={open.account} policy={names.policy} onClose={onClose} />;
  if ("removing" in open) {
    const { kind, removing } = open;
    return (
      <Removal
        title={`Delete ${nameOf(names.policy[kind], removing)}?`}
        verb="Delete"
        onRemove={() => policyApi.remove(kind, removing)}
        onClose={() => onClose(true)}
      >
        It can be deleted only while nothing names it any more, and it cannot be had back.
      </Removal>
    );
  }
  const of = <K extends Kind>(kind: K): Policy[K][number] | undefined =>
    (names.policy[kind] as readonly Policy[K][number][]).find(({ id }) => id === open.id);
  const shared = { names, onClose };
  if (open.kind === "role") return <RoleForm before={of("role")} {...shared} />;
  if (open.kind === "group") return <GroupForm before={of("group")} {...shared} />;
  return <HoursForm before={of("hours")} {...shared} />;
}
