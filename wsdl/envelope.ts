import { Fault, type FaultKind } from "../base/fault.ts";
import { NAMESPACES, type Prefix } from "./namespaces.ts";
import { parseXml } from "./parse-xml.ts";
import type { Xml } from "./schema.ts";
import { attributeOf, childOf, childrenOf, escapeXml, type XmlElement } from "./xml.ts";
import type { XmlLimits } from "./xml-reader.ts";

/** SOAP 1.2 part 1, 5.4.6. */
export type SoapCode = "Sender" | "Receiver" | "VersionMismatch" | "MustUnderstand";

/** A Fault that knows its place in SOAP: the code and, from the outside to the inside, the ONVIF subcodes below it. */
export class SoapFault extends Fault {
  readonly code: SoapCode;
  /** Local names in the namespace of ONVIF's errors (Core 5.8.2), at most three. */
  readonly subcodes: readonly string[];
  /** What the specification wants besides, inside of the fault's detail. */
  readonly detail: Xml | undefined;

  constructor(
    kind: FaultKind,
    code: SoapCode,
    subcodes: readonly string[],
    tell: string,
    options: { readonly cause?: unknown; readonly detail?: Xml } = {},
  ) {
    super(kind, `${[code, ...subcodes].join("/")}: ${tell}`, { tell, ...options });
    this.code = code;
    this.subcodes = subcodes;
    this.detail = options.detail;
  }
}

/** Where each kind of Fault stands in Core 5.8.2.1. */
const BY_KIND: Readonly<Record<FaultKind, { code: SoapCode; subcodes: readonly string[]; text: string }>> = {
  unauthenticated: { code: "Sender", subcodes: ["NotAuthorized"], text: "Sender not authorized" },
  denied: { code: "Sender", subcodes: ["NotAuthorized"], text: "Sender not authorized" },
  "not-found": { code: "Sender", subcodes: ["InvalidArgVal"], text: "Argument value invalid" },
  invalid: { code: "Sender", subcodes: ["InvalidArgVal"], text: "Argument value invalid" },
  "wrong-state": { code: "Sender", subcodes: ["OperationProhibited"], text: "Not possible now" },
  busy: { code: "Receiver", subcodes: ["Action"], text: "Busy" },
  unavailable: { code: "Receiver", subcodes: ["Action"], text: "Not available now" },
  internal: { code: "Receiver", subcodes: ["Action"], text: "Internal error" },
};

/** WS-Addressing 1.0, or the submission of 2004 that older clients speak. */
const ADDRESSING = [NAMESPACES.wsa, "http://schemas.xmlsoap.org/ws/2004/08/addressing"] as const;
const SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/";

/** Header blocks that we act on, or may ignore even where `mustUnderstand` is set. */
const UNDERSTOOD: ReadonlySet<string> = new Set([...ADDRESSING, NAMESPACES.wsse]);

/** Roles of a header block that are ours (SOAP 1.2 part 1, 2.2); a block without a role is too. */
const OUR_ROLES = new Set(["", `${NAMESPACES.s}/role/next`, `${NAMESPACES.s}/role/ultimateReceiver`]);

/** A message identifier is a URI; a longer one is not echoed. */
const MESSAGE_ID_CHARACTERS = 1024;

/** What an answer repeats of a request with WS-Addressing headers. */
export interface Addressing {
  /** The namespace that the request used, and its answer uses. */
  readonly ns: string;
  readonly messageId: string | undefined;
  readonly action: string | undefined;
}

/** A SOAP 1.2 message. */
export interface Envelope {
  readonly header: readonly XmlElement[];
  /** The one child of the body; undefined when the body is empty. */
  readonly body: XmlElement | undefined;
  /** Absent in messages without WS-Addressing. */
  readonly addressing: Addressing | undefined;
}

/**
 * Reads a message. Refuses other SOAP versions (`VersionMismatch`), header blocks that demand to be understood and are not
 * (`MustUnderstand`), and a body with several children, each as a {@link SoapFault}; XML faults as a Fault `invalid`.
 */
export function readEnvelope(document: string | Uint8Array, limits?: Partial<XmlLimits>): Envelope {
  const root = parseXml(document, limits);
  if (root.name !== "Envelope") throw new SoapFault("invalid", "Sender", ["WellFormed"], "Not a SOAP envelope");
  if (root.ns !== NAMESPACES.s)
    throw new SoapFault(
      "invalid",
      "VersionMismatch",
      [],
      root.ns === SOAP_11 ? "SOAP 1.2 is needed, this is SOAP 1.1" : "SOAP 1.2 is needed",
    );
  const body = childOf(root, NAMESPACES.s, "Body");
  if (body === undefined || body.children.length > 1)
    throw new SoapFault("invalid", "Sender", ["WellFormed"], "The body must hold one element");
  const header = childOf(root, NAMESPACES.s, "Header")?.children ?? [];
  for (const block of header) {
    if (UNDERSTOOD.has(block.ns)) continue;
    const demands = ["1", "true"].includes(attributeOf(block, "mustUnderstand", NAMESPACES.s)?.trim() ?? "");
    const ours = OUR_ROLES.has(attributeOf(block, "role", NAMESPACES.s)?.trim() ?? "");
    if (demands && ours)
      throw new SoapFault("invalid", "MustUnderstand", [], "A mandatory header block is not understood");
  }
  return { header, body: body.children[0], addressing: addressingOf(header) };
}

function addressingOf(header: readonly XmlElement[]): Addressing | undefined {
  const ns = ADDRESSING.find((one) => header.some((block) => block.ns === one));
  if (ns === undefined) return undefined;
  const value = (name: string): string | undefined => {
    const text = header.find((block) => block.ns === ns && block.name === name)?.text.trim();
    return text === undefined || text === "" || text.length > MESSAGE_ID_CHARACTERS ? undefined : text;
  };
  return { ns, messageId: value("MessageID"), action: value("Action") };
}

