import { createHash, randomBytes } from "node:crypto";
import type { Kysely } from "kysely";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import type { Log } from "../base/log.ts";
import { makeSecret, Secret } from "../base/secret.ts";
import { DAY, HOUR, MINUTE, type UnixMillis, unixMillis } from "../base/units.ts";
import type { Accounts } from "./accounts.ts";
import { type ApiToken, certificateHash, rowOfToken, TOKEN_PREFIX, tokenOf } from "./api-token.ts";
import { isArmed, NOT_ARMED } from "./arming.ts";
import type { Audit } from "./audit.ts";
import type { AuthSchema } from "./auth-schema.ts";
import { readClientCertificate } from "./client-certificate.ts";
import { type HeldToken, heldOf, whyNotAt } from "./held-token.ts";
import { isNews, type LastUse } from "./last-use.ts";
import type { Peer, Principal } from "./principal.ts";
import { principalUntil } from "./principal-until.ts";
import type { Interface } from "./right.ts";
import type { Throttle } from "./throttle.ts";
import { UnauthenticatedFault } from "./unauthenticated.ts";

const LIMITS = {
  perAccount: 50,
  /** All are held in memory. */
  tokens: 20_000,
  /** Of its secret part, 5.8 bits each: more than 256 bits, so that a plain hash keeps it. */
  letters: 45,
  nameLength: 64,
  /** Networks from which one is taken. */
  networks: 32,
  /** Where nobody says otherwise. */
  validMs: 365 * DAY,
  longestMs: 10 * 365 * DAY,
  /** A use is written down when the one before it was so long ago, or from elsewhere. */
  useEveryMs: 1 * MINUTE,
  /** And stands in the audit log when the one that does was so long ago. */
  auditEveryMs: 1 * HOUR,
} as const;

const SHAPE = new RegExp(`^${TOKEN_PREFIX}[A-Za-z0-9]{${LIMITS.letters}}$`);

/** What failed tokens count under: no account can have this name. */
const UNKNOWN = ":token";

/** All that somebody with a wrong one is told. */
const TELL = "this token is not taken: it is unknown or revoked, has expired, or is not for this address or interface";

/** What is asked for of a new token. */
export interface NewToken {
  readonly name: string;
  /** The doors at which it is taken; the API alone if absent. */
  readonly interfaces?: readonly ApiToken["interfaces"][number][] | undefined;
  /** Addresses and networks (`10.2.0.0/24`) from which alone it is taken; from everywhere if absent or empty. */
  readonly networks?: readonly string[] | undefined;
  /** In a year if absent; never where null. */
  readonly expires?: UnixMillis | null | undefined;
}

/**
 * Tokens with which programs come in the place of an account (RFC 6750): each may what its account may at that moment and no
 * more, through the interfaces it is for. Only hashes are kept. In the place of a secret a token may be a certificate of the client. What
 * runs by one ends when it is revoked or expires, and with the account.
 */
export class ApiTokens implements Closable {
  readonly #query: Kysely<AuthSchema>;
  readonly #accounts: Pick<Accounts, "principalOf" | "find">;
  readonly #throttle: Throttle;
  readonly #audit: Audit;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #byId = new Map<string, HeldToken>();
  readonly #byHash = new Map<string, HeldToken>();
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(o: TokensOptions<AuthSchema>) {
    this.#query = o.query;
    this.#accounts = o.accounts;
    this.#throttle = o.throttle;
    this.#audit = o.audit;
    this.#clock = o.clock;
    this.#log = o.log;
  }

  /** Fault `unavailable` when the database cannot be read. */
  static async open<Schema extends AuthSchema>(o: TokensOptions<Schema>): Promise<ApiTokens> {
    // Kysely is invariant in its schema; the tables of others are never touched here.
    const tokens = new ApiTokens({ ...o, query: o.query as unknown as Kysely<AuthSchema> });
    try {
      for (const row of await tokens.#query.selectFrom("api_token").selectAll().execute()) {
        if (o.accounts.find(row.account) !== undefined) tokens.#put(tokenOf(row), row.hash);
        // Of an account that was removed.
        else await tokens.#query.deleteFrom("api_token").where("id", "=", row.id).execute();
      }
    } catch (cause) {
      throw new Fault("unavailable", "cannot read the API tokens", { cause });
    }
    return tokens;
  }

