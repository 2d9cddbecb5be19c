import { createHash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { Closable } from "../../base/lifecycle.ts";
import { HOUR, type UnixMillis } from "../../base/units.ts";
import { isSameName } from "../account-name.ts";
import type { Accounts } from "../accounts.ts";
import type { TOKEN_INTERFACES } from "../api-token.ts";
import { isArmed, NOT_ARMED } from "../arming.ts";
import type { Audit } from "../audit.ts";
import type { Peer, Principal } from "../principal.ts";
import { principalUntil } from "../principal-until.ts";
import type { Interface } from "../right.ts";
import type { Throttle } from "../throttle.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import { RefusedJwt } from "./refused-jwt.ts";
import { issuerIn, JWT_SHAPE, type JwtRules, type VerifiedJwt, verifyJwt } from "./verify-jwt.ts";

const LIMITS = {
  /** Of a token: a line of RTSP has 8 KiB. */
  characters: 7 * 1024,
  /** Tokens whose signature need not be checked again; the one that was used longest ago goes first. What runs by it goes on. */
  remembered: 2000,
  /** Of an account's name in a token. */
  nameLength: 256,
  /** A use stands in the audit log when the one before it, by the same account from the same address, was so long ago. */
  auditEveryMs: 1 * HOUR,
  audited: 10_000,
} as const;

/** What failed tokens count under: no account can have this name. */
const UNKNOWN = ":jwt";

/** Somebody whose tokens are taken, and what for. */
export interface JwtIssuer {
  /** In the settings, and so in the log. */
  readonly name: string;
  readonly rules: JwtRules;
  readonly keys: Pick<IssuerKeys, "find">;
  /** What names the account. */
  readonly claim: string;
  /** The account for each value of the claim; where undefined, the value is the account's name. */
  readonly accounts: ReadonlyMap<string, string> | undefined;
  readonly interfaces: ReadonlySet<(typeof TOKEN_INTERFACES)[number]>;
  /** It has asked for a second factor, so that people who have one here may come by its tokens. */
  readonly asksForFactor: boolean;
}

/** A token that was taken. Another one with the same text is the same. */
interface Taken extends VerifiedJwt {
  readonly issuer: JwtIssuer;
  /** The account that it was for when it was first shown. */
  readonly accountId: string;
  /** Made from the account's principal of a moment, as long as that is the present one. */
  made: { readonly of: Principal; readonly principal: Principal } | undefined;
}

/**
 * Log-ins by JSON Web Tokens of issuers that the settings name (RFC 7519, RFC 6750; ONVIF Core 5.9). A token says whose account comes, and
 * nothing of rights: these are the account's at that moment. What runs by one ends when it expires, when its issuer takes its key back, and
 * with the account.
 */
export class JwtLogIns implements Closable {
  readonly #issuers: ReadonlyMap<string, JwtIssuer>;
  readonly #o: JwtLogInsParts;
  /** By hash, so that no token is kept; in the order of their last use. */
  readonly #taken = new Map<string, Taken>();
  readonly #audited = new Map<string, UnixMillis>();
  readonly #keys: readonly Closable[];

  /** Issuers differ in `rules.issuer`. Their keys are closed with this. */
  constructor(issuers: readonly (JwtIssuer & { readonly keys: Closable })[], parts: JwtLogInsParts) {
    this.#issuers = new Map(issuers.map((one) => [one.rules.issuer, one]));
    this.#keys = issuers.map(({ keys }) => keys);
    this.#o = parts;
  }

  /** Whether that is a JWT, and any is taken through `door`. */
  takes(text: string, door: Interface): boolean {
    return JWT_SHAPE.test(text) && [...this.#issuers.values()].some((issuer) => isFor(issuer, door));
  }

  /**
   * Who comes with a token through `door`, with the rights of this moment. Only inside TLS: the caller sees to it. Faults: `unauthenticated`
   * ({@link RefusedJwt}), always in the same words; `busy` (throttled); `unavailable` (the keys of its issuer are not at hand).
   */
  async verify(text: string, peer: Peer, door: Interface): Promise<Principal> {
    const { throttle } = this.#o;
    throttle.admit(peer.address, UNKNOWN);
    try {
      const taken = await this.#find(text);
      const principal = this.#present(taken);
      const account = this.#nameOf(taken);
      if (!isFor(taken.issuer, door)) throw new RefusedJwt(`tokens of its issuer are not for ${door}`, { account });
      if (principal === undefined) throw new RefusedJwt(this.#whyOut(taken), { account });
      this.#used(taken, principal, peer, door);
      return principal;
    } catch (error) {
      if (error instanceof RefusedJwt && error.isGuess) throttle.failed(peer.address, UNKNOWN);
      throw error;
    }
  }

  close(): void {
    for (const keys of this.#keys) void keys.close();
  }

  async #find(text: string): Promise<Taken> {
    if (text.length > LIMITS.characters)
      throw new RefusedJwt(`it is longer than ${LIMITS.characters} characters`, { isGuess: true });
    const hash = createHash("sha256").update(text).digest("base64");
    const before = this.#taken.get(hash);
    this.#taken.delete(hash);
    const taken = before ?? (await this.#verified(text));
    this.#taken.set(hash, taken);
    for (const oldest of this.#taken.keys()) {
      if (this.#taken.size <= LIMITS.remembered) break;
      this.#taken.delete(oldest);
    }
    return taken;
  }

  async #verified(text: string): Promise<Taken> {
    const named = issuerIn(text);
    const issuer = this.#issuers.get(named ?? "");
    if (issuer === undefined)
      throw new RefusedJwt(
        `no issuer ${JSON.stringify(named ?? "").slice(0, LIMITS.nameLength)} is listed in jwt.issuers`,
      );
    const verified = await verifyJwt(text, issuer.rules, issuer.keys, this.#o.clock.now());
    return { ...verified, issuer, accountId: this.#accountOf(verified, issuer), made: undefined };
  }

  #accountOf({ claims }: VerifiedJwt, { claim, accounts }: JwtIssuer): string {
    const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
    if (typeof value !== "string" || value === "" || value.length > LIMITS.nameLength)
      throw new RefusedJwt(`its ${claim} names nobody`);
    const name = accounts === undefined ? value : accounts.get(value);
    if (name === undefined) throw new RefusedJwt(`its ${claim} ${JSON.stringify(value)} is not listed under accounts`);
    const account = this.#o.accounts.named(name);
    if (account === undefined || !isSameName(account.name, name))
      throw new RefusedJwt(`there is no account "${name}"`, { account: name });
    return account.id;
  }

  /** Undefined where it has expired, its key is its issuer's no longer, or its account is out or asks for more. */
  #present(taken: Taken): Principal | undefined {
    const { accountId, expires, key } = taken;
    const { accounts, clock } = this.#o;
    if (clock.now() >= expires || key.gone.aborted || this.#asksForMore(taken)) return undefined;
    const of = accounts.principalOf(accountId);
    if (of === undefined) return undefined;
    if (taken.made?.of !== of)
      taken.made = {
        of,
        principal: principalUntil(of, { until: expires, revoked: key.gone, renew: () => this.#present(taken) }),
      };
    return taken.made.principal;
  }

  #asksForMore({ accountId, issuer }: Taken): boolean {
    const more = this.#o.accounts.asksForMore(accountId);
    return more === "second person" || (more === "second factor" && !issuer.asksForFactor);
  }

  #whyOut({ accountId, expires, key, issuer }: Taken): string {
    const { accounts, clock } = this.#o;
    if (clock.now() >= expires) return "it has expired";
    if (key.gone.aborted) return "its key is not its issuer's any more";
    if (!isArmed(accounts.find(accountId)?.arming, clock.now())) return NOT_ARMED;
    if (accounts.principalOf(accountId) === undefined) return "its account is out";
    return accounts.asksForMore(accountId) === "second person"
      ? "its account's log-in waits for a second person, at the pages alone"
      : `its account has a second factor, for which ${issuer.name} is not known to ask (asksForFactor)`;
  }

  #nameOf({ accountId }: Taken): string {
    return this.#o.accounts.find(accountId)?.name ?? accountId;
  }

  #used({ issuer }: Taken, { name }: Principal, { address }: Peer, door: Interface): void {
    const now = this.#o.clock.now();
    const key = JSON.stringify([issuer.name, name, address, door]);
    const before = this.#audited.get(key);
    if (before !== undefined && Math.abs(now - before) < LIMITS.auditEveryMs) return;
    this.#audited.delete(key);
    this.#audited.set(key, now);
    for (const oldest of this.#audited.keys()) {
      if (this.#audited.size <= LIMITS.audited) break;
      this.#audited.delete(oldest);
    }
    const subject = `JWT of ${issuer.name}`;
    this.#o.audit.record({ who: name, action: "use-token", subject, interface: door, outcome: "allowed", address });
  }
}

export interface JwtLogInsParts {
  readonly accounts: Pick<Accounts, "principalOf" | "find" | "named" | "asksForMore">;
  /** That of the other log-ins. */
  readonly throttle: Throttle;
  readonly audit: Audit;
  readonly clock: Clock;
}

function isFor({ interfaces }: JwtIssuer, door: Interface): boolean {
  return [...interfaces].some((one) => one === door);
}
