import { loadNative } from "../base/native.ts";

/** What `native/gssapi.c` can do. */
export interface Gssapi {
  /**
   * Accepts a log-in of a Kerberos client, in a thread of its own. `keytab`: `FILE:…`; `replayCache`: `file2:…`; `principal`: the service,
   * with its realm; `token`: up to 65 536 bytes; `bindings`: what the connection is known by (RFC 5929), or nothing. A client that binds
   * its log-in to another connection is refused; one that binds it to none is not. With an empty token it only looks for the key in the
   * keytab, and resolves with undefined. Rejects with the words of the library.
   */
  accept(
    keytab: string,
    replayCache: string,
    principal: string,
    token: Buffer,
    bindings: Buffer,
  ): Promise<AcceptedClient | undefined>;
}

/** Who has logged in, as the library says it. */
export interface AcceptedClient {
  /** `alice@CORP.EXAMPLE`, UTF-8; signs with a meaning in it are written behind a backslash. */
  readonly client: Buffer;
  /** For the client, so that it knows us, too. */
  readonly answer: Buffer;
  /** What Active Directory says of the client (KERB_VALIDATION_INFO of MS-PAC 2.5), verified; empty where the ticket has none. */
  readonly logonInfo: Buffer;
}

/** The library, loaded when it is first asked for; or why it cannot be. */
export function loadGssapi(): Gssapi | Error {
  return loadNative<Gssapi>("gssapi", ["accept"]);
}