/**
 * Prints a message. `header` and `body` are XML text whose prefixes are the keys of `namespaces`, or `s`, or declared in
 * the text itself.
 */
export function printEnvelope(o: {
  readonly header?: string;
  readonly body: string;
  readonly namespaces?: Readonly<Record<string, string>>;
}): string {
  let declared = "";
  for (const [prefix, ns] of Object.entries(o.namespaces ?? {}))
    if (prefix !== "s") declared += declaration(prefix, ns);
  return envelopeHead(declared, o.header ?? "") + o.body + ENVELOPE_TAIL;
}

/** What stands before and behind the body of a message of ours; `header` as in {@link printEnvelope}. */
export function printAround(prefixes: Iterable<Prefix>, header: string): readonly [before: string, behind: string] {
  let declared = "";
  for (const prefix of prefixes) if (prefix !== "s") declared += declaration(prefix, NAMESPACES[prefix]);
  return [envelopeHead(declared, header), ENVELOPE_TAIL];
}

const ENVELOPE_TAIL = "</s:Body></s:Envelope>";

function envelopeHead(declared: string, header: string): string {
  const own = declaration("s", NAMESPACES.s);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope${own}${declared}>${header === "" ? "" : `<s:Header>${header}</s:Header>`}<s:Body>`;
}

function declaration(prefix: string, ns: string): string {
  return ` xmlns:${prefix}="${ns}"`;
}

/** The header blocks of an answer (WS-Addressing 1.0 SOAP binding); empty when the request had none. */
export function printAddressing(request: Addressing | undefined, action: string): string {
  if (request === undefined) return "";
  const relates =
    request.messageId === undefined ? "" : `<wsa:RelatesTo>${escapeXml(request.messageId)}</wsa:RelatesTo>`;
  const blocks = `<wsa:Action>${escapeXml(action)}</wsa:Action>${relates}`;
  return blocks.replaceAll(/<wsa:(\w+)>/g, `<wsa:$1 xmlns:wsa="${request.ns}">`);
}

/** A Fault as a message, with its HTTP status. What is told is `fault.tell`, or a text that says no more than the kind. */
export function printFault(fault: Fault, addressing?: Addressing): { readonly status: number; readonly xml: string } {
  const byKind = BY_KIND[fault.kind];
  const { code, subcodes, detail } = fault instanceof SoapFault ? fault : { ...byKind, detail: undefined };
  let nested = "";
  for (const subcode of subcodes.toReversed())
    nested = `<s:Subcode><s:Value>ter:${subcode}</s:Value>${nested}</s:Subcode>`;
  const body =
    `<s:Fault><s:Code><s:Value>s:${code}</s:Value>${nested}</s:Code>` +
    `<s:Reason><s:Text xml:lang="en">${escapeXml(fault.tell ?? byKind.text)}</s:Text></s:Reason>` +
    `${detail === undefined ? "" : `<s:Detail>${detail.xml}</s:Detail>`}</s:Fault>`;
  const header =
    code === "VersionMismatch"
      ? `<s:Upgrade><s:SupportedEnvelope qname="s:Envelope"/></s:Upgrade>`
      : printAddressing(addressing, `${addressing?.ns ?? NAMESPACES.wsa}/soap/fault`);
  const status = fault.kind === "unauthenticated" ? 401 : code === "Sender" ? 400 : 500;
  const prefixes: readonly Prefix[] = ["ter", ...(detail?.prefixes ?? [])];
  const namespaces = Object.fromEntries(prefixes.map((prefix) => [prefix, NAMESPACES[prefix]]));
  return { status, xml: printEnvelope({ header, body, namespaces }) };
}

/** What a fault message of a peer says. */
export interface FaultMessage {
  /** Local name of the SOAP code, of SOAP 1.2 or 1.1: `Sender`, `Receiver`, `Client`, … */
  readonly code: string;
  /** Local names of the ONVIF subcodes, from the outside to the inside. Their prefixes are not looked at: many devices declare none. */
  readonly subcodes: readonly string[];
  /** At most 300 characters, for the log. */
  readonly reason: string;
}

/** A name without its prefix. */
function local(text: string | undefined): string {
  return text?.trim().split(":").at(-1) ?? "";
}

/** Reads `body` as a fault message of SOAP 1.2 or 1.1, or returns undefined when it is none. */
export function faultMessage(body: XmlElement): FaultMessage | undefined {
  if (body.name !== "Fault" || (body.ns !== NAMESPACES.s && body.ns !== SOAP_11)) return undefined;
  if (body.ns === SOAP_11) {
    const part = (name: string): string => body.children.find((child) => child.name === name)?.text.trim() ?? "";
    return { code: local(part("faultcode")), subcodes: [], reason: part("faultstring").slice(0, 300) };
  }
  const code = childOf(body, NAMESPACES.s, "Code");
  const subcodes: string[] = [];
  for (let at = code && childOf(code, NAMESPACES.s, "Subcode"); at !== undefined && subcodes.length < 8; ) {
    subcodes.push(local(childOf(at, NAMESPACES.s, "Value")?.text));
    at = childOf(at, NAMESPACES.s, "Subcode");
  }
  const reason = childOf(body, NAMESPACES.s, "Reason");
  const text = reason && childrenOf(reason, NAMESPACES.s, "Text")[0]?.text.trim();
  return {
    code: local(code && childOf(code, NAMESPACES.s, "Value")?.text),
    subcodes,
    reason: (text ?? "").slice(0, 300),
  };
}
