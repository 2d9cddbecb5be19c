import { createHash } from "node:crypto";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { equalInConstantTime, makeSecret, Secret } from "../base/secret.ts";
import type { AccountChanges } from "./account-changes.ts";
import type { KnownAccounts } from "./known-accounts.ts";
import { ADMINISTRATOR } from "./policy.ts";
import type { Peer, Principal } from "./principal.ts";
import type { Throttle } from "./throttle.ts";

const LIMITS = { tokenLength: 20 } as const;

/** What failed uses of the set-up token count under: no account can have this name. */
const SET_UP = ":set-up";

/** The set-up of the first administrator, with a token that is shown to whoever starts the bridge. Its Faults stand at `Accounts`. */
export class FirstAdministrator {
  readonly #known: KnownAccounts;
  readonly #changes: AccountChanges;
  readonly #throttle: Throttle;
  readonly #log: Log;
  #tokenHash: Buffer | undefined;

  constructor(known: KnownAccounts, changes: AccountChanges, throttle: Throttle, log: Log) {
    this.#known = known;
    this.#changes = changes;
    this.#throttle = throttle;
    this.#log = log;
  }

  get isMissing(): boolean {
    return this.#known.administrators(this.#known.policy).length === 0;
  }

  makeToken(): Secret | undefined {
    if (!this.isMissing) return undefined;
    const token = makeSecret(LIMITS.tokenLength);
    this.#tokenHash = sha256(token.reveal());
    return token;
  }

  async setUp(token: string, name: string, password: string, peer: Peer): Promise<Principal> {
    this.#throttle.admit(peer.address, SET_UP);
    if (this.#tokenHash === undefined || !equalInConstantTime(this.#tokenHash, sha256(token))) {
      this.#throttle.failed(peer.address, SET_UP);
      throw new Fault("unauthenticated", "wrong set-up token", {
        tell: "this is not the set-up token of the present start",
      });
    }
    const account = await this.#changes.createPerson(
      { name, password: new Secret(password), grants: [], roles: [ADMINISTRATOR] },
      () => {
        if (!this.isMissing)
          throw new Fault("wrong-state", "there is an administrator already", { tell: "set-up is done" });
      },
    );
    this.#tokenHash = undefined;
    this.#log.info({ account: account.name }, "the first administrator was made");
    return this.#known.get(account.id).principal;
  }
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
