import type { ServerResponse } from "node:http";
import { Fault } from "../../base/fault.ts";

const SOAP = "application/soap+xml; charset=utf-8";

/**
 * Characters from which on an answer is encoded before it is sent: Node.js goes over a text for its length, once more to write it behind the
 * head as one text, and again for its bytes. A short one is sent so nevertheless, in one piece with the head.
 */
const LONG_ANSWER = 16_384;

/** Why a call is over: one for all, for each request that was answered ends so too. */
const GONE = new Fault("unavailable", "the client has gone");

/** The text of a message: as a whole, or in pieces, of which the middle one is kept as it is sent. */
export type Text = string | readonly [before: string, kept: Buffer, behind: string];

/** Made where somebody waits for it, which at few requests anybody does. */
export function goneOf(response: ServerResponse): AbortSignal {
  if (response.closed) return AbortSignal.abort(GONE);
  const gone = new AbortController();
  response.once("close", () => gone.abort(GONE));
  return gone.signal;
}

/** The answer to a request, unless there is one already. */
export function send(
  response: ServerResponse,
  status: number,
  xml: Text,
  { challenges = [], type = SOAP }: { readonly challenges?: readonly string[]; readonly type?: string } = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const pieces = typeof xml !== "string" ? xml : [xml.length < LONG_ANSWER ? xml : Buffer.from(xml)];
  // In the usual capitals, which mean nothing (RFC 9110 5.1), because there are clients (libonvif) that find no others.
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": pieces.reduce((bytes, piece) => bytes + Buffer.byteLength(piece), 0),
    "Cache-Control": "no-store",
    ...(challenges.length === 0 ? {} : { "WWW-Authenticate": [...challenges] }),
  });
  const [first, ...others] = pieces;
  if (others.length === 0) {
    response.end(first);
    return;
  }
  // All at once, in one call of the kernel.
  response.cork();
  for (const piece of pieces) response.write(piece);
  response.end();
}

/** An answer without a message. */
export function refuse(response: ServerResponse, status: number): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    "Content-Length": 0,
    "Cache-Control": "no-store",
    ...(status === 405 ? { Allow: "POST" } : {}),
    // What is left of a refused body is not worth reading to keep the connection.
    ...(status === 413 ? { Connection: "close" } : {}),
  });
  response.end();
}
