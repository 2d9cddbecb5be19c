import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Dialog, Trouble, useTask } from "./parts.tsx";
import { type Approval, type Wait, watchWaits, withdraw } from "./second-person.ts";

/** Says of what this page waits for that it waits, above whatever asked for it. */
export function Waiting(): JSX.Element | null {
  const [waits, setWaits] = useState<readonly Wait[]>([]);
  const task = useTask();
  useEffect(() => watchWaits(setWaits), []);
  const [first] = waits;
  if (first === undefined) return null;
  const { approval, leave } = first;
  return (
    <Dialog title="A second person is asked" onClose={leave}>
      <Asked approval={approval} />
      <p class="hint">
        It goes on by itself once somebody has approved it. You may close this: ask for the same again after it is
        approved, until {timeWords(approval.until)}.
      </p>
      <Trouble text={task.trouble} />
      <footer>
        <button type="button" disabled={task.busy} onClick={() => task.run(() => withdraw(approval))}>
          Withdraw
        </button>
        <button type="button" class="primary" onClick={leave}>
          Do not wait
        </button>
      </footer>
    </Dialog>
  );
}

/** Exactly what somebody wants to do. */
export function Asked({ approval }: { readonly approval: Approval }): JSX.Element {
  const { who, does, words, address, interface: door } = approval;
  return (
    <p class="asked">
      <strong>{who}</strong> wants to {does}:<q>{words}</q>
      <small class="line">
        from {address || "this machine"} through {door}
      </small>
    </p>
  );
}

/** Local time, to the minute. */
export function timeWords(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "short", timeStyle: "short" });
}
