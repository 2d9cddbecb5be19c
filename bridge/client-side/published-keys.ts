import { KEY_SET_BYTES } from "../../auth/jwt/key-set.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import { serverSide } from "../../net/consumers.ts";
import { httpRequest } from "../../net/http-request.ts";
import { type Resolve, resolveName } from "../../net/resolve.ts";
import { findConsumer } from "./onvif/consumer.ts";

const LIMITS = {
  /** From the dialing to the last byte; whoever logs in with a new key waits as long. */
  requestMs: 5 * SECOND,
} as const;

/**
 * Fetches the JWKS that an issuer publishes at an address of HTTPS. Redirects are not followed, and no address but this one is dialed.
 * Faults: `denied` (the server's certificate, or it is where cameras are), `unavailable`, `invalid` (the answer is too long or no HTTP).
 */
export async function fetchPublishedKeys(o: {
  readonly url: string;
  /** Certificates (PEM) of its authority; those that this machine trusts if absent. */
  readonly ca: string | undefined;
  /** Where cameras are, and so no issuer. */
  readonly cameraInterfaces: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly resolve?: Resolve;
}): Promise<string> {
  const { url, ca, clock, signal } = o;
  const side = serverSide(new URL(url).hostname, o.cameraInterfaces);
  const server = await findConsumer(url, { side, resolve: o.resolve ?? resolveName, plainText: false });
  if ("why" in server) throw new Fault("denied", `the issuer is not asked for its keys: ${server.why}`);
  const { status, body } = await httpRequest({
    url: server.url,
    method: "GET",
    headers: { Host: server.host, Accept: "application/jwk-set+json, application/json" },
    maxBytes: KEY_SET_BYTES,
    timeoutMs: LIMITS.requestMs,
    side,
    clock,
    signal,
    tls: { name: server.name, ...(ca === undefined ? {} : { ca }) },
  });
  if (status !== 200) throw new Fault("unavailable", `${server.host} answers ${status} where its keys should be`);
  return body.toString("utf8");
}