  /** Of an account, the newest first; also those that have expired. */
  list(accountId: string): readonly ApiToken[] {
    return [...this.#byId.values()]
      .map(({ token }) => token)
      .filter(({ account }) => account === accountId)
      .toSorted((a, b) => b.created - a.created);
  }

  /** The token cannot be read again later. Fault `invalid`: something of it makes no sense, or there are too many. */
  async make(accountId: string, wanted: NewToken): Promise<{ readonly token: ApiToken; readonly secret: Secret }> {
    const { expires } = wanted;
    const now = this.#clock.now();
    if (expires != null && (expires <= now || expires - now > LIMITS.longestMs))
      throw invalid("a token expires later than now, and within ten years; or never");
    const secret = new Secret(`${TOKEN_PREFIX}${makeSecret(LIMITS.letters).reveal()}`);
    const until = expires === null ? undefined : (expires ?? unixMillis(now + LIMITS.validMs));
    return { token: await this.#add(accountId, wanted, until, undefined, hashOf(secret.reveal())), secret };
  }

  /**
   * Takes a client's own certificate (PEM) as a token, until it expires, or sooner. Fault `invalid` as for {@link make}, and where the
   * certificate is not taken ({@link readClientCertificate}) or is one already.
   */
  async register(accountId: string, wanted: NewToken, pem: string): Promise<ApiToken> {
    const now = this.#clock.now();
    const certificate = readClientCertificate(pem, now);
    const expires = unixMillis(Math.min(certificate.expires, wanted.expires ?? Number.POSITIVE_INFINITY));
    if (expires <= now) throw invalid("a token expires later than now");
    const hash = certificateHash(certificate.fingerprint);
    if (this.#byHash.has(hash))
      throw invalid("this certificate is a token already: revoke that, or give each client its own");
    return this.#add(accountId, wanted, expires, certificate.fingerprint, hash);
  }

  /** Takes effect at once, also for what runs. Fault `not-found`: the account has no such token. */
  async revoke(accountId: string, id: string): Promise<ApiToken> {
    const held = this.#byId.get(id);
    if (held === undefined || held.token.account !== accountId) throw new Fault("not-found", `no token ${id}`);
    await this.#query.deleteFrom("api_token").where("id", "=", id).execute();
    this.#drop(held);
    held.revoke.abort(new Fault("denied", `the token ${held.token.name} was revoked`));
    return held.token;
  }

  /**
   * Who comes with a secret through `door`, with the rights of this moment. Only inside TLS: the caller sees to it. Faults:
   * `unauthenticated`, always in the same words; `busy` (throttled).
   */
  verify(text: string, peer: Peer, door: Interface): Principal {
    this.#throttle.admit(peer.address, UNKNOWN);
    const held = SHAPE.test(text) ? this.#byHash.get(hashOf(text)) : undefined;
    if (held === undefined) {
      this.#throttle.failed(peer.address, UNKNOWN);
      throw new UnauthenticatedFault("an unknown token", { tell: TELL });
    }
    return this.#letIn(held, peer, door);
  }

  /**
   * Who has a certificate, likewise: the caller has seen that the client has its key, and that no browser has sent it along. Undefined where it
   * is nobody's. Faults: `unauthenticated`; `busy`.
   */
  verifyCertificate(fingerprint: string, peer: Peer, door: Interface): Principal | undefined {
    const held = this.#byHash.get(certificateHash(fingerprint));
    if (held === undefined) return undefined;
    this.#throttle.admit(peer.address, UNKNOWN);
    return this.#letIn(held, peer, door);
  }

  /** Waits until the last uses are written down. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #add(
    accountId: string,
    { name: asked, interfaces = ["api"], networks = [] }: NewToken,
    expires: UnixMillis | undefined,
    certificate: string | undefined,
    hash: string,
  ): Promise<ApiToken> {
    const name = asked.trim();
    if (name === "" || name.length > LIMITS.nameLength || /\p{Cc}/u.test(name))
      throw invalid(`a token has a name of up to ${LIMITS.nameLength} characters`);
    if (this.list(accountId).some((one) => one.name === name))
      throw invalid(`there is a token ${name} already: revoke it, or choose another name`);
    if (interfaces.length === 0) throw invalid("a token is for one interface at least");
    if (networks.length > LIMITS.networks) throw invalid(`a token is for ${LIMITS.networks} networks at most`);
    if (this.list(accountId).length >= LIMITS.perAccount || this.#byId.size >= LIMITS.tokens)
      throw invalid("there are too many tokens: revoke those that nobody uses");
    const token: ApiToken = {
      id: randomBytes(12).toString("hex"),
      account: accountId,
      name,
      interfaces: [...new Set(interfaces)],
      certificate,
      networks: [...networks],
      created: this.#clock.now(),
      expires,
      lastUse: undefined,
    };
    // Networks that make no sense are found out before anything is written.
    const held = heldOf(token);
    // HeldToken before it is written, so that of two at once only one has the name. Nobody knows the secret yet.
    this.#hold(held, hash);
    try {
      await this.#query.insertInto("api_token").values(rowOfToken(token, hash)).execute();
    } catch (error) {
      this.#drop(held);
      throw error;
    }
    return token;
  }

  #letIn(held: HeldToken, peer: Peer, door: Interface): Principal {
    const principal = this.#present(held);
    const account = this.#nameOf(held);
    const why = whyNotAt(held, peer, door) ?? (principal === undefined ? this.#whyOut(held) : undefined);
    if (principal === undefined || why !== undefined)
      throw new UnauthenticatedFault(`the token ${held.token.name} of ${account}: ${why}`, {
        account,
        tell: TELL,
        ...(held.token.certificate === undefined ? {} : { failure: "certificate", detail: why }),
      });
    this.#used(held, principal, peer, door);
    return principal;
  }

  #put(token: ApiToken, hash: string): void {
    this.#hold(heldOf(token), hash);
  }

  #hold(held: HeldToken, hash: string): void {
    this.#byId.set(held.token.id, held);
    this.#byHash.set(hash, held);
  }

  #drop(held: HeldToken): void {
    this.#byId.delete(held.token.id);
    for (const [hash, one] of this.#byHash) if (one === held) this.#byHash.delete(hash);
  }

  /** Undefined where it is revoked, has expired, or its account is out. */
  #present(held: HeldToken): Principal | undefined {
    const { account, expires } = held.token;
    if (held.revoke.signal.aborted || this.#clock.now() >= (expires ?? Number.POSITIVE_INFINITY)) return undefined;
    const of = this.#accounts.principalOf(account);
    if (of === undefined) return undefined;
    if (held.made?.of !== of)
      held.made = {
        of,
        principal: principalUntil(of, {
          until: expires,
          revoked: held.revoke.signal,
          renew: () => this.#present(held),
        }),
      };
    return held.made.principal;
  }

  #whyOut({ token }: HeldToken): string {
    const armed = isArmed(this.#accounts.find(token.account)?.arming, this.#clock.now());
    return armed ? "it has expired, or its account is out" : NOT_ARMED;
  }

  #nameOf({ token }: HeldToken): string {
    return this.#accounts.find(token.account)?.name ?? token.account;
  }

  #used(held: HeldToken, { name }: Principal, { address }: Peer, door: Interface): void {
    const use: LastUse = { at: this.#clock.now(), address };
    const { id, lastUse, name: subject } = held.token;
    if (isNews(use, held.auditedUse, LIMITS.auditEveryMs)) {
      held.auditedUse = use;
      this.#audit.record({ who: name, action: "use-token", subject, interface: door, outcome: "allowed", address });
    }
    if (!isNews(use, lastUse, LIMITS.useEveryMs)) return;
    held.token = { ...held.token, lastUse: use };
    const written = this.#query
      .updateTable("api_token")
      .set({ used_at: use.at, used_from: use.address })
      .where("id", "=", id)
      .execute();
    this.#writing = Promise.all([this.#writing, written]).catch((err: unknown) =>
      this.#log.warn({ err, token: subject }, "could not write down that a token was used"),
    );
  }
}

export interface TokensOptions<Schema extends AuthSchema> {
  /** A database with {@link authMigrations} applied. Stays the caller's. */
  readonly query: Kysely<Schema>;
  readonly accounts: Pick<Accounts, "principalOf" | "find">;
  /** That of the other log-ins. */
  readonly throttle: Throttle;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function invalid(tell: string): Fault {
  return new Fault("invalid", tell, { tell });
}
