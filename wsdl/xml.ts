/** The namespace of the prefix `xml`, which is declared everywhere (Namespaces in XML 3). */
export const XML = "http://www.w3.org/XML/1998/namespace";

/** The namespace of each prefix that is declared at an element or around it. The prefix of the default namespace is empty. */
export type Scope = ReadonlyMap<string, string>;

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

/** The namespace of a prefix in a scope; undefined where none is declared. */
export function namespaceIn(scope: Scope | undefined, prefix: string): string | undefined {
  return prefix === "xml" ? XML : scope?.get(prefix);
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
