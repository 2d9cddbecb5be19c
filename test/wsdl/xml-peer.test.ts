import { expect } from "chai";
import * as fc from "fast-check";
import { XmlElement as PeerElement, XmlCData, XmlDocument, XmlText, type XmlTreeNode } from "libxml2-wasm";
import { isFault } from "../../base/fault.ts";
import { parseXml } from "../../wsdl/parse-xml.ts";
import type { XmlElement } from "../../wsdl/xml.ts";

/** An element without its scope, as both readers have it. */
interface Plain {
  readonly name: string;
  readonly attributes: readonly string[];
  readonly text: string;
  readonly children: readonly Plain[];
}

const expanded = (ns: string, name: string): string => `{${ns}}${name}`;

function plain({ ns, name, attributes, text, children }: XmlElement): Plain {
  return {
    name: expanded(ns, name),
    attributes: attributes.map((one) => `${expanded(one.ns, one.name)}=${one.value}`),
    text,
    children: children.map(plain),
  };
}

function plainPeer(element: PeerElement): Plain {
  const within: XmlTreeNode[] = [];
  for (let node = element.firstChild; node !== null; node = node.next) within.push(node);
  return {
    name: expanded(element.namespaceUri, element.name),
    attributes: element.attrs.map((one) => `${expanded(one.namespaceUri, one.name)}=${one.value}`),
    text: within.map((node) => (node instanceof XmlText || node instanceof XmlCData ? node.content : "")).join(""),
    children: within.flatMap((node) => (node instanceof PeerElement ? [plainPeer(node)] : [])),
  };
}

function ours(document: string): Plain | "refused" {
  try {
    return plain(parseXml(document));
  } catch (thrown) {
    if (isFault(thrown, "invalid")) return "refused";
    throw thrown;
  }
}

function libxml2(document: string): Plain | "refused" {
  try {
    using read = XmlDocument.fromString(document);
    return plainPeer(read.root);
  } catch {
    return "refused";
  }
}

/** What XML allows, and we do not: a type declaration, a processing instruction, and a declaration that says more than version and encoding. */
const NOT_OURS = /<!DOCTYPE|<\?(?!xml version="1.0" encoding="UTF-8"\?>)|.<\?/s;

/** A namespace that is no URI, of which libxml2 says so. Nobody has to look (Namespaces in XML §2). */
const NO_URI = /xmlns(?::\w+)?\s*=\s*(?!(["'])[uvw]?\1)/;

function sameAsPeer(document: string): void {
  if (NO_URI.test(document)) return;
  const read = ours(document);
  if (read === "refused" && NOT_OURS.test(document)) return;
  expect(read, JSON.stringify(document)).to.deep.equal(libxml2(document));
}

const PIECES = [
  ...Array.from("<>/=\"'&; \n\t\ra:é·"),
  "</",
  "/>",
  "<a>",
  "</a>",
  "<b:c xmlns:b='u'>",
  "</b:c>",
  ' xmlns="u"',
  ' xmlns:b="v"',
  ' xmlns:b=""',
  ' xml:lang="de"',
  ' b:x="1"',
  ' x="1"',
  " x = '2'",
  "&amp;",
  "&#65;",
  "&#x41;",
  "&#0;",
  "&#xD800;",
  "&#xFFFE;",
  "&nbsp;",
  "<![CDATA[",
  "]]>",
  "<!--",
  "-->",
  "--",
  "<!DOCTYPE a>",
  "<?p q?>",
  '<?xml version="1.0" encoding="UTF-8"?>',
  "\u0001",
  "\u{10FFFF}",
  "\u2028",
];
const piece = fc.constantFrom(...PIECES);
const name = fc.constantFrom("a", "b:c", "xml", "é", "a.-1");
const attributes = fc.array(fc.constantFrom(' x="1"', ` y='&lt;"\t'`, ' xmlns="u"', ' xmlns:b="v"', ' b:x="2"'), {
  maxLength: 3,
});
const text = fc.constantFrom("", "text", "&amp;\r\n", "<![CDATA[<]]&]]>", "<!-- - -->", "&#x1F3A5;", "]]&gt;");
const element = (inner: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(name, attributes, text, fc.array(inner, { maxLength: 3 }), text)
    .map(([tag, own, before, within, after]) => `<${tag}${own.join("")}>${before}${within.join("")}${after}</${tag}>`);
const wellFormed = element(element(element(fc.constantFrom("<a/>", "<b:c/>", "<a x='1' />"))));
const tree = wellFormed.map((inside) => `<r xmlns:b="w">${inside}</r>`);

describe("an XML document is read as libxml2 reads it, or refused as there", () => {
  it("where it is in order", () => {
    fc.assert(
      fc.property(tree, (document) => {
        expect(document).not.to.match(NOT_OURS);
        sameAsPeer(document);
      }),
      { numRuns: 300 },
    );
  });

  it("where something was put in or cut out", () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(3), fc.array(piece, { maxLength: 2 }), (document, at, cut, put) => {
        const from = at % document.length;
        sameAsPeer(document.slice(0, from) + put.join("") + document.slice(from + cut));
      }),
      { numRuns: 2000 },
    );
  });

  it("where it is made of pieces", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        sameAsPeer(pieces.join(""));
        sameAsPeer(`<a>${pieces.join("")}</a>`);
        sameAsPeer(`<a${pieces.join("")}/>`);
      }),
      { numRuns: 1000 },
    );
  });
});
