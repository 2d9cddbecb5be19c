import type { UnixMillis } from "../base/units.ts";
import type { Interface, Right } from "./right.ts";
import type { TimeProfile } from "./time-profile.ts";

/** What both a stored line of rights and one that is in force say. */
interface Line {
  readonly right: Right;
  /** Camera ids, or every camera there is and will be. Without meaning for system rights. */
  readonly cameras: ReadonlySet<string> | "any";
  readonly interfaces: ReadonlySet<Interface> | "any";
  /** Takes away instead of giving, whatever else gives. */
  readonly deny?: true;
  /** Footage that is older may be neither found nor played. All of it if absent. */
  readonly maxAgeMs?: number;
  /** Without effect before `from`, and from `until` on. */
  readonly from?: UnixMillis;
  readonly until?: UnixMillis;
}

/** One line of the rights of an account or a role: nothing is allowed without one. */
export interface Grant extends Line {
  /** Camera groups, with all groups below them, whose cameras are meant besides `cameras`. */
  readonly groups?: ReadonlySet<string>;
  /** Cameras that are not meant, whatever names them. */
  readonly except?: ReadonlySet<string>;
  /** Groups, with those below, whose cameras are not meant. */
  readonly exceptGroups?: ReadonlySet<string>;
  /** The time profile at whose hours it is in force; always if absent. */
  readonly hours?: string;
}

/** A grant as it is in force for an account: groups are cameras, and hours are at hand. */
export interface EffectiveGrant extends Line {
  readonly except?: ReadonlySet<string>;
  readonly hours?: TimeProfile;
  /** Where it comes from, for people: `account, line 1`, `role guards, line 2`. */
  readonly source?: string;
}

/** Who is asking, after authentication. A snapshot: the account may change while the principal is in use. */
export interface Principal {
  readonly accountId: string;
  readonly name: string;
  readonly kind: "person" | "integration";
  /** Those of its roles too. */
  readonly grants: readonly EffectiveGrant[];
  /** The wall clock by which hours and age limits of the grants are decided. */
  now(): UnixMillis;
  /** Aborted when the account is disabled, deleted or changed: whatever runs under it must be decided anew or end. */
  readonly revoked: AbortSignal;
  /** From then on it is over, by whatever it came. Absent: as long as `revoked` is not aborted. */
  readonly until?: UnixMillis;
  /** Who that is once `revoked` is aborted; undefined where it is over. Absent: whoever the account is then. */
  renew?(): Principal | undefined;
}

/** Where a request comes from. */
export interface Peer {
  /** The remote IP address, without port, IPv4-mapped IPv6 addresses written as IPv4. */
  readonly address: string;
  readonly port: number;
  /** The connection is encrypted and we have proved who we are. */
  readonly tls: boolean;
  /** Of the certificate whose key the client has proved to have: SHA-256, in hexadecimal pairs with colons. Absent: none, or from a browser. */
  readonly certificate?: string;
  /** That certificate, DER. */
  readonly certificateDer?: Buffer;
}
