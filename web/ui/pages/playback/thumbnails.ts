import { pictureOf } from "./key-frame-picture.ts";
import type { Instant, Told } from "./protocol.ts";

const LIMITS = {
  /** Pictures of one camera that are kept; the ones that were wanted longest ago go first. Some 130 kB each. */
  pictures: 160,
  /** Lines of a picture: what is shown at the pointer. */
  lines: 135,
  /** Whether something is there by now is looked for so often. */
  lookAgainMs: 5000,
};

/** What there is to be seen of an instant. */
export type Thumbnail =
  | { readonly at: Instant; readonly picture: ImageBitmap }
  /** Nothing; `why` is a sentence for people. */
  | { readonly why: string | undefined; readonly since: number };

/** The key frames of one camera that the page has, and asks for one after the other: what is not wanted any more is never asked for. */
export class Thumbnails {
  readonly #ask: (at: Instant) => boolean;
  readonly #changed: () => void;
  /** By the instant that was asked for, in the order in which they were wanted. */
  readonly #known = new Map<Instant, Thumbnail>();
  #wanted: readonly Instant[] = [];
  #asked: Instant | undefined;
  /** What comes next is not what is meant now. */
  #isStale = false;
  #closed = false;

  /** `ask` says whether there is a connection to ask over. */
  constructor(ask: (at: Instant) => boolean, changed: () => void) {
    this.#ask = ask;
    this.#changed = changed;
  }

  /** What is wanted now, in whole milliseconds, most urgent first, in the place of what was wanted before. */
  want(instants: readonly Instant[]): void {
    for (const one of instants.slice(0, LIMITS.pictures).toReversed()) this.#touch(one);
    this.#wanted = instants;
    this.#next();
  }

  /** Of the instant that was asked for. */
  of(instant: Instant): Thumbnail | undefined {
    return this.#known.get(instant);
  }

  /** Any picture that was captured in a stretch, while the right one is on its way. */
  within(from: Instant, to: Instant): ImageBitmap | undefined {
    for (const one of this.#known.values()) if ("picture" in one && from <= one.at && one.at < to) return one.picture;
    return undefined;
  }

  /** Of before, nothing may be seen any more. */
  forget(before: Instant): void {
    for (const [asked, one] of this.#known) if ("picture" in one && one.at < before) this.#drop(asked);
  }

  /** None of what is known is meant any more; what is on its way neither. */
  clear(): void {
    this.#isStale = this.#asked !== undefined;
    for (const asked of this.#known.keys()) this.#drop(asked);
    this.#next();
  }

  /** What was asked for will not be answered: there is another connection. */
  begin(): void {
    this.#asked = undefined;
    this.#isStale = false;
    this.#next();
  }

  take(told: Extract<Told, { type: "key-frame" }>, bytes: ArrayBuffer): void {
    const [config, data] = [new Uint8Array(bytes, 0, told.configBytes), new Uint8Array(bytes, told.configBytes)];
    pictureOf({ ...told, config, data }, LIMITS.lines).then(
      (picture) => this.#keep(told.asked, { at: told.at, picture }),
      (error: unknown) => this.miss(told.asked, error instanceof Error ? error.message : String(error)),
    );
  }

  miss(asked: Instant, why: string | undefined): void {
    this.#keep(asked, { why, since: performance.now() });
  }

  /** Nothing is kept. */
  close(): void {
    this.#closed = true;
    for (const asked of this.#known.keys()) this.#drop(asked);
  }

  #keep(asked: Instant, one: Thumbnail): void {
    const isOfNow = !this.#closed && !(this.#isStale && this.#asked === asked);
    if (this.#asked === asked) {
      this.#asked = undefined;
      this.#isStale = false;
    }
    if (!isOfNow) {
      if ("picture" in one) one.picture.close();
      this.#next();
      return;
    }
    this.#drop(asked);
    this.#known.set(asked, one);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= LIMITS.pictures) break;
      this.#drop(oldest);
    }
    this.#changed();
    this.#next();
  }

  #next(): void {
    if (this.#asked !== undefined || this.#closed) return;
    const next = this.#wanted.find((one) => this.#isMissing(one));
    if (next !== undefined && this.#ask(next)) this.#asked = next;
  }

  #isMissing(instant: Instant): boolean {
    const known = this.#known.get(instant);
    if (known === undefined) return true;
    return "since" in known && performance.now() - known.since > LIMITS.lookAgainMs;
  }

  #touch(asked: Instant): void {
    const known = this.#known.get(asked);
    if (known === undefined) return;
    this.#known.delete(asked);
    this.#known.set(asked, known);
  }

  #drop(asked: Instant): void {
    const known = this.#known.get(asked);
    this.#known.delete(asked);
    if (known !== undefined && "picture" in known) known.picture.close();
  }
}
