import { createHash, randomBytes } from "node:crypto";
import type { Kysely } from "kysely";
import { Networks } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import type { Log } from "../base/log.ts";
import { makeSecret, Secret } from "../base/secret.ts";
import { DAY, HOUR, MINUTE, type UnixMillis, unixMillis } from "../base/units.ts";
import type { Accounts } from "./accounts.ts";
import { type ApiToken, rowOfToken, TOKEN_PREFIX, tokenOf } from "./api-token.ts";
import type { Audit } from "./audit.ts";
import type { AuthSchema } from "./auth-schema.ts";
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

interface Held {
  token: ApiToken;
  readonly networks: Networks | undefined;
  readonly revoke: AbortController;
  /** Made from the account's principal of a moment, as long as that is the present one. */
  made: { readonly of: Principal; readonly principal: Principal } | undefined;
  auditedUse: LastUse | undefined;
}

/**
 * Tokens with which programs come in the place of an account (RFC 6750): each may what its account may at that moment and no
 * more, through the interfaces it is for. Only hashes are kept. What runs by one ends when it is revoked or expires, and with the account.
 */
export class ApiTokens implements Closable {
  readonly #query: Kysely<AuthSchema>;
  readonly #accounts: Pick<Accounts, "principalOf" | "find">;
  readonly #throttle: Throttle;
  readonly #audit: Audit;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #byId = new Map<string, Held>();
  readonly #byHash = new Map<string, Held>();
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
    const { interfaces = ["api"], networks = [], expires } = wanted;
    const now = this.#clock.now();
    const name = wanted.name.trim();
    if (name === "" || name.length > LIMITS.nameLength || /\p{Cc}/u.test(name))
      throw invalid(`a token has a name of up to ${LIMITS.nameLength} characters`);
    if (this.list(accountId).some((one) => one.name === name))
      throw invalid(`there is a token ${name} already: revoke it, or choose another name`);
    if (interfaces.length === 0) throw invalid("a token is for one interface at least");
    if (networks.length > LIMITS.networks) throw invalid(`a token is for ${LIMITS.networks} networks at most`);
    if (expires != null && (expires <= now || expires - now > LIMITS.longestMs))
      throw invalid("a token expires later than now, and within ten years; or never");
    if (this.list(accountId).length >= LIMITS.perAccount || this.#byId.size >= LIMITS.tokens)
      throw invalid("there are too many tokens: revoke those that nobody uses");
    const secret = new Secret(`${TOKEN_PREFIX}${makeSecret(LIMITS.letters).reveal()}`);
    const token: ApiToken = {
      id: randomBytes(12).toString("hex"),
      account: accountId,
      name,
      interfaces: [...new Set(interfaces)],
      networks: [...networks],
      created: now,
      expires: expires === null ? undefined : (expires ?? unixMillis(now + LIMITS.validMs)),
      lastUse: undefined,
    };
    const hash = hashOf(secret.reveal());
    // Networks that make no sense are found out before anything is written.
    const held = heldOf(token);
    // Held before it is written, so that of two at once only one has the name. Nobody knows the secret yet.
    this.#hold(held, hash);
    try {
      await this.#query.insertInto("api_token").values(rowOfToken(token, hash)).execute();
    } catch (error) {
      this.#drop(held);
      throw error;
    }
    return { token, secret };
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
   * Who comes with a token through `door`, with the rights of this moment. Only inside TLS: the caller sees to it. Faults:
   * `unauthenticated`, always in the same words; `busy` (throttled).
   */
  verify(text: string, peer: Peer, door: Interface): Principal {
    this.#throttle.admit(peer.address, UNKNOWN);
    const held = SHAPE.test(text) ? this.#byHash.get(hashOf(text)) : undefined;
    if (held === undefined) {
      this.#throttle.failed(peer.address, UNKNOWN);
      throw new UnauthenticatedFault("an unknown token", { tell: TELL });
    }
    const principal = this.#present(held);
    const account = this.#nameOf(held);
    const why =
      whyNot(held, peer, door) ?? (principal === undefined ? "it has expired, or its account is out" : undefined);
    if (principal === undefined || why !== undefined)
      throw new UnauthenticatedFault(`the token ${held.token.name} of ${account}: ${why}`, { account, tell: TELL });
    this.#used(held, principal, peer, door);
    return principal;
  }

  /** Waits until the last uses are written down. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #put(token: ApiToken, hash: string): void {
    this.#hold(heldOf(token), hash);
  }

  #hold(held: Held, hash: string): void {
    this.#byId.set(held.token.id, held);
    this.#byHash.set(hash, held);
  }

  #drop(held: Held): void {
    this.#byId.delete(held.token.id);
    for (const [hash, one] of this.#byHash) if (one === held) this.#byHash.delete(hash);
  }

  /** Undefined where it is revoked, has expired, or its account is out. */
  #present(held: Held): Principal | undefined {
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

  #nameOf({ token }: Held): string {
    return this.#accounts.find(token.account)?.name ?? token.account;
  }

  #used(held: Held, { name }: Principal, { address }: Peer, door: Interface): void {
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

/** Fault `invalid` where a network makes no sense. */
function heldOf(token: ApiToken): Held {
  try {
    const networks = token.networks.length === 0 ? undefined : new Networks(token.networks);
    return { token, networks, revoke: new AbortController(), made: undefined, auditedUse: undefined };
  } catch (cause) {
    throw invalid((cause as Error).message);
  }
}

function whyNot({ token, networks }: Held, { address }: Peer, door: Interface): string | undefined {
  if (networks?.has(address) === false) return `it is not for ${address}`;
  return token.interfaces.some((one) => one === door) ? undefined : `it is not for ${door}`;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function invalid(tell: string): Fault {
  return new Fault("invalid", tell, { tell });
}
