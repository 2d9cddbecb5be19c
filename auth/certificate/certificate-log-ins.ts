import { X509Certificate } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { asFault } from "../../base/fault.ts";
import type { Closable } from "../../base/lifecycle.ts";
import { HOUR, type UnixMillis, unixMillis } from "../../base/units.ts";
import { isSameName } from "../account-name.ts";
import type { Accounts } from "../accounts.ts";
import type { TOKEN_INTERFACES } from "../api-token.ts";
import { isArmed, NOT_ARMED } from "../arming.ts";
import type { Audit } from "../audit.ts";
import { assertForClients } from "../client-certificate.ts";
import type { Peer, Principal } from "../principal.ts";
import { principalUntil } from "../principal-until.ts";
import type { Interface } from "../right.ts";
import type { Throttle } from "../throttle.ts";
import { UnauthenticatedFault } from "../unauthenticated.ts";
import { type NamedBy, nameIn } from "./certificate-names.ts";
import { derOf, partsOf } from "./der.ts";
import { serialOf } from "./revocation-list.ts";
import type { Revocations } from "./revocations.ts";
import { NOT_TAKEN, signatureHashOf } from "./signature-algorithm.ts";

const LIMITS = {
  /** Certificates whose signature need not be checked again; the one that was used longest ago goes first. What runs by it goes on. */
  remembered: 2000,
  /** A use stands in the audit log when the one before it, by the same certificate from the same address, was so long ago. */
  auditEveryMs: 1 * HOUR,
  audited: 10_000,
} as const;

/**
 * For whom the throttle is asked, so that who guesses passwords waits here too; no account can have this name. Refused certificates do not count:
 * their clients have the keys, and guess nothing.
 */
const UNKNOWN = ":certificate";

/** All that a client with a refused one is told. */
const TELL =
  "the certificate of this client is not taken: it is revoked, has expired, is not for here or for this interface, or is for no account that is let in";

/** An authority whose certificates let their holders in, and as whom. */
export interface CertificateAuthority {
  /** In the settings, and so in the log. */
  readonly name: string;
  /** Those that sign certificates of clients themselves: no others stand between. */
  readonly certificates: readonly X509Certificate[];
  /** All of `certificates` are of the one name and key whose list it is. Absent where certificates of it are taken until they expire. */
  readonly revocations: Revocations | undefined;
  readonly namedBy: NamedBy;
  /** What names end with, and accounts do not; nothing if empty. */
  readonly suffix: string;
  /** The account for each name; where undefined, the name is the account's. */
  readonly accounts: ReadonlyMap<string, string> | undefined;
  readonly interfaces: ReadonlySet<(typeof TOKEN_INTERFACES)[number]>;
}

/** A certificate that an authority has issued. */
interface Taken {
  readonly authority: CertificateAuthority;
  readonly serial: string;
  /** From then on, and until then, both it and its issuer's own are good; no number, and so never, where a date makes no sense. */
  readonly begins: UnixMillis;
  readonly expires: UnixMillis;
  /** The name of the account. */
  readonly name: string;
  made: { readonly of: Principal; readonly until: UnixMillis | undefined; readonly principal: Principal } | undefined;
}

/**
 * Log-ins by certificates of authorities that the settings name. A certificate says whose account comes, and nothing of rights: these are the
 * account's at that moment. What runs by one ends when it expires or is revoked, when no list of now says that it is not, and with the account.
 */
export class CertificateLogIns implements Closable {
  readonly #authorities: readonly CertificateAuthority[];
  readonly #o: CertificateLogInsParts;
  /** By SHA-256 of the certificate, in the order of their last use. */
  readonly #taken = new Map<string, Taken>();
  readonly #audited = new Map<string, UnixMillis>();

  /** Their lists are closed with this. */
  constructor(authorities: readonly CertificateAuthority[], parts: CertificateLogInsParts) {
    this.#authorities = authorities;
    this.#o = parts;
  }

