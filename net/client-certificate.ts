import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { remembered } from "../base/remember.ts";
import { peerOf } from "./http.ts";

/** What a browser says of itself with a request; programs say none of it. */
const OF_BROWSERS = ["origin", "sec-fetch-site", "cookie"] as const;

/** Where a connection comes from, and by what its client is known there. */
export interface Caller extends ReturnType<typeof peerOf> {
  /** Of the certificate whose key the client has proved to have: SHA-256, in hexadecimal pairs with colons. Nobody has said that it is good. */
  readonly certificate?: string;
  /** That certificate, DER. */
  readonly certificateDer?: Buffer;
}

/**
 * Who sends a request. A browser has its certificate sent along whatever page asks it to, as it does with cookies, so that a certificate
 * counts only where a request does not come from one.
 */
export function callerOf({ socket, headers }: Pick<IncomingMessage, "socket" | "headers">): Caller {
  return OF_BROWSERS.some((name) => headers[name] !== undefined) ? peerOf(socket) : peerWithCertificate(socket);
}

/** Of a connection on which nothing but a program can be. Connections are not renegotiated: it stays the same. */
export const peerWithCertificate = remembered((socket: Socket): Caller => {
  const peer = peerOf(socket);
  const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  return shown === undefined ? peer : { ...peer, certificate: shown.fingerprint256, certificateDer: shown.raw };
});
