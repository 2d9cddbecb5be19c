import type { DirectoryAnswer } from "../../auth/directory-link.ts";
import { MOST_ACCOUNTS } from "../../auth/known-accounts.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { Secret } from "../../base/secret.ts";
import type { DirectoryAccess } from "../../directory/access.ts";
import { LockoutGuard } from "../../directory/lockout-guard.ts";
import type { LockoutPolicy } from "../../directory/lockout-policy.ts";
import type { Person } from "../../directory/person.ts";
import { BindFault } from "../../directory/refusal.ts";

/** Log-ins that a directory is asked for at once. */
const AT_ONCE = 24;

/** Log-ins of a directory's people, which it is asked for each time: a password of theirs is kept nowhere. */
export class DirectoryLogIns {
  readonly #access: DirectoryAccess;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #guard: LockoutGuard;
  /** Log-ins that the directory is being asked for: the same one again waits for the same answer. */
  readonly #running = new Map<string, Promise<DirectoryAnswer>>();

  constructor(access: DirectoryAccess, clock: Clock, log: Log) {
    this.#access = access;
    this.#clock = clock;
    this.#log = log;
    this.#guard = new LockoutGuard(clock, MOST_ACCOUNTS);
  }

  /** When the directory locks accounts. */
  follow(policy: LockoutPolicy): void {
    this.#guard.follow(policy);
  }

  /** Whether the person may log in with the password now. Fault `busy`. */
  async logIn(id: string, password: Secret): Promise<DirectoryAnswer> {
    const key = this.#guard.keyOf(id, password.reveal());
    const same = this.#running.get(key);
    if (same !== undefined) return same;
    if (this.#running.size >= AT_ONCE)
      throw new Fault("busy", "too many log-ins by the directory at once", { tell: "busy, try again" });
    if (!this.#admits(id, password.reveal())) return "wrong";
    const answer = this.#bind(id, password).finally(() => {
      this.#running.delete(key);
      this.#guard.done(id);
    });
    this.#running.set(key, answer);
    return answer;
  }

  /**
   * A log-in that the directory is asked for in another way than with the password: passed on only as often as wrong passwords are, with
   * which it counts. `proof` tells one attempt from another.
   */
  async guarded(id: string, proof: string, ask: () => Promise<DirectoryAnswer>): Promise<DirectoryAnswer> {
    if (!this.#admits(id, proof)) return "wrong";
    try {
      const answer = await ask();
      if (answer === "in") this.#guard.succeeded(id);
      if (answer === "wrong") this.#guard.failed(id, proof);
      return answer;
    } finally {
      this.#guard.done(id);
    }
  }

  #admits(id: string, password: string): boolean {
    if (this.#guard.admits(id, password)) return true;
    this.#log.warn({ person: id }, "a log-in was not passed on, so that the directory does not lock the account");
    return false;
  }

  async #bind(id: string, password: Secret): Promise<DirectoryAnswer> {
    let person: Person | undefined;
    try {
      // Where the person is now, and whether they are in: both may have changed since the last sync.
      [person] = await this.#access.read((reader) => reader.states([id]));
      if (person === undefined || person.standing === "disabled") return "wrong";
      // `shadowExpire` is for whoever asks: the servers themselves do not look at it.
      if (this.#clock.now() >= (person.expires ?? Number.POSITIVE_INFINITY)) return "wrong";
    } catch (err) {
      this.#log.warn({ err }, "the directory could not be asked for a log-in");
      return "unreachable";
    }
    try {
      await this.#access.logIn(person.dn, password);
      this.#guard.succeeded(id);
      return "in";
    } catch (err) {
      this.#log.info({ err, person: person.name }, "the directory refused a log-in");
      if (!(err instanceof BindFault)) return "unreachable";
      if (err.refusal === "wrong") this.#guard.failed(id, password.reveal());
      return err.refusal === "password-expired" || err.refusal === "must-change-password" ? "change-password" : "wrong";
    }
  }
}
