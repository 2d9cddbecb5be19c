import { hash, randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { equalDigests, Secret } from "../../base/secret.ts";
import { isoOf, MINUTE, type Millis, type MonotonicMillis, type UnixMillis } from "../../base/units.ts";
import type { Accounts } from "../accounts.ts";
import type { SecretCandidate } from "../integration-log-ins.ts";
import type { Peer, Principal } from "../principal.ts";
import type { Throttle } from "../throttle.ts";
import { UnauthenticatedFault } from "../unauthenticated.ts";
import type { Credentials } from "./http.ts";

const LIMITS = {
  /** How far a client's clock may be off (WSS UsernameToken Profile 1.1, 3.1 recommends five minutes). */
  windowMs: 5 * MINUTE,
  /** A token is remembered for longer than it is good: that is looked at by another clock, and before a password is hashed. */
  longerMs: 1 * MINUTE,
  /** Bounds of the nonce, decoded. Shorter ones repeat by chance. */
  nonceBytes: [8, 64],
  /** Tokens that were right and are remembered. Guessing fills nothing. */
  remembered: 50_000,
  /** Of which something was forgotten: as many as there can be, so that those go that are gone. */
  accounts: 20_000,
  nameLength: 256,
} as const;

/** The content of `wsse:UsernameToken`, as sent. */
export interface UsernameToken {
  readonly username: string;
  readonly password: string;
  /** The Type of the password: PasswordDigest, or PasswordText, which is also meant where there is none. */
  readonly type: "digest" | "text";
  /** Base64. */
  readonly nonce?: string;
  readonly created?: string;
}

/**
 * Verifies WS-Security UsernameTokens (OASIS WSS UsernameToken Profile 1.1). Both Nonce and Created are demanded (ONVIF Core,
 * "Authentication"), each token works once, and readable passwords are taken only inside TLS.
 */
export class UsernameTokenVerifier {
  readonly #accounts: Accounts;
  readonly #clock: Clock;
  readonly #throttle: Throttle;
  readonly #windowMs: Millis;
  /** In the order of their use, with the time of the use. */
  readonly #used = new Map<string, MonotonicMillis>();
  readonly #remembered: number;
  /** By account: its tokens made up to this instant may have been used and forgotten. Those of others have clocks of their own. */
  readonly #forgottenUpTo = new Map<string, number>();

  constructor(options: {
    readonly accounts: Accounts;
    readonly clock: Clock;
    readonly throttle: Throttle;
    readonly windowMs?: Millis;
    /** For tests: how many tokens are remembered. */
    readonly remembered?: number;
  }) {
    this.#accounts = options.accounts;
    this.#clock = options.clock;
    this.#throttle = options.throttle;
    this.#windowMs = options.windowMs ?? LIMITS.windowMs;
    this.#remembered = options.remembered ?? LIMITS.remembered;
  }

  /** Faults: `unauthenticated`, `busy` (throttled, or too many passwords to check). */
  async verify(token: UsernameToken, peer: Peer): Promise<Principal> {
    const name = token.username.slice(0, LIMITS.nameLength);
    this.#throttle.admit(peer.address, name);
    try {
      const principal = await this.#check(token, peer);
      this.#throttle.succeeded(peer.address, name);
      return principal;
    } catch (error) {
      if (error instanceof UnauthenticatedFault && !error.stale) this.#throttle.failed(peer.address, name);
      throw error;
    }
  }

  async #check(token: UsernameToken, peer: Peer): Promise<Principal> {
    const { username, password, type } = token;
    const nonce = nonceOf(token.nonce);
    const created = instantOf(token.created);
    if (username.length > LIMITS.nameLength) throw new UnauthenticatedFault("name is too long");
    if (nonce === undefined || created === undefined || token.created === undefined)
      throw new UnauthenticatedFault(`token of ${username} without a usable Nonce and Created`, {
        failure: "incomplete-token",
        account: username,
      });
    if (type === "text" && !peer.tls)
      throw new UnauthenticatedFault(`readable password of ${username} outside TLS`, {
        failure: "readable-password",
        account: username,
      });
    const behindMs = this.#clock.now() - created;

    let principal: Principal | undefined;
    let came: SecretCandidate | undefined;
    if (type === "text") principal = await this.#accounts.checkPassword(username, new Secret(password), peer.address);
    else {
      const { created: signed } = token;
      // Who is wrong is compared with both: how long it takes must not tell that a name is unknown.
      came = this.#accounts.integrationSecrets(username).find(({ secret, principal: known }) => {
        const right = equalDigests(passwordDigest(nonce, signed, secret), password);
        return right && known !== undefined;
      });
      principal = came?.principal;
    }
    if (principal === undefined)
      throw new UnauthenticatedFault(`wrong name or secret for ${username}`, { account: username });
    // Last, so that only who knows the secret learns that the clock is off.
    if (Math.abs(behindMs) > this.#windowMs) {
      const seconds = String(Math.round(behindMs / 1000));
      const message = `clock of ${username} is behind by ${seconds} s`;
      throw new UnauthenticatedFault(message, {
        stale: true,
        failure: "clock-off",
        account: username,
        detail: seconds,
      });
    }
    this.#useOnce(principal.accountId, nonce.toString("base64"), created, username);
    came?.used(peer.address);
    return principal;
  }

  #useOnce(accountId: string, nonce: string, created: UnixMillis, account: string): void {
    const key = `${accountId} ${nonce} ${created}`;
    const now = this.#clock.monotonic();
    for (const [old, usedAt] of this.#used) {
      // Twice the window: a token from the future is good for that long.
      const expired = now - usedAt > 2 * this.#windowMs + LIMITS.longerMs;
      if (!expired && this.#used.size < this.#remembered) break;
      this.#used.delete(old);
      if (!expired) this.#forget(old);
    }
    if (this.#used.has(key) || created <= (this.#forgottenUpTo.get(accountId) ?? Number.NEGATIVE_INFINITY))
      throw new UnauthenticatedFault("token was used already", { stale: true, failure: "used-again", account });
    this.#used.set(key, now);
  }

  #forget(key: string): void {
    const [accountId = "", , created] = key.split(" ");
    const before = this.#forgottenUpTo.get(accountId) ?? Number.NEGATIVE_INFINITY;
    this.#forgottenUpTo.delete(accountId);
    this.#forgottenUpTo.set(accountId, Math.max(before, Number(created)));
    if (this.#forgottenUpTo.size > LIMITS.accounts)
      this.#forgottenUpTo.delete(this.#forgottenUpTo.keys().next().value ?? "");
  }
}

