import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Account, type Arming, api } from "../api.ts";
import { Dialog, Field, Trouble, useTask } from "../parts.tsx";

const TIMES = [
  { minutes: 15, words: "15 minutes" },
  { minutes: 60, words: "An hour" },
  { minutes: 240, words: "4 hours" },
  { minutes: 480, words: "8 hours" },
  { minutes: 720, words: "12 hours" },
  { minutes: 1440, words: "24 hours" },
] as const;

/** Whether a system that is let in only while it is armed is so, and for how long still. `onOver`: that is over. */
export function ArmedState(props: { readonly arming: Arming; readonly onOver: () => void }): JSX.Element {
  const { arming, onOver } = props;
  const [left, setLeft] = useState(arming.leftSeconds ?? 0);
  useEffect(() => {
    if (arming.leftSeconds === null) return;
    // By the time that passes: the clock of this computer may be another than the bridge's.
    const end = performance.now() + arming.leftSeconds * 1000;
    const look = (): void => {
      const seconds = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      setLeft(seconds);
      if (seconds === 0) onOver();
    };
    look();
    const timer = setInterval(look, 1000);
    return () => clearInterval(timer);
  }, [arming]);
  return arming.leftSeconds === null ? <>not armed</> : <>armed, {leftWords(left)} left</>;
}

/** Arms an external system, ends that, and says whether it has to be armed at all. */
export function ArmingOf(props: {
  readonly account: Account;
  readonly onChange: () => void;
  readonly onClose: () => void;
}): JSX.Element {
  const { account, onChange, onClose } = props;
  const { id, name, arming } = account;
  const [minutes, setMinutes] = useState(60);
  const task = useTask();
  const then = (work: () => Promise<unknown>) => (): void =>
    task.run(async () => {
      await work();
      onChange();
      onClose();
    });
  if (arming === null)
    return (
      <Dialog title={`Let ${name} in only while it is armed?`} onClose={onClose}>
        <p>
          It is let in at any time now. If it has to be armed, somebody who manages accounts lets it in for a stated
          time, and it is out before and after. It is disconnected at once, and not armed yet.
        </p>
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="button" class="primary" disabled={task.busy} onClick={then(() => api.demandArming(id, true))}>
            Only while armed
          </button>
        </footer>
      </Dialog>
    );
  const isArmed = arming.until !== null;
  return (
    <Dialog title={`Arm ${name}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          then(() => api.arm(id, minutes))();
        }}
      >
        {arming.until === null ? (
          <p>It is not armed, and not let in.</p>
        ) : (
          <p>
            It is <ArmedState arming={arming} onOver={onChange} />, until {new Date(arming.until).toLocaleString()}.{" "}
            <button type="button" class="quiet danger" disabled={task.busy} onClick={then(() => api.disarm(id))}>
              End it now
            </button>
          </p>
        )}
        <Field label={isArmed ? "From now on, instead" : "From now on"}>
          <select value={minutes} onChange={(event) => setMinutes(Number(event.currentTarget.value))}>
            {TIMES.map((one) => (
              <option key={one.minutes} value={one.minutes}>
                {one.words}
              </option>
            ))}
          </select>
        </Field>
        <p>Within a second of the end, all that it watches and has subscribed to ends, and it is let in no more.</p>
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" disabled={task.busy} onClick={then(() => api.demandArming(id, false))}>
            Let it in at any time
          </button>
          <span class="grow" />
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={task.busy}>
            Arm
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function leftWords(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
