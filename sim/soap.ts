import { createHash, timingSafeEqual } from "node:crypto";
import { SECOND, type UnixMillis } from "../base/units.ts";
import { parseXml } from "../wsdl/parse-xml.ts";
import { escapeXml, findPath, type XmlElement } from "../wsdl/xml.ts";

const LIMITS = {
  /** Nonces of log-ins that are remembered; the oldest go first. */
  nonces: 1000,
} as const;

/** How far the date of a UsernameToken may be from the camera's clock. */
const TOKEN_WINDOW_MS = 30 * SECOND;

const SOAP = "http://www.w3.org/2003/05/soap-envelope";
const WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";

/** By the prefixes that the answers use. */
export const NS = {
  tt: "http://www.onvif.org/ver10/schema",
  tds: "http://www.onvif.org/ver10/device/wsdl",
  trt: "http://www.onvif.org/ver10/media/wsdl",
  tr2: "http://www.onvif.org/ver20/media/wsdl",
  tev: "http://www.onvif.org/ver10/events/wsdl",
  tptz: "http://www.onvif.org/ver20/ptz/wsdl",
  timg: "http://www.onvif.org/ver20/imaging/wsdl",
  tmd: "http://www.onvif.org/ver10/deviceIO/wsdl",
  trc: "http://www.onvif.org/ver10/recording/wsdl",
  tse: "http://www.onvif.org/ver10/search/wsdl",
  trp: "http://www.onvif.org/ver10/replay/wsdl",
  wsnt: "http://docs.oasis-open.org/wsn/b-2",
  wstop: "http://docs.oasis-open.org/wsn/t-1",
  wsa: "http://www.w3.org/2005/08/addressing",
  tns1: "http://www.onvif.org/ver10/topics",
  ter: "http://www.onvif.org/ver10/error",
  xs: "http://www.w3.org/2001/XMLSchema",
} as const;

const DECLARATIONS = Object.entries(NS)
  .map(([prefix, ns]) => ` xmlns:${prefix}="${ns}"`)
  .join("");

/** An operation that somebody asks for. */
export interface SoapRequest {
  readonly ns: string;
  readonly operation: string;
  readonly element: XmlElement;
  readonly header: XmlElement | undefined;
}

export function parseRequest(body: Buffer): SoapRequest | undefined {
  const envelope = parseXml(body, { bytes: 64 * 1024, elements: 500 });
  if (envelope.name !== "Envelope" || envelope.ns !== SOAP) return undefined;
  const element = findPath(envelope, "Body")?.children[0];
  if (element === undefined) return undefined;
  return { ns: element.ns, operation: element.name, element, header: findPath(envelope, "Header") };
}

/** What is wrong, in ONVIF's terms (Core 5.8.2). */
export class SoapFault extends Error {
  override readonly name = "SoapFault";
  readonly code: "Sender" | "Receiver";
  /** `ter:` names, outer one first. */
  readonly subcodes: readonly string[];

  constructor(code: "Sender" | "Receiver", subcodes: readonly string[], reason: string) {
    super(reason);
    this.code = code;
    this.subcodes = subcodes;
  }
}

/** `header` and `body` are XML with the prefixes of {@link NS}. */
export function printEnvelope(body: string, header = ""): string {
  const head = header === "" ? "" : `<s:Header>${header}</s:Header>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope xmlns:s="${SOAP}"${DECLARATIONS}>${head}<s:Body>${body}</s:Body></s:Envelope>`;
}

export function printFault({ code, subcodes, message }: SoapFault): string {
  const nested = subcodes.reduceRight(
    (inner, name) => `<s:Subcode><s:Value>ter:${name}</s:Value>${inner}</s:Subcode>`,
    "",
  );
  return printEnvelope(
    `<s:Fault><s:Code><s:Value>s:${code}</s:Value>${nested}</s:Code>` +
      `<s:Reason><s:Text xml:lang="en">${escapeXml(message)}</s:Text></s:Reason></s:Fault>`,
  );
}

/** Checks log-ins in SOAP headers (WS-Security UsernameToken Profile 1.0 3.1): fresh by the camera's clock, and each once. */
export class TokenGate {
  readonly #user: string;
  readonly #password: string;
  readonly #now: () => UnixMillis;
  readonly #seen = new Set<string>();

  constructor(o: { readonly user: string; readonly password: string; readonly now: () => UnixMillis }) {
    this.#user = o.user;
    this.#password = o.password;
    this.#now = o.now;
  }

  /** Undefined where there is no token at all. */
  check(header: XmlElement | undefined): boolean | undefined {
    const security = header?.children.find(({ ns, name }) => ns === WSSE && name === "Security");
    const token = security && findPath(security, "UsernameToken");
    if (token === undefined) return undefined;
    const text = (name: string): string => findPath(token, name)?.text.trim() ?? "";
    const [nonce, created] = [text("Nonce"), text("Created")];
    const date = Date.parse(created);
    if (nonce === "" || !(Math.abs(date - this.#now()) <= TOKEN_WINDOW_MS) || this.#seen.has(nonce)) return false;
    this.#remember(nonce);
    const wanted = createHash("sha1")
      .update(Buffer.from(nonce, "base64"))
      .update(created + this.#password)
      .digest();
    const given = Buffer.from(text("Password"), "base64");
    return text("Username") === this.#user && given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  #remember(nonce: string): void {
    this.#seen.add(nonce);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= LIMITS.nonces) break;
      this.#seen.delete(oldest);
    }
  }
}
