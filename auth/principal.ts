import type { Interface, Right } from "./right.ts";

/** One line of an account's rights: nothing is allowed without one. */
export interface Grant {
  readonly right: Right;
  /** Camera ids, or every camera there is and will be. Without meaning for system rights. */
  readonly cameras: ReadonlySet<string> | "any";
  readonly interfaces: ReadonlySet<Interface> | "any";
}

/** Who is asking, after authentication. A snapshot: the account may change while the principal is in use. */
export interface Principal {
  readonly accountId: string;
  readonly name: string;
  readonly kind: "person" | "integration";
  readonly grants: readonly Grant[];
  /** Aborted when the account is disabled, deleted or changed: whatever runs under it must be decided anew or end. */
  readonly revoked: AbortSignal;
}

/** Where a request comes from. */
export interface Peer {
  /** The remote IP address, without port, IPv4-mapped IPv6 addresses written as IPv4. */
  readonly address: string;
  readonly port: number;
  /** The connection is encrypted and we have proved who we are. */
  readonly tls: boolean;
}
