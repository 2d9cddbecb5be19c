import type { Secret } from "../base/secret.ts";
import { isoOf } from "../base/units.ts";
import type { Account } from "./account.ts";
import type { ApiToken } from "./api-token.ts";
import type { ApiTokens, NewToken } from "./api-tokens.ts";
import type { Audit } from "./audit.ts";
import type { Manager } from "./managed.ts";

/** Tokens as somebody makes and revokes them who may: each stands in the audit log. */
export class ManagedTokens {
  readonly #tokens: ApiTokens;
  readonly #audit: Audit;
  readonly #manager: Manager;

  constructor(tokens: ApiTokens, audit: Audit, manager: Manager) {
    this.#tokens = tokens;
    this.#audit = audit;
    this.#manager = manager;
  }

  /** See {@link ApiTokens.make}. */
  async make(
    account: Pick<Account, "id" | "name">,
    wanted: NewToken,
  ): Promise<{ readonly token: ApiToken; readonly secret: Secret }> {
    const made = await this.#tokens.make(account.id, wanted);
    this.#record("make-token", account, made.token, { after: JSON.stringify(termsOf(made.token)) });
    return made;
  }

  /** See {@link ApiTokens.register}. */
  async register(account: Pick<Account, "id" | "name">, wanted: NewToken, pem: string): Promise<ApiToken> {
    const token = await this.#tokens.register(account.id, wanted, pem);
    this.#record("make-token", account, token, { after: JSON.stringify(termsOf(token)) });
    return token;
  }

  /** See {@link ApiTokens.revoke}. */
  async revoke(account: Pick<Account, "id" | "name">, id: string): Promise<void> {
    const token = await this.#tokens.revoke(account.id, id);
    this.#record("revoke-token", account, token, { before: JSON.stringify(termsOf(token)) });
  }

  #record(action: string, { name }: Pick<Account, "name">, token: ApiToken, change: object): void {
    this.#audit.record({ ...this.#manager, action, subject: `${name}: ${token.name}`, outcome: "allowed", ...change });
  }
}

/** A token in JSON, for pages and commands: times are ISO 8601. */
export function plainToken(token: ApiToken): object {
  const { id, lastUse } = token;
  return { id, ...termsOf(token), lastUse: lastUse === undefined ? null : { ...lastUse, at: isoOf(lastUse.at) } };
}

/** What is asked for, for who is to approve it. */
export function wordsOfToken(
  { name, interfaces = ["api"], networks = [], expires }: NewToken,
  certificate?: string,
): string {
  const from = networks.length === 0 ? "" : ` from ${networks.join(", ")}`;
  const most = certificate === undefined ? "for a year" : "until it expires";
  const until = expires === null ? "for ever" : expires === undefined ? most : `until ${isoOf(expires)}`;
  const what = certificate === undefined ? "a token" : "a client certificate as a token";
  return `${what} "${name}" for ${interfaces.join(", ")}${from}, ${until}`;
}

/** What was agreed when it was made. */
function termsOf({ name, interfaces, certificate, networks, created, expires }: ApiToken): object {
  return {
    name,
    interfaces,
    certificate: certificate ?? null,
    networks,
    created: isoOf(created),
    expires: expires === undefined ? null : isoOf(expires),
  };
}
