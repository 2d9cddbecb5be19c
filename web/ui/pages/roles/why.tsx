import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Account } from "../../api.ts";
import { Field, Trouble, useTask } from "../../parts.tsx";
import { type Answer, type EffectiveRights, policyApi } from "./policy.ts";
import { ageWords, type Names } from "./words.ts";

interface Asked {
  readonly account: string;
  readonly right: string;
  readonly camera: string;
  readonly door: string;
  /** In the time of this browser; empty: now. */
  readonly at: string;
}

/** "Would this account see that camera at 03:00 on Sunday through RTSP, and why not?" */
export function Why({
  names,
  accounts,
}: {
  readonly names: Names;
  readonly accounts: readonly Account[];
}): JSX.Element {
  const { policy, cameras } = names;
  const [asked, setAsked] = useState<Asked>({
    account: accounts[0]?.id ?? "",
    right: "live",
    camera: [...cameras.keys()][0] ?? "",
    door: "rtsp",
    at: "",
  });
  const [answer, setAnswer] = useState<{ readonly why: Answer; readonly rights: EffectiveRights } | undefined>(
    undefined,
  );
  const task = useTask();
  const ofCamera = policy.rights.find(({ right }) => right === asked.right)?.ofCamera === true;
  const set = (change: Partial<Asked>): void => setAsked({ ...asked, ...change });
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(async () => {
      const at = asked.at === "" ? {} : { at: new Date(asked.at).toISOString() };
      const question = {
        right: asked.right,
        interface: asked.door,
        ...(ofCamera ? { camera: asked.camera } : {}),
        ...at,
      };
      const [why, rights] = await Promise.all([
        policyApi.why(asked.account, question),
        policyApi.rightsOf(asked.account, at.at),
      ]);
      setAnswer({ why, rights });
    });
  };
  return (
    <section aria-label="Why, or why not">
      <div class="title">
        <h2>Would this account be allowed to?</h2>
      </div>
      <form class="why" onSubmit={submit}>
        <div class="fields">
          <Choice
            label="Account"
            value={asked.account}
            options={accounts.map(({ id, name }) => [id, name])}
            onChange={(account) => set({ account })}
          />
          <Choice
            label="Right"
            value={asked.right}
            options={policy.rights.map(({ right, words }) => [right, words])}
            onChange={(right) => set({ right })}
          />
          {ofCamera ? (
            <Choice label="Camera" value={asked.camera} options={[...cameras]} onChange={(camera) => set({ camera })} />
          ) : null}
          <Choice
            label="Through"
            value={asked.door}
            options={policy.interfaces.map((one) => [one, one])}
            onChange={(door) => set({ door })}
          />
          <Field label="At" hint="Empty: now.">
            <input type="datetime-local" value={asked.at} onInput={(event) => set({ at: event.currentTarget.value })} />
          </Field>
        </div>
        <button
          type="submit"
          class="primary"
          disabled={task.busy || asked.account === "" || (ofCamera && asked.camera === "")}
        >
          Ask
        </button>
        <Trouble text={task.trouble} />
      </form>
      {answer === undefined ? null : <Told {...answer} names={names} />}
    </section>
  );
}

function Told(props: { readonly why: Answer; readonly rights: EffectiveRights; readonly names: Names }): JSX.Element {
  const { why, rights, names } = props;
  const { cameras, policy } = names;
  return (
    <div class="answer" role="status">
      <p>
        <strong class={why.allowed ? "yes" : "no"}>{why.allowed ? "Yes" : "No"}</strong>
        {`: ${why.why}.`}
        {why.hidden ? " The camera looks to it as one that does not exist." : ""}
        {why.maxAgeMs === undefined ? "" : ` Footage of the last ${ageWords(why.maxAgeMs)} alone.`}
        {why.until === undefined ? "" : ` That changes on ${new Date(why.until).toLocaleString()}.`}
      </p>
      <ul class="lines">
        {why.grants.map(({ source, deny, match }) => (
          <li key={source}>{`${source}${deny ? ", which denies" : ""}: ${match}`}</li>
        ))}
      </ul>
      <details>
        <summary>{`All that it may do then (${new Date(rights.at).toLocaleString()})`}</summary>
        {rights.rights.length === 0 ? <p>Nothing.</p> : null}
        <ul class="lines">
          {together(rights.rights).map(({ right, doors, of }) => (
            <li key={`${right} ${doors.join()}`}>
              {`${policy.rights.find((one) => one.right === right)?.words ?? right}, through ${doors.join(", ")}`}
              {of.length === 0 ? "" : `: ${of.map((id) => cameras.get(id) ?? id).join(", ")}`}
            </li>
          ))}
        </ul>
      </details>
    </div>
  );
}

/** Interfaces through which the same may be done with the same cameras are told in one line. */
function together(
  rights: EffectiveRights["rights"],
): readonly { readonly right: string; readonly doors: readonly string[]; readonly of: readonly string[] }[] {
  const lines = new Map<string, { right: string; doors: string[]; of: readonly string[] }>();
  for (const { right, interface: door, cameras: of } of rights) {
    const key = [right, ...of].join(" ");
    const line = lines.get(key) ?? { right, doors: [], of };
    line.doors.push(door);
    lines.set(key, line);
  }
  return [...lines.values()];
}

function Choice(props: {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, words: string])[];
  readonly onChange: (value: string) => void;
}): JSX.Element {
  return (
    <Field label={props.label}>
      <select value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.options.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </Field>
  );
}
