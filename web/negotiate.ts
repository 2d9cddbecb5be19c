import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { endPointBinding } from "../net/end-point-binding.ts";

/**
 * The token of `Authorization: Negotiate …` (RFC 4559 4.2); undefined where the request has none. What is no base64 gives an empty or a
 * shorter token, which nobody accepts.
 */
export function negotiateToken({ headers }: Pick<IncomingMessage, "headers">): Buffer | undefined {
  const token = /^Negotiate +(\S+)$/i.exec(headers.authorization?.trim() ?? "")?.[1];
  return token === undefined ? undefined : Buffer.from(token, "base64");
}

/** What a client may have bound its log-in to: this very server's end of the connection. Empty where that has no name. */
export function bindingOf({ socket }: Pick<IncomingMessage, "socket">): Buffer {
  const certificate = socket instanceof TLSSocket ? socket.getX509Certificate() : undefined;
  return certificate === undefined ? Buffer.alloc(0) : endPointBinding(certificate);
}
