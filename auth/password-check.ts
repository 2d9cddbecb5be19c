import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { equalInConstantTime, type Secret } from "../base/secret.ts";
import { MINUTE, type MonotonicMillis, SECOND } from "../base/units.ts";
import type { Account } from "./account.ts";
import type { DirectoryLogIn } from "./directory-link.ts";
import { verifyPassword } from "./password.ts";
import { UnauthenticatedFault } from "./unauthenticated.ts";

const LIMITS = {
  /** A password that was right needs no new argon2 for this long: Basic sends it with each request. */
  rememberMs: 1 * MINUTE,
  /** Where there are directories, refused log-ins are answered at multiples of this, so that how long it took tells nothing. */
  refusalMs: 1 * SECOND,
} as const;

const CHANGE_PASSWORD =
  "that password has expired or has to be changed: change it at a computer of your domain, then log in here";

/** A person, and the hash of their password. Another object after each change of either. */
interface Checked {
  readonly account: Account;
  readonly credential: string;
}

/** Whether passwords of people are right: by the hash that is kept, or by asking the directory that has them. */
export class PasswordCheck {
  readonly #clock: Clock;
  readonly #rememberKey = randomBytes(32);
  /** Passwords that were right a moment ago, as keyed hashes. */
  readonly #remembered = new WeakMap<Checked, { readonly mark: Buffer; readonly until: MonotonicMillis }>();
  #directories: DirectoryLogIn | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on passwords of people of directories are asked for there. */
  useDirectories(directories: DirectoryLogIn): void {
    this.#directories = directories;
  }

  /** One of the directories cannot be asked just now. */
  get directoryDown(): boolean {
    return this.#directories?.down === true;
  }

  /** Whoever is refused, for whatever reason, is so after a time that tells nothing. */
  async inTime<T>(check: () => Promise<T>): Promise<T> {
    return this.#directories === undefined ? check() : refusedInTime(this.#clock, check);
  }

  /** Takes as long for whom there is not (`of` is undefined). `isIn`: they are let in at all. Faults: `unauthenticated` (to be changed first), `busy`. */
  async isRight(of: Checked | undefined, isIn: boolean, password: Secret): Promise<boolean> {
    const mark = createHash("sha256").update(this.#rememberKey).update(password.reveal()).digest();
    const known = of && this.#remembered.get(of);
    if (known !== undefined && known.until > this.#clock.monotonic() && equalInConstantTime(known.mark, mark))
      return true;
    const right = await this.#isPassword(of, isIn, password);
    if (right && of !== undefined)
      this.#remembered.set(of, { mark, until: (this.#clock.monotonic() + LIMITS.rememberMs) as MonotonicMillis });
    return right;
  }

  async #isPassword(entry: Checked | undefined, isIn: boolean, password: Secret): Promise<boolean> {
    const link = entry?.account.directory;
    if (entry === undefined || link === undefined) return verifyPassword(entry?.credential, password);
    const [answer] = await Promise.all([
      isIn ? this.#directories?.logIn(link, password) : "wrong",
      // With other names that is done, too.
      verifyPassword(undefined, password),
    ]);
    if (answer === "change-password")
      throw new UnauthenticatedFault(`the password of ${entry.account.name} has to be changed`, {
        tell: CHANGE_PASSWORD,
      });
    return answer === "in";
  }
}

/** Does what a directory decides; what fails does so at a multiple of a second. */
export async function refusedInTime<T>(clock: Clock, check: () => Promise<T>): Promise<T> {
  const begun = clock.monotonic();
  try {
    return await check();
  } catch (error) {
    await clock.sleep(LIMITS.refusalMs - ((clock.monotonic() - begun) % LIMITS.refusalMs));
    throw error;
  }
}
