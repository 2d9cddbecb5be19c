import type { JSX } from "preact";
import { Field } from "./parts.tsx";

/** An instant to the second, in the time of this browser, as `datetime-local` has it. */
export function InstantField(props: {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}): JSX.Element {
  return (
    <Field label={props.label}>
      <input
        required
        type="datetime-local"
        step="1"
        value={props.value}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
    </Field>
  );
}

/** As `datetime-local` has it, to the second. */
export function localInput(at: number): string {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, "2026-11-24T13:05:09".length);
}
