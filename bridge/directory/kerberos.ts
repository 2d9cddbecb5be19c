import { stat } from "node:fs/promises";
import type { Peer } from "../../auth/principal.ts";
import type { Throttle } from "../../auth/throttle.ts";
import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import { Fault } from "../../base/fault.ts";
import { Turns } from "../../base/turns.ts";
import { kerberosPrincipal } from "../../directory/kerberos-principal.ts";
import { NTLM_SIGNATURE } from "../../directory/ntlm-message.ts";
import { type AcceptedClient, type Gssapi, loadGssapi } from "../../net/gssapi.ts";
import type { KerberosSettings } from "../kerberos-settings.ts";
import type { Directory } from "./directory.ts";

const LIMITS = {
  /** Log-ins that wait for the library, which has one at a time, and for the directory. */
  waiting: 64,
  /** What Windows makes at most where nobody has set more (MaxTokenSize), for people in hundreds of groups; more is refused unread. */
  tokenBytes: 48_000,
} as const;

/** In the data folder. */
export const REPLAY_CACHE_FILE = "kerberos.rcache";

/** Of a request with the longest token, in base64, and the rest of it. */
export const HEAD_WITH_TICKET_BYTES = 80 * 1024;

/** What failed log-ins count under before it is known whose they are: no account can have this name. */
const SOMEBODY = ":kerberos";

/** Others than the owner and the group may read it. */
const READABLE_BY_ALL = 0o004;

const NTLM_REFUSED =
  "This computer has no Kerberos ticket for the bridge and offered NTLM, which is not taken. Log in with name and password.";

const REFUSED = "The account of this computer was not accepted. Log in with name and password.";

const NOT_BUILT =
  "log-ins by Kerberos need the Kerberos library of the system: install libkrb5-dev and a C compiler (Debian: apt install libkrb5-dev gcc), then `npm run build`; or take `kerberos` out of the configuration";

/** What log-ins by Kerberos work with. */
export interface KerberosParts {
  readonly gssapi: Gssapi;
  /** Fault `not-found`. */
  readonly directory: (name: string) => Pick<Directory, "idOf">;
  readonly throttle: Throttle;
  /** File of the tickets that were used: none is good twice, after a restart either. */
  readonly replayCache: string;
}

/** Who has shown a good ticket. */
export interface KerberosProof {
  /** `alice@CORP.EXAMPLE`. */
  readonly principal: string;
  readonly directory: string;
  /** Theirs in the directory. */
  readonly id: string;
  /** For the client, so that it knows us, too. */
  readonly answer: Buffer;
}

/**
 * Log-ins by Kerberos (SPNEGO, RFC 4559): the library of the system judges the ticket, and the directory says who that is. What they may
 * do, and whether a second factor is wanted, is the account's business, as with a password.
 */
export class KerberosLogIns {
  readonly #settings: KerberosSettings;
  readonly #o: KerberosParts;
  #waiting = 0;
  readonly #turns = new Turns();

  constructor(settings: KerberosSettings, parts: KerberosParts) {
    this.#settings = settings;
    this.#o = parts;
  }

  /**
   * Whom the token is of. `bindings`: what our end of the connection is known by (RFC 5929), or nothing. Faults: `denied` (NTLM),
   * `unauthenticated`, `busy` (throttled, or too many at once), `unavailable` (the directory).
   */
  async prove(token: Buffer, bindings: Buffer, { address }: Peer): Promise<KerberosProof> {
    const { throttle } = this.#o;
    throttle.admit(address, SOMEBODY);
    if (token.includes(NTLM_SIGNATURE)) {
      throttle.failed(address, SOMEBODY);
      throw new Fault("denied", "an NTLM token, and no ticket", { tell: NTLM_REFUSED });
    }
    if (this.#waiting >= LIMITS.waiting)
      throw new Fault("busy", "too many log-ins by Kerberos at once", { tell: "busy, try again" });
    this.#waiting += 1;
    let account = SOMEBODY;
    try {
      const accepted = await this.#turns.take(() => this.#accept(token, bindings));
      account = accepted.client.toString("utf8");
      const proof = await this.#lookUp(accepted);
      throttle.succeeded(address, SOMEBODY);
      return proof;
    } catch (error) {
      if (error instanceof UnauthenticatedFault) throttle.failed(address, account);
      throw error;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #accept(token: Buffer, bindings: Buffer): Promise<AcceptedClient> {
    const { keytab, service } = this.#settings;
    const { gssapi, replayCache } = this.#o;
    if (token.length === 0 || token.length > LIMITS.tokenBytes) throw refused(`a token of ${token.length} bytes`);
    const accepted = await gssapi
      .accept(`FILE:${keytab}`, `file2:${replayCache}`, service, token, bindings)
      .catch((cause: unknown) => {
        throw refused((cause as Error).message);
      });
    if (accepted === undefined) throw refused("no client");
    return accepted;
  }

  async #lookUp({ client, logonInfo, answer }: AcceptedClient): Promise<KerberosProof> {
    const text = client.toString("utf8");
    const principal = kerberosPrincipal(client, logonInfo);
    if (principal === undefined) throw refused(`${text} is no person's name`);
    const mapped = this.#settings.realms.find(({ realm }) => realm === principal.realm);
    if (mapped === undefined) throw refused(`${text} is of a realm that is not listed`);
    const id = await this.#o.directory(mapped.directory).idOf(principal);
    if (id === undefined) throw refused(`${text} is not one person whom directory ${mapped.directory} lets in`);
    return { principal: text, directory: mapped.directory, id, answer };
  }
}

/** The library, once it is known that log-ins can work with it. Fault `invalid` in words that say what to do: no library, no keytab, no key. */
export async function workingGssapi({ keytab, service }: KerberosSettings): Promise<Gssapi> {
  const gssapi = loadGssapi();
  if (gssapi instanceof Error) throw unusable(`${NOT_BUILT} (${gssapi.message})`, gssapi);
  const { mode } = await stat(keytab).catch((cause: unknown) => {
    throw unusable(`kerberos.keytab: ${keytab} cannot be read: ${(cause as Error).message}`, cause);
  });
  if ((mode & READABLE_BY_ALL) !== 0)
    throw unusable(`kerberos.keytab: ${keytab} can be read by everybody on this machine: chmod o-r`);
  await gssapi.accept(`FILE:${keytab}`, "none:", service, Buffer.alloc(0), Buffer.alloc(0)).catch((cause: unknown) => {
    throw unusable(`kerberos.keytab: ${keytab} gives no key of ${service}: ${(cause as Error).message}`, cause);
  });
  return gssapi;
}

function unusable(tell: string, cause?: unknown): Fault {
  return new Fault("invalid", tell, { tell, cause });
}

function refused(why: string): UnauthenticatedFault {
  return new UnauthenticatedFault(`Kerberos: ${why}`, { tell: REFUSED });
}