  /**
   * Who has the certificate of the connection: the caller has seen that the client has its key, and that no browser has sent it along. Undefined
   * where none of the authorities has issued it. Faults: `unauthenticated`; `busy` (throttled).
   */
  verify(der: Buffer, fingerprint: string, peer: Peer, door: Interface): Principal | undefined {
    const taken = this.#taken.get(fingerprint) ?? this.#issued(der);
    if (taken === undefined) return undefined;
    this.#o.throttle.admit(peer.address, UNKNOWN);
    this.#remember(fingerprint, taken);
    const { authority, name } = taken;
    const account = this.#o.accounts.named(name);
    if (account === undefined || !isSameName(account.name, name)) throw refused(`there is no account "${name}"`, name);
    const isForDoor = [...authority.interfaces].some((one) => one === door);
    const principal = isForDoor ? this.#present(taken, account.id) : undefined;
    if (principal === undefined)
      throw refused(isForDoor ? this.#whyOut(taken, account.id) : `it is not for ${door}`, account.name);
    this.#used(taken, fingerprint, principal, peer, door);
    return principal;
  }

  async close(): Promise<void> {
    await Promise.all(this.#authorities.flatMap(({ revocations }) => revocations?.close() ?? []));
  }

  /** Fault `unauthenticated`: an authority has issued it, but not as a client's, or for nobody here. */
  #issued(der: Buffer): Taken | undefined {
    const certificate = new X509Certificate(der);
    const issuedBy = (one: X509Certificate): boolean =>
      one.ca && certificate.checkIssued(one) && certificate.verify(one.publicKey);
    const authority = this.#authorities.find(({ certificates }) => certificates.some(issuedBy));
    // Where an authority has renewed its own with the same key, the one that lasts counts.
    const [issuer] = (authority?.certificates.filter(issuedBy) ?? []).sort((a, b) => expiryOf(b) - expiryOf(a));
    if (authority === undefined || issuer === undefined) return undefined;
    try {
      assertForClients(certificate);
      if (signatureHashOf(partsOf(derOf(der))[1]) === undefined) throw refused(NOT_TAKEN);
      return {
        authority,
        serial: serialOf(certificate),
        begins: unixMillis(Math.max(Date.parse(certificate.validFrom), Date.parse(issuer.validFrom))),
        expires: unixMillis(Math.min(expiryOf(certificate), expiryOf(issuer))),
        name: nameOf(der, authority),
        made: undefined,
      };
    } catch (error) {
      if (error instanceof UnauthenticatedFault) throw error;
      throw refused(asFault(error).message);
    }
  }

  /** Undefined where it is revoked or not of now, or its account is out or asks for more. */
  #present(taken: Taken, accountId: string): Principal | undefined {
    const { accounts, clock } = this.#o;
    const { begins, expires, authority, serial } = taken;
    const { revocations } = authority;
    const now = clock.now();
    if (!(begins <= now && now < expires) || revocations?.isRevoked(serial) === true) return undefined;
    if (accounts.asksForMore(accountId) !== undefined) return undefined;
    const of = accounts.principalOf(accountId);
    if (of === undefined) return undefined;
    const until = unixMillis(Math.min(expires, revocations?.until ?? expires));
    if (taken.made?.of !== of || taken.made.until !== until || taken.made.principal.revoked.aborted)
      taken.made = {
        of,
        until,
        principal: principalUntil(of, {
          until,
          revoked: revocations?.changed ?? NEVER,
          renew: () => this.#present(taken, accountId),
        }),
      };
    return taken.made.principal;
  }

  #whyOut({ begins, expires, authority, serial }: Taken, accountId: string): string {
    const { accounts, clock } = this.#o;
    const { revocations } = authority;
    if (!(begins <= clock.now())) return "it, or its authority's own, is not good yet";
    if (!(clock.now() < expires)) return "it, or its authority's own, has expired";
    if (revocations !== undefined && revocations.until === undefined)
      return `the list of revoked certificates of ${authority.name} is too old`;
    if (revocations?.isRevoked(serial) === true) return "it is revoked";
    if (!isArmed(accounts.find(accountId)?.arming, clock.now())) return NOT_ARMED;
    if (accounts.principalOf(accountId) === undefined) return "its account is out";
    return `its account has a ${accounts.asksForMore(accountId) ?? "second factor"}, which is asked for at the pages alone`;
  }

  #remember(fingerprint: string, taken: Taken): void {
    this.#taken.delete(fingerprint);
    this.#taken.set(fingerprint, taken);
    const [oldest = ""] = this.#taken.keys();
    if (this.#taken.size > LIMITS.remembered) this.#taken.delete(oldest);
  }

  #used({ authority, serial }: Taken, fingerprint: string, { name }: Principal, peer: Peer, door: Interface): void {
    const { clock, audit } = this.#o;
    const { address } = peer;
    const key = JSON.stringify([fingerprint, address, door]);
    const now = clock.now();
    const before = this.#audited.get(key);
    if (before !== undefined && Math.abs(now - before) < LIMITS.auditEveryMs) return;
    this.#audited.delete(key);
    this.#audited.set(key, now);
    const [oldest = ""] = this.#audited.keys();
    if (this.#audited.size > LIMITS.audited) this.#audited.delete(oldest);
    const subject = `certificate ${serial} of ${authority.name}`;
    audit.record({ who: name, action: "use-token", subject, interface: door, outcome: "allowed", address });
  }
}

export interface CertificateLogInsParts {
  readonly accounts: Pick<Accounts, "principalOf" | "find" | "named" | "asksForMore">;
  /** That of the other log-ins. */
  readonly throttle: Throttle;
  readonly audit: Audit;
  readonly clock: Clock;
}

function expiryOf({ validTo }: X509Certificate): number {
  return Date.parse(validTo);
}

/** Of what nobody takes back. */
const NEVER = new AbortController().signal;

/** Of the account. Fault `unauthenticated`: it has no such name, or none that is listed. */
function nameOf(der: Buffer, { namedBy, suffix, accounts }: CertificateAuthority): string {
  const value = nameIn(der, namedBy);
  if (value === undefined) throw refused(`it has no ${namedBy}, or more than one`);
  if (!value.toLowerCase().endsWith(suffix.toLowerCase()))
    throw refused(`its ${namedBy} ${JSON.stringify(value)} does not end with ${suffix}`);
  const plain = value.slice(0, value.length - suffix.length);
  const name = accounts === undefined ? plain : accounts.get(plain);
  if (name === undefined) throw refused(`its ${namedBy} ${JSON.stringify(plain)} is not listed under accounts`);
  return name;
}

function refused(why: string, account?: string): UnauthenticatedFault {
  return new UnauthenticatedFault(`certificate: ${why}`, {
    tell: TELL,
    failure: "certificate",
    detail: why,
    ...(account === undefined ? {} : { account }),
  });
}
