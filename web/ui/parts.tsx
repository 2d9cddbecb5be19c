import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Connection } from "./api.ts";
import { Refusal } from "./send.ts";

/** The mark: arches over which things cross. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M2 9h28M2 13h28" />
      <path d="M5 26v-5a4.5 4.5 0 0 1 9 0v5M18 26v-5a4.5 4.5 0 0 1 9 0v5" />
    </svg>
  );
}

/** A field with its label, and a hint below. */
export function Field(props: {
  readonly label: string;
  readonly hint?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child.
    <label class="field">
      <span>{props.label}</span>
      {props.children}
      {props.hint === undefined ? null : <small>{props.hint}</small>}
    </label>
  );
}

/** What went wrong, announced to screen readers. */
export function Trouble({ text }: { readonly text: string | undefined }): JSX.Element {
  return (
    <div role="alert" class="trouble" hidden={text === undefined}>
      {text}
    </div>
  );
}

/** An empty list says what to do about it. */
export function Empty(props: { readonly title: string; readonly children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <Mark />
      <h2>{props.title}</h2>
      <div>{props.children}</div>
    </div>
  );
}

/** A dialog that takes the focus, gives it back, and closes on Escape. */
export function Dialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  // The browser gives the focus back where a dialog is closed, and not where it is only taken away: so before it is.
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      aria-label={props.title}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
    >
      <header>
        <h2>{props.title}</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={props.onClose}>
          ✕
        </button>
      </header>
      {props.children}
    </dialog>
  );
}

/** Asks before something is taken away; the children say what that means. */
export function Removal(props: {
  readonly title: string;
  /** What the button says that does it. */
  readonly verb: "Remove" | "Delete" | "Forget";
  readonly onRemove: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}): JSX.Element {
  const task = useTask();
  const remove = (): void =>
    task.run(async () => {
      await props.onRemove();
      props.onClose();
    });
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <p>{props.children}</p>
      <Trouble text={task.trouble} />
      <footer>
        <button type="button" onClick={props.onClose}>
          Keep
        </button>
        <button type="button" class="primary danger" disabled={task.busy} onClick={remove}>
          {props.verb}
        </button>
      </footer>
    </Dialog>
  );
}

/** Text that others need to type elsewhere, with a button that copies it. */
export function Copyable(props: { readonly text: string; readonly label: string }): JSX.Element {
  const [done, setDone] = useState(false);
  return (
    <span class="copyable">
      <code>{props.text}</code>
      <button
        type="button"
        class="quiet"
        aria-label={`Copy ${props.label}`}
        onClick={() => {
          void navigator.clipboard.writeText(props.text).then(() => setDone(true));
        }}
      >
        {done ? "Copied" : "Copy"}
      </button>
    </span>
  );
}

/** Runs what a form or button asks for: busy while it runs, trouble when it fails. */
export function useTask(): {
  readonly busy: boolean;
  readonly trouble: string | undefined;
  run(work: () => Promise<void>): void;
} {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const run = (work: () => Promise<void>): void => {
    setBusy(true);
    setTrouble(undefined);
    work()
      .catch((error: unknown) => setTrouble(wordsOf(error)))
      .finally(() => setBusy(false));
  };
  return { busy, trouble, run };
}

/** Some refusals are told as a clause; people read a sentence. */
export function wordsOf(error: unknown): string {
  if (error instanceof Refusal) return sentence(error.message);
  return `Something went wrong in this page: ${String(error)}.`;
}

/** A clause as a sentence. */
export function sentence(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}${/[.!?]$/.test(clause) ? "" : "."}`;
}

/** `3 MB`, `1.2 GB`, `14.0 TB`: in powers of a thousand, as disks are sold. */
export function sizeWords(bytes: number): string {
  if (bytes >= 1e12) return `${(bytes / 1e12).toFixed(1)} TB`;
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes === 0 ? "0 MB" : `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}

/** `12 s`, `3 min`, `2 h`: how long ago. */
export function ago(since: number): string {
  const seconds = Math.max(0, Math.round((Date.now() - since) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** How a connection to a camera stands, in few words. */
export function stateWords(connection: Connection): string {
  return connection.state === "offline" ? `offline for ${ago(connection.since)}` : connection.state;
}
