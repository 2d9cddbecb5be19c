import { hash, needsRehash, verify } from "argon2";
import { ConcurrencyLimit } from "../base/concurrency-limit.ts";
import { Fault } from "../base/fault.ts";
import type { Secret } from "../base/secret.ts";

const LIMITS = {
  /** A hash takes 19 MiB and one of the four threads that files and names need too. */
  atOnce: 2,
  /** Waiting hashes; about a second of work for both. */
  queue: 20,
  /** Longer ones are refused before they are hashed. */
  passwordBytes: 1024,
  /** Shortest password of a person. Length is the rule that helps; rules about characters are not (NIST SP 800-63B 3.1.1). */
  passwordLength: 12,
} as const;

/** OWASP's minimum for argon2id: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 } as const;

/** Made when first needed: the hash of a password that nobody has, at today's cost. */
let decoy: Promise<string> | undefined;
const limit = new ConcurrencyLimit(LIMITS.atOnce);

/** Throws `invalid` unless the password may be a person's: long enough, not too long, and not the name. */
export function assertGoodPassword(name: string, password: Secret): void {
  const text = password.reveal();
  const plain = text.normalize("NFKC").toLowerCase();
  if (text.length < LIMITS.passwordLength) refuse(`a password needs ${LIMITS.passwordLength} characters or more`);
  if (Buffer.byteLength(text) > LIMITS.passwordBytes) refuse("the password is too long");
  if (plain === name.normalize("NFKC").toLowerCase()) refuse("the password must not be the name");
  if (new Set(plain).size < 4) refuse("the password repeats too few characters");
}

/** The argon2id hash as a PHC string. Fault `busy` when too many are waiting. */
export function hashPassword(password: Secret): Promise<string> {
  return inTurn(() => hash(password.reveal(), COST));
}

/**
 * True when the password is the one that was hashed. Without a hash (no such account) it does the same work and is false.
 * Fault `busy` when too many are waiting.
 */
export async function verifyPassword(phc: string | undefined, password: Secret): Promise<boolean> {
  const text = password.reveal();
  const fits = Buffer.byteLength(text) <= LIMITS.passwordBytes;
  return inTurn(async () => {
    const right = await verify(phc ?? (await decoyHash()), fits ? text : "");
    return right && fits && phc !== undefined;
  });
}

/** The hash was made at another cost than today's: hash again at the next log-in. */
export function isOutdated(phc: string): boolean {
  return needsRehash(phc, COST);
}

function decoyHash(): Promise<string> {
  decoy ??= hash("nobody has this password", COST);
  return decoy;
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (limit.waiting >= LIMITS.queue)
    throw new Fault("busy", "too many passwords to check at one time", { tell: "busy, try again" });
  return limit.run(work);
}

function refuse(tell: string): never {
  throw new Fault("invalid", `password refused: ${tell}`, { tell });
}