/** The client's side: a `wsse:Security` header element for SOAP 1.2, good for one request. `created`: the camera's time, not ours. */
export function usernameTokenHeader(credentials: Credentials, created: UnixMillis): string {
  const nonce = randomBytes(16);
  const at = isoOf(created);
  const wss = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss";
  return (
    `<wsse:Security xmlns:wsse="${wss}-wssecurity-secext-1.0.xsd" xmlns:wsu="${wss}-wssecurity-utility-1.0.xsd" ` +
    `xmlns:s="http://www.w3.org/2003/05/soap-envelope" s:mustUnderstand="true"><wsse:UsernameToken>` +
    `<wsse:Username>${escaped(credentials.user)}</wsse:Username>` +
    `<wsse:Password Type="${wss}-username-token-profile-1.0#PasswordDigest">` +
    `${passwordDigest(nonce, at, credentials.password)}</wsse:Password>` +
    `<wsse:Nonce EncodingType="${wss}-soap-message-security-1.0#Base64Binary">${nonce.toString("base64")}</wsse:Nonce>` +
    `<wsu:Created>${at}</wsu:Created></wsse:UsernameToken></wsse:Security>`
  );
}

function passwordDigest(nonce: Buffer, created: string, secret: Secret): string {
  return hash("sha1", Buffer.concat([nonce, Buffer.from(created + secret.reveal())]), "base64");
}

function nonceOf(text: string | undefined): Buffer | undefined {
  if (text === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  const [least, most] = LIMITS.nonceBytes;
  return bytes.length >= least && bytes.length <= most ? bytes : undefined;
}

/** xs:dateTime; without a zone UTC (WSS SOAP Message Security 1.1, 10). */
function instantOf(text: string | undefined): UnixMillis | undefined {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/.exec(text ?? "");
  if (parts === null) return undefined;
  const [, whole = "", fraction = "", zone = "Z"] = parts;
  const at = Date.parse(`${whole}${fraction.slice(0, 4)}${zone}`);
  return Number.isNaN(at) ? undefined : (at as UnixMillis);
}

function escaped(text: string): string {
  if (/\p{Cc}/u.test(text)) throw new Fault("invalid", "user name with control characters");
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
