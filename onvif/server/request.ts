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

/** What most clients write, and need not be taken apart for. */
const USUAL_TYPE = "application/soap+xml; charset=utf-8";

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
  refuseOthers(request);
  let body: Buffer;
  try {
    body = await readBody(request, LIMITS.bodyBytes);
  } catch {
    // The encoding is fine, so the body is too long, or it broke off and nobody reads this.
    throw new Refused(413);
  }
  if (body.length === 0 && request.headers.authorization === undefined)
    throw new UnauthenticatedFault("nothing was sent", { failure: "no-credentials" });
  return parsed(body);
}

/** By what its head says. */
function refuseOthers({ method, headers }: IncomingMessage): void {
  if (method !== "POST") throw new Refused(405);
  const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "") throw new Refused(415);
  const type = headers["content-type"] ?? "";
  if (type === USUAL_TYPE || isSoap(type)) return;
  throw new Refused(415);
}

function isSoap(contentType: string): boolean {
  const [type = "", ...parameters] = contentType.toLowerCase().split(";");
  const charset = parameters.map((one) => /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(one)?.[1]).find(Boolean);
  return CONTENT_TYPES.has(type.trim()) && (charset === undefined || charset === "utf-8");
}

function parsed(body: Buffer): Envelope {
  try {
    return readEnvelope(body, LIMITS.xml);
  } catch (thrown) {
    if (thrown instanceof SoapFault || !(thrown instanceof Fault)) throw thrown;
    throw new SoapFault("invalid", "Sender", ["WellFormed"], thrown.tell ?? "Not well-formed", { cause: thrown });
  }
}
