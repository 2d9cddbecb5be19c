import type { Prefix } from "./namespaces.ts";

const LIMITS = {
  /** Of one operation: accounts that see different cameras have different ones, of a megabyte and more each where there are a thousand cameras. */
  answers: 32,
} as const;

/** A printed message in the form in which it is sent. */
export interface Sent {
  readonly attributes: string;
  readonly bytes: Buffer;
  readonly prefixes: ReadonlySet<Prefix>;
}

/** Answers of one operation, by their values, of which none ever changes: as long as each is there, and one of the newest. */
export class KeptAnswers {
  readonly #sent = new WeakMap<object, Sent>();
  /** The oldest first. */
  readonly #order: WeakRef<object>[] = [];

  get(value: object): Sent | undefined {
    return this.#sent.get(value);
  }

  /** Of a value that has none. */
  add(value: object, sent: Sent): void {
    this.#sent.set(value, sent);
    if (this.#order.push(new WeakRef(value)) <= LIMITS.answers) return;
    const oldest = this.#order.shift()?.deref();
    if (oldest !== undefined) this.#sent.delete(oldest);
  }
}
