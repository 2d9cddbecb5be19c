import type { JSX } from "preact";
import { Field } from "../../parts.tsx";
import type { Grant } from "./policy.ts";
import { grantWords, type Names } from "./words.ts";

const HOUR_MS = 3_600_000;

/** Of groups in lists that hold cameras too. */
const GROUP = "group:";

/** Rights for which the age of footage matters. */
const AGED = ["playback", "search", "export"];

/** The fields of one grant, and what it says. */
export function GrantForm(props: {
  readonly grant: Grant;
  readonly names: Names;
  readonly onChange: (grant: Grant) => void;
  readonly onRemove: () => void;
}): JSX.Element {
  const { grant, names, onChange } = props;
  const { policy } = names;
  const ofCamera = policy.rights.find(({ right }) => right === grant.right)?.ofCamera === true;
  const set = (change: { readonly [K in keyof Grant]?: Grant[K] | undefined }): void => {
    const all = Object.entries({ ...grant, ...change }).filter(([, value]) => value !== undefined);
    onChange(Object.fromEntries(all) as unknown as Grant);
  };
  return (
    <fieldset class="grant">
      <legend>{grantWords(grant, names)}</legend>
      <div class="fields">
        <Field label="Effect">
          <select
            value={grant.deny === true ? "deny" : "allow"}
            onChange={(event) =>
              set(event.currentTarget.value === "deny" ? { deny: true, maxAgeMs: undefined } : { deny: undefined })
            }
          >
            <option value="allow">May</option>
            <option value="deny">Must not, whatever else allows it</option>
          </select>
        </Field>
        <Field label="Right">
          <select
            value={grant.right}
            onChange={(event) => {
              const right = event.currentTarget.value;
              const same = policy.rights.find((one) => one.right === right)?.ofCamera === ofCamera;
              const elsewhere = {
                cameras: "any",
                groups: undefined,
                except: undefined,
                exceptGroups: undefined,
              } as const;
              set({ right, ...(same ? {} : elsewhere), ...(AGED.includes(right) ? {} : { maxAgeMs: undefined }) });
            }}
          >
            {policy.rights.map(({ right, words }) => (
              <option key={right} value={right}>
                {words}
              </option>
            ))}
          </select>
        </Field>
        {ofCamera ? (
          <>
            <Cameras
              label="Cameras"
              none="all cameras"
              names={names}
              cameras={grant.cameras === "any" ? undefined : grant.cameras}
              groups={grant.groups}
              onChange={(cameras, groups) => set({ cameras: cameras ?? "any", groups })}
            />
            <Cameras
              label="Except"
              none="none left out"
              names={names}
              cameras={grant.except}
              groups={grant.exceptGroups}
              onChange={(except, exceptGroups) => set({ except, exceptGroups })}
            />
          </>
        ) : null}
        <Field label="Through" hint="None marked: all of them.">
          <select
            multiple
            size={5}
            onChange={(event) => {
              const chosen = chosenOf(event.currentTarget);
              set({ interfaces: chosen.length === 0 ? "any" : chosen });
            }}
          >
            {policy.interfaces.map((one) => (
              <option key={one} value={one} selected={grant.interfaces !== "any" && grant.interfaces.includes(one)}>
                {one}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Hours">
          <select
            value={grant.hours ?? ""}
            onChange={(event) => set({ hours: event.currentTarget.value || undefined })}
          >
            <option value="">always</option>
            {policy.hours.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </Field>
        {AGED.includes(grant.right) && grant.deny !== true ? (
          <Field label="Age of footage, hours" hint="Empty: however old.">
            <input
              type="number"
              min="1"
              value={grant.maxAgeMs === undefined ? "" : grant.maxAgeMs / HOUR_MS}
              onInput={(event) => {
                const hours = event.currentTarget.valueAsNumber;
                set({ maxAgeMs: hours > 0 ? Math.round(hours * HOUR_MS) : undefined });
              }}
            />
          </Field>
        ) : null}
        <Moment label="From" value={grant.from} onChange={(from) => set({ from })} />
        <Moment label="Until" value={grant.until} onChange={(until) => set({ until })} />
      </div>
      <button type="button" class="quiet danger" onClick={props.onRemove}>
        Remove this grant
      </button>
    </fieldset>
  );
}

/** A list of groups and cameras; undefined where none is marked. */
function Cameras(props: {
  readonly label: string;
  readonly none: string;
  readonly names: Names;
  readonly cameras: readonly string[] | undefined;
  readonly groups: readonly string[] | undefined;
  readonly onChange: (cameras: readonly string[] | undefined, groups: readonly string[] | undefined) => void;
}): JSX.Element {
  const { names, cameras = [], groups = [] } = props;
  return (
    <Field label={props.label} hint={`None marked: ${props.none}.`}>
      <select
        multiple
        size={5}
        onChange={(event) => {
          const chosen = chosenOf(event.currentTarget);
          const of = chosen.filter((one) => one.startsWith(GROUP)).map((one) => one.slice(GROUP.length));
          const single = chosen.filter((one) => !one.startsWith(GROUP));
          if (chosen.length === 0) props.onChange(undefined, undefined);
          else props.onChange(single, of.length === 0 ? undefined : of);
        }}
      >
        {names.policy.group.map(({ id, name }) => (
          <option key={id} value={`${GROUP}${id}`} selected={groups.includes(id)}>
            Group {name}
          </option>
        ))}
        {[...names.cameras].map(([id, name]) => (
          <option key={id} value={id} selected={cameras.includes(id)}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** An instant in the time of this browser, kept with its zone. */
function Moment(props: {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}): JSX.Element {
  const at = props.value === undefined ? undefined : new Date(props.value);
  const text =
    at === undefined ? "" : new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  return (
    <Field label={props.label}>
      <input
        type="datetime-local"
        value={text}
        onChange={(event) => {
          const { value } = event.currentTarget;
          props.onChange(value === "" ? undefined : new Date(value).toISOString());
        }}
      />
    </Field>
  );
}

function chosenOf(select: HTMLSelectElement): readonly string[] {
  return [...select.selectedOptions].map(({ value }) => value);
}
