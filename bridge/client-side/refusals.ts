import { NOT_ARMED } from "../../auth/arming.ts";
import type { Audit } from "../../auth/audit.ts";
import type { RefusedRequest } from "../../auth/refused.ts";
import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import { networkOf } from "../../base/address.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Closable } from "../../base/lifecycle.ts";
import type { Log } from "../../base/log.ts";
import { SECOND } from "../../base/units.ts";
import { writeWhole } from "../../base/whole-file.ts";
import { type Refusal, readRefusals } from "./refusal.ts";
import { classified } from "./refusal-code.ts";

const LIMITS = {
  /** Different ones that are remembered; the oldest goes first. */
  entries: 500,
  /** From one address, so that one flood does not push out what others met. */
  ofAddress: 25,
  /** Of each text. */
  characters: 200,
  /** So late is the file at most. */
  writeMs: 5 * SECOND,
} as const;

/** Keeps the last refusals of external systems in memory, and in a file of bounded size: nothing that a stranger does fills the disk. */
export class Refusals implements Closable {
  readonly #o: RefusalsOptions;
  /** The oldest first. */
  readonly #all = new Map<string, Refusal>();
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: RefusalsOptions) {
    this.#o = options;
  }

  static async open(options: RefusalsOptions): Promise<Refusals> {
    const refusals = new Refusals(options);
    for (const one of await readRefusals(options.file).catch(() => [])) refusals.#all.set(keyOf(one), one);
    return refusals;
  }

  /** The newest first. */
  list(): readonly Refusal[] {
    return [...this.#all.values()].reverse();
  }

  /** To be told of every request that is refused; what is no attempt, as the first request of a digest client, counts for nothing. */
  readonly refused = ({ fault, interface: door, address, who, what }: RefusedRequest): void => {
    const found = classified(fault, what);
    if (found === undefined) return;
    const account = who ?? (fault instanceof UnauthenticatedFault ? fault.account : undefined);
    if (account !== undefined && fault instanceof UnauthenticatedFault && this.#o.stateOf(account) === "not-armed")
      this.#o.audit.record({
        who: account,
        action: "log-in",
        interface: door,
        address,
        outcome: "denied",
        why: NOT_ARMED,
      });
    this.#add({ ...found, interface: door, address, what, ...(account === undefined ? {} : { account }) });
  };

  /** The same of TLS at the HTTP doors, which stand for both the pages and ONVIF. */
  readonly tlsFailed = (cause: Error, address: string): void =>
    this.refused({
      fault: new Fault("invalid", "no TLS came about", { cause }),
      interface: "onvif",
      address,
      what: "TLS",
    });

  async close(): Promise<void> {
    if (this.#timer === undefined) return this.#writing;
    this.#timer.cancel();
    return this.#write();
  }

  #add(found: Omit<Refusal, "first" | "last" | "count" | "accountState">): void {
    const cut = Object.fromEntries(
      Object.entries(found).map(([name, value]) => [name, plain(value)]),
    ) as unknown as typeof found;
    const key = keyOf(cut);
    const before = this.#all.get(key);
    this.#all.delete(key);
    const last = this.#o.clock.now();
    this.#all.set(key, {
      ...cut,
      ...(cut.account === undefined ? {} : { accountState: this.#o.stateOf(cut.account) }),
      first: before?.first ?? last,
      last,
      count: (before?.count ?? 0) + 1,
    });
    this.#bound(networkOf(cut.address));
    this.#timer ??= this.#o.clock.after(LIMITS.writeMs, () => void this.#write());
  }

  #bound(network: string): void {
    const theirs = [...this.#all].filter(([, { address }]) => networkOf(address) === network);
    for (const [key] of theirs.slice(0, Math.max(0, theirs.length - LIMITS.ofAddress))) this.#all.delete(key);
    for (const key of this.#all.keys()) {
      if (this.#all.size <= LIMITS.entries) break;
      this.#all.delete(key);
    }
  }

  #write(): Promise<void> {
    this.#timer = undefined;
    const text = `${JSON.stringify([...this.#all.values()])}\n`;
    this.#writing = this.#writing
      .then(() => writeWhole(this.#o.file, text))
      .catch((thrown: unknown) => this.#o.log.warn({ err: asFault(thrown) }, "cannot keep what clients were refused"));
    return this.#writing;
  }
}

export interface RefusalsOptions {
  readonly file: string;
  readonly stateOf: (account: string) => NonNullable<Refusal["accountState"]>;
  /** Told of external systems that come while they are not armed. */
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
}

/** Strangers wrote it, and it comes to terminals: nothing that moves the cursor, begins a line, or turns the way of writing. */
function plain(text: string): string {
  return text.slice(0, LIMITS.characters).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
}

function keyOf({
  code,
  interface: door,
  address,
  account,
  what,
  camera,
  right,
}: Omit<Refusal, "first" | "last" | "count">): string {
  return JSON.stringify([code, door, address, account, what, camera, right]);
}
