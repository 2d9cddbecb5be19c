import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, type RecordingMode, type RecordingPlan, type Stream, type Volume } from "../api.ts";
import { Dialog, Field, Trouble, useTask } from "../parts.tsx";

const MODES: readonly (readonly [RecordingMode, string])[] = [
  ["continuous", "Always"],
  ["schedule", "At certain hours"],
  ["events", "When something happens"],
  ["off", "Never"],
];

const STATES: Readonly<Record<Stream["recording"]["state"], string>> = {
  off: "not recorded",
  closed: "not recorded at this hour",
  waiting: "waiting for an event",
  starting: "waiting for the camera",
  recording: "recording",
  failing: "failing",
};

/** Words of the bridge's for what cameras tell of. */
const KINDS: readonly (readonly [string, string])[] = [
  ["motion", "Motion"],
  ["person", "A person"],
  ["vehicle", "A vehicle"],
  ["animal", "An animal"],
  ["line-crossed", "A line is crossed"],
  ["zone-entered", "A zone is entered"],
  ["digital-input", "An input"],
  ["doorbell", "The doorbell"],
  ["sound", "Sound"],
  ["tamper", "Tampering"],
];

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const OFFICE = { days: [1, 2, 3, 4, 5], from: "08:00", to: "18:00" };
const AROUND = { of: ["motion"], beforeSeconds: 5, afterSeconds: 10 };

/** Whether a stream is recorded, and a button for who may say when. */
export function RecordingLine(props: { readonly camera: string; readonly stream: Stream }): JSX.Element {
  const { recording, name } = props.stream;
  const [open, setOpen] = useState(false);
  return (
    <>
      <dt>Recording</dt>
      <dd>
        <span>{STATES[recording.state]}</span>{" "}
        {recording.plan === undefined ? null : (
          <button type="button" class="quiet" aria-label={`Change recording of ${name}`} onClick={() => setOpen(true)}>
            Change…
          </button>
        )}
        <Trouble text={recording.problem} />
        {open && recording.plan !== undefined ? (
          <RecordingForm camera={props.camera} stream={name} plan={recording.plan} onClose={() => setOpen(false)} />
        ) : null}
      </dd>
    </>
  );
}

function RecordingForm(props: {
  readonly camera: string;
  readonly stream: string;
  readonly plan: RecordingPlan;
  readonly onClose: () => void;
}): JSX.Element {
  const { plan } = props;
  const task = useTask();
  const [mode, setMode] = useState(plan.mode);
  const [events, setEvents] = useState(plan.events ?? AROUND);
  const [zone, setZone] = useState(plan.hours?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone);
  const [window, setWindow] = useState(plan.hours?.weekly[0] ?? OFFICE);
  const [volume, setVolume] = useState(plan.volume ?? "");
  const [volumes, setVolumes] = useState<readonly Volume[]>([]);
  useEffect(() => {
    api.volumes().then(
      (found) => setVolumes(found.volumes),
      () => undefined,
    );
  }, []);
  const here = volumes.map(({ name }) => name);
  // One that the settings no longer name is still what was chosen.
  const names = plan.volume === undefined || here.includes(plan.volume) ? here : [...here, plan.volume];
  // What was made elsewhere and is more than this form shows stays as it is.
  const isSimple = plan.hours === undefined || (plan.hours.weekly.length === 1 && plan.hours.exceptions.length === 0);
  const hours = isSimple ? { zone, weekly: [window], exceptions: [] } : plan.hours;
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(async () => {
      const when =
        mode === "schedule"
          ? { mode, hours }
          : mode === "events"
            ? { mode, events, ...(plan.mode === "events" && plan.hours ? { hours: plan.hours } : {}) }
            : { mode };
      const recording = { ...when, ...(volume === "" ? {} : { volume }) };
      await api.changeStream(props.camera, props.stream, { recording });
      props.onClose();
    });
  };
  return (
    <Dialog title={`Recording of ${props.stream}`} onClose={props.onClose}>
      <form onSubmit={submit}>
        <Field label="Record">
          <select value={mode} onChange={(event) => setMode(event.currentTarget.value as RecordingMode)}>
            {MODES.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </Field>
        {names.length > 1 ? (
          <Field label="To" hint="Another one is taken while it cannot be written.">
            <select value={volume} onChange={(event) => setVolume(event.currentTarget.value)}>
              <option value="">Any volume</option>
              {names.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
        ) : null}
        {mode === "events" ? (
          <>
            <fieldset>
              <legend>What has to happen</legend>
              {KINDS.map(([kind, words]) => (
                <label key={kind}>
                  <input
                    type="checkbox"
                    checked={events.of.includes(kind)}
                    onChange={() => setEvents({ ...events, of: toggled(events.of, kind) })}
                  />{" "}
                  {words}
                </label>
              ))}
            </fieldset>
            <Field label="Seconds before" hint="From memory, beginning with a key frame.">
              <input
                type="number"
                min={0}
                max={60}
                value={events.beforeSeconds}
                onInput={(event) => setEvents({ ...events, beforeSeconds: event.currentTarget.valueAsNumber })}
              />
            </Field>
            <Field label="Seconds after">
              <input
                type="number"
                min={1}
                max={3600}
                value={events.afterSeconds}
                onInput={(event) => setEvents({ ...events, afterSeconds: event.currentTarget.valueAsNumber })}
              />
            </Field>
          </>
        ) : null}
        {mode === "schedule" && isSimple ? (
          <>
            <fieldset>
              <legend>Days</legend>
              {DAYS.map((name, index) => (
                <label key={name}>
                  <input
                    type="checkbox"
                    checked={window.days.includes(index + 1)}
                    onChange={() => setWindow({ ...window, days: toggled(window.days, index + 1) })}
                  />{" "}
                  {name}
                </label>
              ))}
            </fieldset>
            <Field label="From">
              <input
                type="time"
                required
                value={window.from}
                onInput={(event) => setWindow({ ...window, from: event.currentTarget.value })}
              />
            </Field>
            <Field label="To" hint="Not after “from”: on the next day.">
              <input
                type="time"
                required
                value={window.to}
                onInput={(event) => setWindow({ ...window, to: event.currentTarget.value })}
              />
            </Field>
            <Field label="Time zone">
              <input required value={zone} onInput={(event) => setZone(event.currentTarget.value)} />
            </Field>
          </>
        ) : null}
        {mode === "schedule" && !isSimple ? (
          <p class="hint">Its hours have more windows or exceptions than fit here: they stay as they are.</p>
        ) : null}
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" onClick={props.onClose}>
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

/** With the one, or without it where it was there. */
function toggled<T>(list: readonly T[], one: T): readonly T[] {
  return list.includes(one) ? list.filter((other) => other !== one) : [...list, one];
}
