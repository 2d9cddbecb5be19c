import { Fault } from "../base/fault.ts";
import { namespaceIn, type Scope, XML, type XmlAttribute, type XmlElement } from "./xml.ts";
import { NC_NAME } from "./xml-name.ts";
import { asciiAttribute, asciiName, type WrittenName } from "./xml-scan.ts";

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

/** A single element has at most so many attributes and declarations, whatever the caller allows. */
const ATTRIBUTES_OF_ELEMENT = 64;

const XMLNS = "http://www.w3.org/2000/xmlns/";

/** Blanks of XML, once ends of lines are all `\n`. */
const S = "[ \\t\\n]";
const EQUALS = `${S}*=${S}*`;
const DECLARATION = new RegExp(
  `<\\?xml${S}+version${EQUALS}(?:"1\\.0"|'1\\.0')` +
    `(?:${S}+encoding${EQUALS}(?:"[Uu][Tt][Ff]-8"|'[Uu][Tt][Ff]-8'))?` +
    `(?:${S}+standalone${EQUALS}(?:"(?:yes|no)"|'(?:yes|no)'))?${S}*\\?>`,
  "y",
);
const NAME = `(${NC_NAME})(?::(${NC_NAME}))?`;
const TAG = new RegExp(NAME, "uy");
const ATTRIBUTE = new RegExp(`${S}+${NAME}${EQUALS}(?:"([^<"]*)"|'([^<']*)')`, "uy");
const TAG_END = new RegExp(`${S}*(/?)>`, "y");
const CLOSING_END = new RegExp(`${S}*>`, "y");
const NOT_BLANK = /[^ \t\n]/;
const GREATER = ">".charCodeAt(0);
const SLASH = "/".charCodeAt(0);
/** What stands between `&` and `;`, but for names. */
const NUMBER = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

