import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { call } from "../../api.ts";
import { Dialog, Field, Removal, Trouble, useTask, wordsOf } from "../../parts.tsx";

interface Preset {
  readonly id: string;
  readonly name: string;
}

/** Places that a camera can be sent to, and what keeps them. */
export function Presets(props: {
  readonly camera: string;
  /** It has a home; it keeps presets. */
  readonly home: boolean;
  readonly presets: boolean;
  readonly mayMove: boolean;
  readonly mayKeep: boolean;
}): JSX.Element {
  const { camera, mayMove, mayKeep } = props;
  const path = `/api/cameras/${encodeURIComponent(camera)}`;
  const pathOf = ({ id }: Preset): string => `${path}/presets/${encodeURIComponent(id)}`;
  const [presets, setPresets] = useState<readonly Preset[] | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Preset | undefined>(undefined);
  const [done, setDone] = useState("");
  const task = useTask();
  const load = (): void => {
    setDone("");
    if (!props.presets) return;
    call<{ presets: Preset[] }>("GET", `${path}/presets`).then(
      (told) => {
        setPresets(told.presets);
        setTrouble(undefined);
      },
      (error: unknown) => setTrouble(wordsOf(error)),
    );
  };
  useEffect(load, [camera]);
  const act = (words: string, method: string, to: string, body?: object): void => {
    setDone("");
    task.run(async () => {
      await call(method, to, body);
      setDone(words);
    });
  };
  const goTo = (label: string, to: string): JSX.Element | null =>
    mayMove ? (
      <button
        type="button"
        class="quiet"
        aria-label={`Go to ${label}`}
        disabled={task.busy}
        onClick={() => act(`On its way to ${label}.`, "POST", `${to}/go`)}
      >
        Go
      </button>
    ) : null;
  return (
    <div class="presets">
      <Trouble text={trouble ?? task.trouble} />
      <ul class="plain">
        {props.home ? (
          <li>
            <span class="grow">Home</span>
            {goTo("home", `${path}/home`)}
            {mayKeep ? (
              <button
                type="button"
                class="quiet"
                aria-label="Make this view home"
                disabled={task.busy}
                onClick={() => act("This view is home now.", "PUT", `${path}/home`)}
              >
                Set here
              </button>
            ) : null}
          </li>
        ) : null}
        {(presets ?? []).map((preset) => (
          <li key={preset.id}>
            <span class="grow">{preset.name}</span>
            {goTo(preset.name, pathOf(preset))}
            {mayKeep ? (
              <>
                <button
                  type="button"
                  class="quiet"
                  aria-label={`Make this view ${preset.name}`}
                  disabled={task.busy}
                  onClick={() => act(`This view is ${preset.name} now.`, "PUT", pathOf(preset), { name: preset.name })}
                >
                  Set here
                </button>
                <button
                  type="button"
                  class="quiet danger"
                  aria-label={`Remove ${preset.name}`}
                  onClick={() => setRemoving(preset)}
                >
                  Remove…
                </button>
              </>
            ) : null}
          </li>
        ))}
      </ul>
      {props.presets && presets?.length === 0 ? <p class="hint">No presets are kept yet.</p> : null}
      <div class="bar">
        {props.presets && mayKeep ? (
          <button type="button" onClick={() => setAdding(true)}>
            Keep this view…
          </button>
        ) : null}
        <small role="status">{done}</small>
      </div>
      {adding ? <NewPreset path={`${path}/presets`} onClose={() => setAdding(false)} onKept={load} /> : null}
      {removing === undefined ? null : (
        <Removal
          title={`Remove ${removing.name}?`}
          verb="Remove"
          onRemove={async () => {
            await call("DELETE", pathOf(removing));
            load();
          }}
          onClose={() => setRemoving(undefined)}
        >
          The camera forgets this preset, for everybody.
        </Removal>
      )}
    </div>
  );
}

function NewPreset(props: {
  readonly path: string;
  readonly onClose: () => void;
  readonly onKept: () => void;
}): JSX.Element {
  const [name, setName] = useState("");
  const task = useTask();
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(async () => {
      await call("POST", props.path, { name });
      props.onKept();
      props.onClose();
    });
  };
  return (
    <Dialog title="Keep this view as a preset" onClose={props.onClose}>
      <form onSubmit={submit}>
        <Field label="Name" hint="The camera keeps it. Some take letters and digits alone, or few of them.">
          <input
            required
            autofocus
            maxLength={64}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </Field>
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={task.busy}>
            Keep
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
