import { namespaceIn, refuse, type Scope, XmlReader } from "./xml-reader.ts";

/** Bounds of one document. A caller may ask for less of each, or for more bytes. */
export interface XmlLimits {
  readonly bytes: number;
  /** Elements inside one another; the root counts. */
  readonly depth: number;
  readonly elements: number;
  /** Of the whole document. */
  readonly attributes: number;
  /** `xmlns` declarations of the whole document: a scope holds all that are around it. */
  readonly declarations: number;
}

/**
 * The most that anybody may send us; callers that do not know who it is ask for less. The parser needs some 20 ms for the worst of such
 * documents, which are nothing but the smallest elements or references to characters, and the tree some megabytes. A single element has at
 * most 64 attributes, whatever the caller allows.
 */
const LIMITS: XmlLimits = { bytes: 256 * 1024, depth: 64, elements: 50_000, attributes: 20_000, declarations: 64 };

/** Leaves a byte order mark, which the reader takes away: once. */
const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export interface XmlAttribute {
  /** Empty for an attribute without a prefix. */
  readonly ns: string;
  readonly name: string;
  readonly value: string;
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

/**
 * Parses one XML 1.0 document in UTF-8, with namespaces. No document type declaration, no processing instruction, no
 * entities but the five of XML. Everything else, and everything beyond the limits, is a Fault of kind `invalid`.
 */
export function parseXml(document: string | Uint8Array, limits: Partial<XmlLimits> = {}): XmlElement {
  const bounds = { ...LIMITS, ...limits };
  const bytes = typeof document === "string" ? Buffer.byteLength(document) : document.byteLength;
  if (bytes > bounds.bytes) throw refuse(`longer than ${bounds.bytes} bytes`);
  return new XmlReader(typeof document === "string" ? document : decodeUtf8(document), bounds).read();
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw refuse("is not UTF-8");
  }
}

/** The namespace that `prefix` stands for in the content of `element`, or undefined. The empty prefix is the default one. */
export function namespaceOf(element: XmlElement, prefix: string): string | undefined {
  return namespaceIn(element.scope, prefix);
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
