import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { endPointBinding } from "../net/end-point-binding.ts";

/** How a computer's account is shown: RFC 4559, MS-NTHT. */
export type Scheme = "Negotiate" | "NTLM";

export interface Token {
  readonly scheme: Scheme;
  readonly token: Buffer;
}

/**
 * The token of `Authorization: Negotiate …` or `NTLM …`; undefined where the request has none. What is no base64 gives an empty or a
 * shorter token, which nobody accepts.
 */
export function tokenIn({ headers }: Pick<IncomingMessage, "headers">): Token | undefined {
  const [, scheme = "", token] = /^(Negotiate|NTLM) +(\S+)$/i.exec(headers.authorization?.trim() ?? "") ?? [];
  if (token === undefined) return undefined;
  return { scheme: scheme.toLowerCase() === "ntlm" ? "NTLM" : "Negotiate", token: Buffer.from(token, "base64") };
}

/** What a client may have bound its log-in to: this very server's end of the connection. Empty where that has no name. */
export function bindingOf({ socket }: Pick<IncomingMessage, "socket">): Buffer {
  const certificate = socket instanceof TLSSocket ? socket.getX509Certificate() : undefined;
  return certificate === undefined ? Buffer.alloc(0) : endPointBinding(certificate);
}
