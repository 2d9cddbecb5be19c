import type { X509Certificate } from "node:crypto";
import type { Clock, Timer } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Closable } from "../../base/lifecycle.ts";
import type { Log } from "../../base/log.ts";
import { DAY, later, SECOND, type UnixMillis } from "../../base/units.ts";
import { type RevocationList, readRevocationList } from "./revocation-list.ts";

/** How often it is looked whether there is another list: who is revoked is out within a minute. */
const LOOK_MS = 20 * SECOND;

/** What is wrong is logged once, and as long as it lasts again after this. */
const AGAIN_MS = DAY;

/** A list in its file. */
export interface RevocationFile {
  /** Another value when the file has changed. Faults: as the file system has them. */
  readonly version: () => Promise<string>;
  readonly read: () => Promise<Buffer>;
}

/**
 * What of an authority's certificates is revoked, read again when its file changes. A list that is of no use does not replace the one before;
 * when that one is too old, nobody is let in until there is another.
 */
export class Revocations implements Closable {
  readonly #o: {
    readonly authority: string;
    readonly file: RevocationFile;
    readonly certificates: readonly X509Certificate[];
    readonly clock: Clock;
    readonly log: Log;
  };
  readonly #timer: Timer;
  #list: RevocationList | undefined;
  #version: string | undefined;
  #changed = new AbortController();
  #reading: Promise<void> = Promise.resolve();
  /** What was said to be wrong, and when. */
  #said: { readonly what: string; readonly at: UnixMillis } | undefined;

  /** `authority` names it in the log. */
  constructor(o: {
    readonly authority: string;
    readonly file: RevocationFile;
    readonly certificates: readonly X509Certificate[];
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#o = o;
    this.#timer = o.clock.every(LOOK_MS, () => this.#look());
  }

  /** Aborted when there is another list: what is let in by this one is to be asked about anew. */
  get changed(): AbortSignal {
    return this.#changed.signal;
  }

  /** Until when the list says anything; undefined where none does now. */
  get until(): UnixMillis | undefined {
    const until = this.#list?.until;
    return until !== undefined && this.#o.clock.now() < until ? until : undefined;
  }

  /** No list of now says that it is good. */
  isRevoked(serial: string): boolean {
    return this.until === undefined || this.#list?.revoked.has(serial) !== false;
  }

  /** Reads it where it has changed. Fault `invalid`: it cannot be read, or is of no use; the one before stays. */
  async refresh(): Promise<void> {
    const { authority, file, certificates, clock, log } = this.#o;
    const version = await file.version();
    if (version === this.#version) return;
    const next = await readRevocationList(await file.read(), certificates, clock.now());
    if (this.#list !== undefined && next.from < this.#list.from)
      throw new Fault("invalid", "the list is older than the one that is known");
    this.#version = version;
    this.#list = next;
    log.info({ authority, revoked: next.revoked.size }, "read which certificates are revoked");
    const before = this.#changed;
    this.#changed = new AbortController();
    before.abort(new Fault("denied", `another list of revoked certificates of ${authority}`));
  }

  /** Ends when what is being read has been. */
  async close(): Promise<void> {
    this.#timer.cancel();
    await this.#reading;
  }

  #look(): void {
    this.#reading = this.#reading
      .then(() => this.refresh())
      .then(
        () => this.#say(undefined),
        (thrown: unknown) => this.#say(asFault(thrown).message),
      );
  }

  /** `why`: it could not be read. */
  #say(why: string | undefined): void {
    const { authority, clock, log } = this.#o;
    const isTooOld = this.until === undefined;
    const what = why === undefined && !isTooOld ? undefined : `${isTooOld} ${why}`;
    const said = this.#said;
    if (what === said?.what && (said === undefined || clock.now() < later(said.at, AGAIN_MS))) return;
    this.#said = what === undefined ? undefined : { what, at: clock.now() };
    if (why !== undefined) log.error({ authority, why }, "no list of revoked certificates");
    if (isTooOld) log.error({ authority }, "its list is too old: nobody is let in by its certificates");
    if (what === undefined) log.info({ authority }, "its list of revoked certificates is good again");
  }
}
