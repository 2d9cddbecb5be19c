import type { IncomingMessage } from "node:http";
import type { Audit } from "../auth/audit.ts";
import type { Principal } from "../auth/principal.ts";
import { type BearerTokens, bearerIn } from "../auth/scheme/bearer.ts";
import type { WebSessions } from "../auth/sessions.ts";
import { asFault } from "../base/fault.ts";
import { callerOf } from "../net/client-certificate.ts";
import { peerOf } from "../net/http.ts";
import { attempt } from "./attempt.ts";
import type { WebDoor } from "./state.ts";

/** The `__Host-` prefix makes browsers insist on Secure, no domain, and the whole site. */
export const SESSION_COOKIE = "__Host-viaduct";

/** Who sends a request, and how they come. */
export interface Visitor {
  readonly who: Principal;
  readonly door: WebDoor;
}

/** What visitors are known by. */
export interface Doormen {
  readonly sessions: Pick<WebSessions, "find">;
  readonly bearers: Pick<BearerTokens, "verify" | "ofCertificate">;
  readonly audit: Audit;
}

/** The id of the web session in the cookie; empty where there is none. */
export function sessionIdOf({ headers }: Pick<IncomingMessage, "headers">): string {
  const cookie = (headers.cookie ?? "")
    .split(";")
    .map((pair) => pair.trim().split("="))
    .find(([name]) => name === SESSION_COOKIE);
  return cookie?.[1] ?? "";
}

/** The bearer token of a request: no browser sends one by itself, so that nobody else's page can have it sent. */
export function bearerOf({ headers }: Pick<IncomingMessage, "headers">): string | undefined {
  return bearerIn(headers.authorization);
}

/**
 * By the bearer token where there is one, and then by nothing else; by the session of the pages; or by the certificate of a program.
 * Undefined for strangers. Faults: those of {@link BearerTokens}, which the audit log has.
 */
export async function visitorOf(request: IncomingMessage, o: Doormen): Promise<Visitor | undefined> {
  const bearer = bearerOf(request);
  if (bearer === undefined) {
    const who = o.sessions.find(sessionIdOf(request));
    return who === undefined ? byCertificate(request, o) : { who, door: "web" };
  }
  const peer = peerOf(request.socket);
  const entry = { who: "bearer of a token", action: "use-token", interface: "api", address: peer.address } as const;
  const verify = (): Promise<Principal> => o.bearers.verify(bearer, peer, "api");
  return { who: await attempt(o.audit, entry, verify, (error) => asFault(error).message), door: "api" };
}

function byCertificate(request: IncomingMessage, o: Doormen): Promise<Visitor | undefined> {
  const peer = callerOf(request);
  const entry = {
    who: "bearer of a certificate",
    action: "use-token",
    interface: "api",
    address: peer.address,
  } as const;
  const find = async (): Promise<Visitor | undefined> => {
    const who = o.bearers.ofCertificate(peer, "api");
    return who && { who, door: "api" };
  };
  return attempt(o.audit, entry, find, (error) => asFault(error).message);
}
