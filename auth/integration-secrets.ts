import { isFault } from "../base/fault.ts";
import type { Sealer } from "../base/seal.ts";
import { makeSecret, type Secret } from "../base/secret.ts";
import type { Account } from "./account.ts";

const LIMITS = {
  /** 5.8 bits a character: enough that a captured digest, even of MD5, gives nothing to crack. */
  secretLength: 20,
} as const;

export const SECRET_LOST =
  "its secret cannot be opened any more, for the master key that it was stored under is lost: renew it, then enable the account";

/** The secrets of integrations, generated or, by ONVIF, chosen: stored under a master key that may be lost. */
export class IntegrationSecrets {
  /** For names that nobody has, so that they take as long as others. */
  readonly decoy = makeIntegrationSecret();
  readonly #sealer: Sealer;

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** A new one for the account with that id, or the one that was chosen for it, and the same as it is stored. */
  make(id: string, secret = makeIntegrationSecret()): { readonly secret: Secret; readonly credential: string } {
    return { secret, credential: this.#sealer.seal(secret, integrationOwner(id)) };
  }

  /** Undefined of a person, and where it does not open. */
  open({ id, kind }: Account, credential: string): Secret | undefined {
    try {
      return kind === "integration" ? this.#sealer.open(credential, integrationOwner(id)) : undefined;
    } catch (error) {
      if (isFault(error, "unavailable")) return undefined;
      throw error;
    }
  }

  /** An integration whose secret does not open has nothing to log in with. */
  isLost(account: Account, credential: string): boolean {
    return account.kind === "integration" && this.open(account, credential) === undefined;
  }
}

/** Whom a secret in the database is sealed for. */
export function integrationOwner(id: string): string {
  return `account:${id}`;
}

function makeIntegrationSecret(): Secret {
  return makeSecret(LIMITS.secretLength);
}
