import { type SaxesAttributeNS, SaxesParser } from "saxes";
import { asFault, Fault } from "../base/fault.ts";

/** Bounds of one document. A caller may ask for less of each, or for more bytes. */
export interface XmlLimits {
  readonly bytes: number;
  /** Elements inside one another; the root counts. */
  readonly depth: number;
  readonly elements: number;
  /** Of the whole document. */
  readonly attributes: number;
  /** `xmlns` declarations of the whole document: each costs at every look-up of a prefix. */
  readonly declarations: number;
}

/**
 * What a client may send us before we know who it is. The parser needs under 10 ms for any such document, and the tree
 * some megabytes. A single element has at most `ATTRIBUTES_OF_ELEMENT` attributes, whatever the caller allows.
 */
const LIMITS: XmlLimits = { bytes: 256 * 1024, depth: 64, elements: 50_000, attributes: 20_000, declarations: 64 };
const ATTRIBUTES_OF_ELEMENT = 64;

const XMLNS = "http://www.w3.org/2000/xmlns/";

export interface XmlAttribute {
  /** Empty for an attribute without a prefix. */
  readonly ns: string;
  readonly name: string;
  readonly value: string;
}

/** Prefixes declared at one element, and those around it. The prefix of the default namespace is empty. */
interface Scope {
  readonly declared: ReadonlyMap<string, string>;
  readonly outer: Scope | undefined;
}

/** One element of a parsed document. Comments are gone; text between child elements is kept, joined, in `text`. */
export interface XmlElement {
  readonly ns: string;
  /** Without prefix. */
  readonly name: string;
  /** Without namespace declarations. */
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** All character data directly inside, blanks included. */
  readonly text: string;
  /** For values that hold prefixes (topics, QNames): see {@link namespaceOf}. */
  readonly scope: Scope | undefined;
}

interface Growing extends XmlElement {
  attributes: readonly XmlAttribute[];
  children: XmlElement[];
  text: string;
  scope: Scope | undefined;
}

const NONE: readonly XmlAttribute[] = [];

/**
 * Parses one XML 1.0 document in UTF-8, with namespaces. No document type declaration, no processing instruction, no
 * entities but the five of XML. Everything else, and everything beyond the limits, is a Fault of kind `invalid`.
 */
export function parseXml(document: string | Uint8Array, limits: Partial<XmlLimits> = {}): XmlElement {
  const bounds = { ...LIMITS, ...limits };
  const bytes = typeof document === "string" ? Buffer.byteLength(document) : document.byteLength;
  if (bytes > bounds.bytes) throw refuse(`longer than ${bounds.bytes} bytes`);
  try {
    return build(typeof document === "string" ? document : decodeUtf8(document), bounds);
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    throw refuse(`not well-formed: ${asFault(thrown).message.slice(0, 200)}`);
  }
}

function refuse(why: string): Fault {
  return new Fault("invalid", `XML document ${why}`, { tell: "The XML document is not well-formed or beyond limits" });
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refuse("is not UTF-8");
  }
}

function build(text: string, bounds: XmlLimits): XmlElement {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const open: Growing[] = [];
  let root: XmlElement | undefined;
  const counts = { elements: 0, attributes: 0, declarations: 0, here: 0 };

  parser.on("xmldecl", ({ encoding, version }) => {
    if (encoding !== undefined && encoding.toLowerCase() !== "utf-8") throw refuse(`in encoding ${encoding}`);
    if (version !== undefined && version !== "1.0") throw refuse(`of version ${version}`);
  });
  parser.on("doctype", () => {
    throw refuse("with a document type declaration");
  });
  parser.on("processinginstruction", () => {
    throw refuse("with a processing instruction");
  });
  parser.on("opentagstart", () => {
    counts.elements += 1;
    counts.here = 0;
    if (counts.elements > bounds.elements) throw refuse(`with more than ${bounds.elements} elements`);
    if (open.length >= bounds.depth) throw refuse(`deeper than ${bounds.depth}`);
  });
  parser.on("attribute", (attribute) => {
    // Counted as they come: the parser's own work per element grows with its attributes.
    counts.here += 1;
    if (attribute.prefix === "xmlns" || attribute.name === "xmlns") counts.declarations += 1;
    else counts.attributes += 1;
    if (counts.here > ATTRIBUTES_OF_ELEMENT || counts.attributes > bounds.attributes)
      throw refuse("with too many attributes");
    if (counts.declarations > bounds.declarations) throw refuse("with too many namespace declarations");
  });
  parser.on("opentag", (tag) => {
    const outer = open.at(-1);
    const element: Growing = {
      ns: tag.uri,
      name: tag.local,
      attributes: attributesOf(tag.attributes),
      children: [],
      text: "",
      scope: scopeOf(tag.ns, outer?.scope),
    };
    if (outer === undefined) root = element;
    else outer.children.push(element);
    open.push(element);
  });
  const onText = (value: string): void => {
    const inner = open.at(-1);
    if (inner !== undefined) inner.text += value;
  };
  parser.on("text", onText);
  parser.on("cdata", onText);
  parser.on("closetag", () => open.pop());
  parser.write(text).close();
  if (root === undefined) throw refuse("without an element");
  return root;
}

function attributesOf(attributes: Readonly<Record<string, SaxesAttributeNS>>): readonly XmlAttribute[] {
  let found: XmlAttribute[] | undefined;
  for (const key in attributes) {
    const attribute = attributes[key];
    if (attribute === undefined || attribute.uri === XMLNS) continue;
    found ??= [];
    found.push({ ns: attribute.uri, name: attribute.local, value: attribute.value });
  }
  return found ?? NONE;
}

function scopeOf(declared: Readonly<Record<string, string>>, outer: Scope | undefined): Scope | undefined {
  const entries = Object.entries(declared);
  return entries.length === 0 ? outer : { declared: new Map(entries), outer };
}

/** The namespace that `prefix` stands for in the content of `element`, or undefined. The empty prefix is the default one. */
export function namespaceOf(element: XmlElement, prefix: string): string | undefined {
  for (let scope = element.scope; scope !== undefined; scope = scope.outer) {
    const ns = scope.declared.get(prefix);
    if (ns !== undefined) return ns;
  }
  return undefined;
}

/** The first child of that name, or undefined. */
export function childOf(element: XmlElement, ns: string, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name && child.ns === ns);
}

/** All children of that name. */
export function childrenOf(element: XmlElement, ns: string, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.name === name && child.ns === ns);
}

/** Goes down by the first child of each local name, in whatever namespace: for answers whose namespaces nobody can rely on. */
export function findPath(element: XmlElement, ...names: readonly string[]): XmlElement | undefined {
  let at: XmlElement | undefined = element;
  for (const name of names) at = at?.children.find((child) => child.name === name);
  return at;
}

/** The value of an attribute, or undefined. */
export function attributeOf(element: XmlElement, name: string, ns = ""): string | undefined {
  return element.attributes.find((attribute) => attribute.name === name && attribute.ns === ns)?.value;
}

/** Characters that XML 1.0 (2.2) has no way to write. */
const UNWRITABLE = /[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
/** Nearly all that we print: nothing in it is written otherwise. */
const PLAIN = /^[ !#-%(-;=?-~]*$/;

/** `value` for use between tags and, because line breaks and quotes are written as references, in attributes too. */
export function escapeXml(value: string): string {
  if (PLAIN.test(value)) return value;
  return value
    .toWellFormed()
    .replace(UNWRITABLE, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&apos;")
    .replaceAll("\r", "&#13;")
    .replaceAll("\n", "&#10;")
    .replaceAll("\t", "&#9;");
}