/** What nearly every document is made of: characters of XML 1.0 (2.2) all of them, found in half the time. */
const PLAIN = /^[\t\n -~]*$/;
/** What is no character of XML 1.0 (2.2). */
const NO_CHARACTER = /[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

interface Growing extends XmlElement {
  attributes: readonly XmlAttribute[];
  children: XmlElement[];
  text: string;
}

/** An element whose end has not come yet. `tag`: as its name was written. */
interface Open {
  readonly element: Growing;
  readonly tag: string;
}

interface Written {
  readonly prefix: string;
  readonly local: string;
  readonly value: string;
}

const NONE: readonly XmlAttribute[] = [];

export function refuse(why: string): Fault {
  return new Fault("invalid", `XML document ${why}`, { tell: "The XML document is not well-formed or beyond limits" });
}

/** Reads one document in one go over its text; see `parseXml` for what of XML there is. Each position is looked at a bounded number of times. */
export class XmlReader {
  readonly #text: string;
  readonly #bounds: XmlLimits;
  readonly #open: Open[] = [];
  #at = 0;
  #root: XmlElement | undefined;
  #elements = 0;
  #attributes = 0;
  #declarations = 0;

  constructor(text: string, bounds: XmlLimits) {
    // A byte order mark is none of the text, and every end of a line is `\n` (XML 1.0 2.11).
    const own = text.startsWith("\ufeff") ? text.slice(1) : text;
    this.#text = own.includes("\r") ? own.replaceAll(/\r\n?/g, "\n") : own;
    this.#bounds = bounds;
  }

  /** The root. Throws a Fault `invalid` for what is not well-formed, not ours to read, or beyond the limits. */
  read(): XmlElement {
    if (!PLAIN.test(this.#text) && NO_CHARACTER.test(this.#text)) throw refuse("with a character that XML has not");
    if (this.#text.startsWith("<?xml")) this.#take(DECLARATION, "its declaration");
    for (let next = this.#next(); next !== -1; next = this.#next()) {
      this.#characters(this.#text.slice(this.#at, next));
      this.#at = next + 1;
      const sign = this.#text[this.#at];
      if (sign === "/") this.#close();
      else if (sign === "!") this.#commentOrCdata();
      else this.#begin();
    }
    this.#characters(this.#text.slice(this.#at));
    if (this.#root === undefined || this.#open.length > 0) throw refuse("that ends too early");
    return this.#root;
  }

  #next(): number {
    return this.#text.indexOf("<", this.#at);
  }

  #take(what: RegExp, named: string): RegExpExecArray {
    what.lastIndex = this.#at;
    const found = what.exec(this.#text);
    if (found === null) throw refuse(`not well-formed at character ${this.#at}: ${named}`);
    this.#at = what.lastIndex;
    return found;
  }

  /** Goes behind a `>`, which nearly every tag ends with. */
  #ends(): boolean {
    if (this.#text.charCodeAt(this.#at) !== GREATER) return false;
    this.#at += 1;
    return true;
  }

  #name(): WrittenName {
    const found = asciiName(this.#text, this.#at);
    if (found === undefined) {
      const [, first = "", second] = this.#take(TAG, "a tag");
      return { first, second };
    }
    this.#at = found.end;
    return found;
  }

  /** Blanks, a name, and a value. Undefined, and nothing is read, where that does not follow. */
  #attribute(): (WrittenName & { readonly value: string }) | undefined {
    const found = asciiAttribute(this.#text, this.#at);
    if (found !== undefined) {
      this.#at = found.end;
      return found;
    }
    ATTRIBUTE.lastIndex = this.#at;
    const match = ATTRIBUTE.exec(this.#text);
    if (match === null) return undefined;
    this.#at = ATTRIBUTE.lastIndex;
    const [, first = "", second, double, single = ""] = match;
    return { first, second, value: double ?? single };
  }

  #characters(written: string): void {
    if (written === "") return;
    const inner = this.#open.at(-1)?.element;
    if (inner === undefined) {
      if (NOT_BLANK.test(written)) throw refuse("with text outside of its root");
    } else {
      if (written.includes("]]>")) throw refuse("with the end of a CDATA section that is none");
      inner.text += unreferenced(written);
    }
  }

  #commentOrCdata(): void {
    const inner = this.#open.at(-1)?.element;
    if (this.#text.startsWith("!--", this.#at)) {
      const end = this.#text.indexOf("--", this.#at + 3);
      if (end === -1 || this.#text[end + 2] !== ">") throw refuse("with a comment that does not end");
      this.#at = end + 3;
    } else if (inner !== undefined && this.#text.startsWith("![CDATA[", this.#at)) {
      const end = this.#text.indexOf("]]>", this.#at);
      if (end === -1) throw refuse("with a CDATA section that does not end");
      inner.text += this.#text.slice(this.#at + "![CDATA[".length, end);
      this.#at = end + 3;
    } else throw refuse("with a document type declaration, or something like it");
  }

  #close(): void {
    const inner = this.#open.pop();
    if (inner === undefined || !this.#text.startsWith(inner.tag, this.#at + 1))
      throw refuse(`with a closing tag at character ${this.#at} that closes nothing`);
    this.#at += 1 + inner.tag.length;
    if (!this.#ends()) this.#take(CLOSING_END, "a closing tag");
  }

  #begin(): void {
    this.#elements += 1;
    if (this.#elements > this.#bounds.elements) throw refuse(`with more than ${this.#bounds.elements} elements`);
    if (this.#open.length >= this.#bounds.depth) throw refuse(`deeper than ${this.#bounds.depth}`);
    const from = this.#at;
    const { first, second } = this.#name();
    const tag = this.#text.slice(from, this.#at);
    const outer = this.#open.at(-1)?.element;
    const written: Written[] = [];
    const scope = this.#attributesOf(outer?.scope, written);
    const closed = this.#ends() ? "" : this.#take(TAG_END, "the end of a tag")[1];
    const element: Growing = {
      ns: second === undefined ? (namespaceIn(scope, "") ?? "") : declared(scope, first),
      name: second ?? first,
      attributes: resolved(scope, written),
      children: [],
      text: "",
      scope,
    };
    if (outer !== undefined) outer.children.push(element);
    else if (this.#root === undefined) this.#root = element;
    else throw refuse("with two roots");
    if (closed === "") this.#open.push({ element, tag });
  }

  /** Reads what stands behind the name of a tag into `written`, but for declarations, which make another scope. */
  #attributesOf(outer: Scope | undefined, written: Written[]): Scope | undefined {
    let own: Map<string, string> | undefined;
    for (let count = 1; ; count += 1) {
      const at = this.#text.charCodeAt(this.#at);
      // Nothing follows without a blank, and a blank alone is no attribute.
      if (at === GREATER || at === SLASH) break;
      const found = this.#attribute();
      if (found === undefined) break;
      const { first, second } = found;
      const value = unreferenced(spaced(found.value));
      const isDeclaration = first === "xmlns";
      if (isDeclaration) this.#declarations += 1;
      else this.#attributes += 1;
      if (count > ATTRIBUTES_OF_ELEMENT || this.#attributes > this.#bounds.attributes)
        throw refuse("with too many attributes");
      if (this.#declarations > this.#bounds.declarations) throw refuse("with too many namespace declarations");
      if (isDeclaration) {
        own ??= new Map();
        declare(own, second ?? "", value);
      } else written.push({ prefix: second === undefined ? "" : first, local: second ?? first, value });
    }
    // As one map, for a hostile document nests scopes, and asks for the outermost prefix at each of its elements.
    if (own === undefined || outer === undefined) return own ?? outer;
    return new Map([...outer, ...own]);
  }
}

/** Namespaces in XML §3 says which names and prefixes are not free. */
function declare(own: Map<string, string>, prefix: string, ns: string): void {
  if (own.has(prefix)) throw refuse("with an attribute twice");
  const isBound = prefix === "xmlns" || (prefix === "xml") !== (ns === XML) || ns === XMLNS;
  if (isBound || (prefix !== "" && ns === "")) throw refuse("with a prefix for a namespace that it cannot stand for");
  own.set(prefix, ns);
}

function declared(scope: Scope | undefined, prefix: string): string {
  const ns = namespaceIn(scope, prefix);
  if (ns === undefined) throw refuse("with a prefix that is not declared");
  return ns;
}

function resolved(scope: Scope | undefined, written: readonly Written[]): readonly XmlAttribute[] {
  if (written.length === 0) return NONE;
  const attributes: XmlAttribute[] = [];
  for (const { prefix, local, value } of written) {
    const ns = prefix === "" ? "" : declared(scope, prefix);
    if (attributes.some((other) => other.name === local && other.ns === ns)) throw refuse("with an attribute twice");
    attributes.push({ ns, name: local, value });
  }
  return attributes;
}

/** Blanks of an attribute are spaces (XML 1.0 3.3.3). */
function spaced(written: string): string {
  return written.includes("\n") || written.includes("\t") ? written.replaceAll(/[\t\n]/g, " ") : written;
}

/** With characters in place of references to them, of which there are the five entities of XML and numbers. */
function unreferenced(written: string): string {
  let read = "";
  let from = 0;
  for (let at = written.indexOf("&"); at !== -1; at = written.indexOf("&", from)) {
    const end = written.indexOf(";", at);
    if (end === -1) throw refuse("with a reference that does not end");
    const reference = written.slice(at + 1, end);
    read += written.slice(from, at) + (ENTITIES.get(reference) ?? numbered(reference));
    from = end + 1;
  }
  return from === 0 ? written : read + written.slice(from);
}

function numbered(reference: string): string {
  const [, hex, decimal = ""] = NUMBER.exec(reference) ?? [];
  const code = hex === undefined ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16);
  const character = code <= 0x10ffff ? String.fromCodePoint(code) : "\0";
  if (NO_CHARACTER.test(character)) throw refuse("with a reference to no character");
  return character;
}
