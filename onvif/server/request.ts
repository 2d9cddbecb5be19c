import type { IncomingMessage } from "node:http";
import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import { Fault } from "../../base/fault.ts";
import { readBody } from "../../net/http.ts";
import { type Envelope, readEnvelope, SoapFault } from "../../wsdl/envelope.ts";

/** Whatever a request may be: it is parsed before we know who sent it. No request of ONVIF comes near these. */
const LIMITS = {
  bodyBytes: 256 * 1024,
  xml: { elements: 5000, depth: 32, attributes: 5000 },
} as const;

/** SOAP 1.2, and SOAP 1.1's type for clients that name their 1.2 messages so; a real 1.1 message gets a fault that says so. */
const CONTENT_TYPES = new Set(["application/soap+xml", "text/xml"]);

/** An answer that is no SOAP message, because what came was none. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

/**
 * Reads the message of a request. Throws {@link Refused} for what is none, a SoapFault for one that cannot be read, and a Fault
 * `unauthenticated` for nothing at all: libcurl sends that first, to be challenged, where it is told to use digest.
 */
export async function readMessage(request: IncomingMessage): Promise<Envelope> {
  const body = await bodyOf(request);
  if (body.length === 0 && request.headers.authorization === undefined)
    throw new UnauthenticatedFault("nothing was sent", { failure: "no-credentials" });
  return parsed(body);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  if (request.method !== "POST") throw new Refused(405);
  const encoding = request.headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "") throw new Refused(415);
  const [type = "", ...parameters] = (request.headers["content-type"] ?? "").toLowerCase().split(";");
  const charset = parameters.map((one) => /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(one)?.[1]).find(Boolean);
  if (!CONTENT_TYPES.has(type.trim()) || (charset !== undefined && charset !== "utf-8")) throw new Refused(415);
  try {
    return await readBody(request, LIMITS.bodyBytes);
  } catch {
    // The encoding is fine, so the body is too long, or it broke off and nobody reads this.
    throw new Refused(413);
  }
}

function parsed(body: Buffer): Envelope {
  try {
    return readEnvelope(body, LIMITS.xml);
  } catch (thrown) {
    if (thrown instanceof SoapFault || !(thrown instanceof Fault)) throw thrown;
    throw new SoapFault("invalid", "Sender", ["WellFormed"], thrown.tell ?? "Not well-formed", { cause: thrown });
  }
}
