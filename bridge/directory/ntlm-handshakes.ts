import { networkOf } from "../../base/address.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import type { NtlmAnswer, NtlmHelper } from "../../directory/ntlm-helper.ts";

const LIMITS = {
  /** Log-ins in progress, each with a process of its own. */
  atOnce: 8,
  /** Of these from one address, or one /64 of IPv6, so that one machine does not keep out the others. */
  fromOneMachine: 4,
  /** From a challenge to its answer, which a program has at once: who types a password does it before. */
  answerMs: 5 * SECOND,
} as const;

/** A client's connection: one and the same object for as long as it lasts. */
export interface Connection {
  once(event: "close", listener: () => void): unknown;
  off(event: "close", listener: () => void): unknown;
}

/** What stands between a challenge and its answer. */
interface Handshake {
  /** Over, without an answer. */
  readonly giveUp: () => void;
  /** Whoever answers takes the helper along. */
  readonly take: () => NtlmHelper;
}

/**
 * Log-ins by NTLM that have begun, each bound to the one connection on which it began (MS-NTHT 3.1). A helper that has answered is kept for
 * the next log-in, with whose beginning it forgets the last one.
 */
export class NtlmHandshakes {
  readonly #start: () => NtlmHelper;
  readonly #clock: Clock;
  readonly #waiting = new Map<Connection, Handshake>();
  /** Helpers in use, and for which machine ({@link networkOf}). */
  readonly #lent = new Map<NtlmHelper, string>();
  readonly #idle: NtlmHelper[] = [];
  #closed = false;

  constructor(start: () => NtlmHelper, clock: Clock) {
    this.#start = start;
    this.#clock = clock;
  }

  /** The helper's answer to a first message; what had begun on the connection before is over. Faults: `busy`, `unavailable`. */
  async begin(connection: Connection, address: string, message: Buffer): Promise<NtlmAnswer> {
    this.#waiting.get(connection)?.giveUp();
    const helper = this.#lend(address);
    let gone = false;
    const close = (): void => {
      gone = true;
    };
    connection.once("close", close);
    try {
      const answer = await helper.begin(message);
      if (answer.is !== "challenge" || gone) this.#giveBack(helper);
      else this.#wait(connection, helper);
      return answer;
    } catch (error) {
      this.#giveBack(helper);
      throw error;
    } finally {
      connection.off("close", close);
    }
  }

  /**
   * Takes the helper that waits on this connection for an answer to its challenge, for `work` alone: a challenge is answered once. Undefined
   * where none was made there.
   */
  async answered<T>(connection: Connection, work: (helper: NtlmHelper) => Promise<T>): Promise<T | undefined> {
    const helper = this.#waiting.get(connection)?.take();
    if (helper === undefined) return undefined;
    try {
      return await work(helper);
    } finally {
      this.#giveBack(helper);
    }
  }

  close(): void {
    this.#closed = true;
    for (const helper of [...this.#lent.keys(), ...this.#idle]) helper.close();
    // One that gives up takes itself out of the map, which a walk through it allows.
    for (const { giveUp } of this.#waiting.values()) giveUp();
  }

  #wait(connection: Connection, helper: NtlmHelper): void {
    // Of two that began side by side, the later one counts.
    this.#waiting.get(connection)?.giveUp();
    const take = (): NtlmHelper => {
      this.#waiting.delete(connection);
      timer.cancel();
      connection.off("close", giveUp);
      return helper;
    };
    const giveUp = (): void => this.#giveBack(take());
    const timer: Timer = this.#clock.after(LIMITS.answerMs, giveUp);
    connection.once("close", giveUp);
    this.#waiting.set(connection, { giveUp, take });
  }

  #lend(address: string): NtlmHelper {
    if (this.#closed) throw new Fault("unavailable", "log-ins by NTLM are closed");
    const machine = networkOf(address);
    const here = [...this.#lent.values()].filter((one) => one === machine).length;
    if (this.#lent.size >= LIMITS.atOnce || here >= LIMITS.fromOneMachine)
      throw new Fault("busy", "too many log-ins by NTLM at once", { tell: "busy, try again" });
    let helper = this.#idle.pop();
    // One may have ended since: winbind was started anew, or somebody has ended it.
    while (helper !== undefined && !helper.works) helper = this.#idle.pop();
    helper ??= this.#start();
    this.#lent.set(helper, machine);
    return helper;
  }

  #giveBack(helper: NtlmHelper): void {
    this.#lent.delete(helper);
    if (helper.works) this.#idle.push(helper);
  }
}
