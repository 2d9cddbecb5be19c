import type { Clock } from "../base/clock.ts";
import { type Log, Repeats } from "../base/log.ts";
import { Secret } from "../base/secret.ts";
import type { AccountStore } from "./account-store.ts";
import { FactorDemanded } from "./factor-demand.ts";
import type { IntegrationLogIns, SecretCandidate } from "./integration-log-ins.ts";
import type { KnownAccount, KnownAccounts } from "./known-accounts.ts";
import { hashPassword, isOutdated, verifyPassword } from "./password.ts";
import type { PasswordCheck } from "./password-check.ts";
import type { Peer, Principal } from "./principal.ts";
import type { Interface } from "./right.ts";
import type { SecondFactors } from "./second-factors.ts";
import { PasswordIsTemporary } from "./temporary-password.ts";
import type { Throttle } from "./throttle.ts";
import { UnauthenticatedFault } from "./unauthenticated.ts";

const DIRECTORY_DOWN = "wrong name or password, or the directory cannot be asked just now: try again in a minute";

interface Parts {
  readonly known: KnownAccounts;
  readonly store: AccountStore;
  readonly integrations: IntegrationLogIns;
  readonly passwords: PasswordCheck;
  readonly throttle: Throttle;
  readonly factors: Pick<SecondFactors, "has"> | undefined;
  readonly logInWaits: (accountId: string) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Log-ins with a name and a password: those of people, and those where both arrive with each request. Its Faults stand at `Accounts`. */
export class PasswordLogIn {
  readonly #o: Parts;
  readonly #failures: Repeats;

  constructor(parts: Parts) {
    this.#o = parts;
    this.#failures = new Repeats(parts.clock);
  }

  /** Where nobody can be asked for more than the password. */
  async check(name: string, password: Secret, address: string): Promise<Principal> {
    const { passwords, integrations } = this.#o;
    return passwords.inTime(async () => {
      const came = integrations
        .candidates(name)
        .filter(({ secret, principal }) => secret.equals(password.reveal()) && principal !== undefined)[0];
      const known = await this.#checked(name, password, came);
      came?.used(address);
      const principal = came?.principal ?? known.principal;
      if (known.account.temporaryPassword === true)
        throw new UnauthenticatedFault(
          `${name} has a temporary password, which opens nothing before another is chosen`,
          {
            account: name,
          },
        );
      if (this.asksForMore(principal.accountId) !== undefined)
        throw new UnauthenticatedFault(
          `${name} needs a second factor or a second person besides the password, who are asked for at the pages alone`,
          { account: name },
        );
      return principal;
    });
  }

  /** What is asked for besides, at the pages alone; undefined where nothing is. */
  asksForMore(accountId: string): "second factor" | "second person" | undefined {
    const { known, factors, logInWaits } = this.#o;
    if (logInWaits(accountId)) return "second person";
    const demanded = known.find(accountId)?.demandsFactor === true;
    return demanded || factors?.has(accountId) === true ? "second factor" : undefined;
  }

  /** Of a person through `door`, before the second factor, if there is one. */
  async logIn(name: string, password: string, peer: Peer, door: Interface): Promise<Principal> {
    const { known, passwords, throttle, log } = this.#o;
    throttle.admit(peer.address, name);
    const given = new Secret(password);
    try {
      const entry = await passwords.inTime(async () => {
        const found = await this.#checked(name, given);
        if (found.account.kind !== "person") throw new UnauthenticatedFault(`${name} is not a person`);
        return found;
      });
      throttle.succeeded(peer.address, name);
      if (entry.account.temporaryPassword === true) throw new PasswordIsTemporary(entry.account, entry.generation);
      if (known.lacksFactor(entry)) throw new FactorDemanded(entry.account);
      return entry.account.directory === undefined ? await this.#rehashed(entry, given) : entry.principal;
    } catch (error) {
      if (error instanceof UnauthenticatedFault) {
        throttle.failed(peer.address, name);
        const repeated = this.#failures.admit(`${peer.address} ${name}`);
        if (repeated !== undefined)
          log.warn({ account: name.slice(0, 64), address: peer.address, door, repeated }, "log-in failed");
      }
      throw error;
    }
  }

  /** With a second factor or without. */
  async #checked(name: string, password: Secret, came?: SecretCandidate): Promise<KnownAccount> {
    const { known, passwords, clock } = this.#o;
    const entry = known.named(name);
    if (!(await this.#isRight(entry, password, came)) || entry === undefined || !known.isLetIn(entry))
      throw new UnauthenticatedFault(`wrong name or password for ${name}`, {
        account: name,
        ...(passwords.directoryDown ? { tell: DIRECTORY_DOWN } : {}),
      });
    // The account may have changed while the password was checked.
    const now = known.find(entry.account.id);
    if (now === undefined || !known.isLetIn(now) || now.credential !== entry.credential)
      throw new UnauthenticatedFault(`${name} was changed during the log-in`);
    now.usedAt = clock.monotonic();
    return now;
  }

  /** `came`: the secret of an integration that it is. */
  async #isRight(entry: KnownAccount | undefined, password: Secret, came?: SecretCandidate): Promise<boolean> {
    const { known, passwords } = this.#o;
    if (entry?.account.kind !== "integration") {
      const isIn = entry !== undefined && known.isLetIn(entry);
      return passwords.isRight(entry, isIn, password);
    }
    if (came !== undefined) return true;
    // A wrong one takes as long as with every other name.
    return verifyPassword(undefined, password);
  }

  /** The only moment at which the password is at hand to be hashed at today's cost. The log-in does not depend on it. Answers who that is then. */
  async #rehashed({ account: { id }, credential: old, principal }: KnownAccount, password: Secret): Promise<Principal> {
    const { known, store, log } = this.#o;
    if (!isOutdated(old)) return principal;
    try {
      const hash = await hashPassword(password);
      return await store.inTurn(async () => {
        const now = known.find(id);
        if (now?.credential !== old) return principal;
        await store.update(now.account, hash);
        return known.get(id).principal;
      });
    } catch (err) {
      log.warn({ err, account: id }, "could not hash a password anew");
      return principal;
    }
  }
}
