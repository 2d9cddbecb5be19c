import { expect } from "chai";
import * as fc from "fast-check";
import { Fault, isFault } from "../../base/fault.ts";
import { parseXml } from "../../wsdl/parse-xml.ts";
import { attributeOf, childOf, childrenOf, escapeXml, findPath, namespaceOf, type XmlElement } from "../../wsdl/xml.ts";

const repeat = (text: string, count: number): string => text.repeat(count);
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

/** [what, document]: all refused. */
const HOSTILE: readonly (readonly [string, string | Uint8Array])[] = [
  ["nothing", ""],
  ["blanks", " \n\t"],
  ["text", "hello"],
  ["text behind the root", "<a/>hello"],
  ["two roots", "<a/><b/>"],
  ["an open element", "<a><b></b>"],
  ["a closing tag too many", "<a></a></a>"],
  ["tags that cross", "<a><b></a></b>"],
  ["half a tag", "<a><b"],
  ["an attribute without a value", "<a b/>"],
  ["an attribute twice", `<a b="1" b="2"/>`],
  ["an attribute twice by namespace", `<a xmlns:x="u" xmlns:y="u" x:b="1" y:b="2"/>`],
  ["a bare ampersand", "<a>&</a>"],
  ["a less-than sign in an attribute", `<a b="<"/>`],
  ["a reference that does not end", "<a>&ampx</a>"],
  ["a reference that does not end in an attribute", `<a b="&#65"/>;`],
  ["an entity that nobody declared", "<a>&nbsp;</a>"],
  ["an entity by the name of what every object has", "<a>&constructor;</a>"],
  ["a reference to a character that XML lacks", "<a>&#0;</a>"],
  ["a reference beyond Unicode", "<a>&#x110000;</a>"],
  ["a control character", "<a>\u0001</a>"],
  ["half a surrogate pair", "<a>\ud800</a>"],
  ["a prefix that nobody declared", "<x:a/>"],
  ["an attribute's prefix that nobody declared", `<a x:b="1"/>`],
  ["a prefix that was declared in a sibling", `<a><b xmlns:x="u"/><x:c/></a>`],
  ["xmlns bound to something", `<a xmlns:xmlns="u"/>`],
  ["xml bound to something else", `<a xmlns:xml="u"/>`],
  ["the namespace of xml by another name", `<a xmlns:x="http://www.w3.org/XML/1998/namespace"/>`],
  ["the namespace of declarations by a name", `<a xmlns="http://www.w3.org/2000/xmlns/"/>`],
  ["a prefix that is taken back", `<a xmlns:x="u"><b xmlns:x=""/></a>`],
  ["a document type", "<!DOCTYPE a><a/>"],
  ["an internal subset", `<!DOCTYPE a [<!ELEMENT a ANY>]><a/>`],
  ["an external entity", `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`],
  ["an external document type", `<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>`],
  [
    "a billion laughs",
    `<!DOCTYPE a [<!ENTITY l0 "ha">${numbers(20)
      .map((n) => `<!ENTITY l${n + 1} "${repeat(`&l${n};`, 10)}">`)
      .join("")}]><a>&l20;</a>`,
  ],
  ["a processing instruction", "<?x y?><a/>"],
  ["a processing instruction inside", "<a><?x y?></a>"],
  ["a style sheet", `<?xml-stylesheet href="http://127.0.0.1/"?><a/>`],
  ["another encoding", `<?xml version="1.0" encoding="utf-16"?><a/>`],
  ["XML 1.1", `<?xml version="1.1"?><a/>`],
  ["bytes that are not UTF-8", Uint8Array.of(0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e)],
  ["two byte order marks", Buffer.from("\ufeff\ufeff<a/>")],
  ["UTF-16", Buffer.from("<a/>", "utf16le")],
  ["too many bytes", `<a>${repeat(" ", 256 * 1024)}</a>`],
  ["too many elements", `<a>${repeat("<b/>", 50_000)}</a>`],
  ["too many elements of one depth", repeat("<a>", 65) + repeat("</a>", 65)],
  ["elements within one another without end", repeat("<a>", 80_000)],
  [
    "too many attributes of one element",
    `<a ${numbers(65)
      .map((n) => `a${n}=""`)
      .join(" ")}/>`,
  ],
  [
    "attributes of one element without end",
    `<a ${numbers(30_000)
      .map((n) => `a${n}=""`)
      .join(" ")}/>`,
  ],
  ["too many attributes in all", `<a>${repeat(`<b c="" d="" e="" f=""/>`, 5001)}</a>`],
  [
    "too many declarations",
    `<a>${numbers(65)
      .map((n) => `<b xmlns:x${n}="u"/>`)
      .join("")}</a>`,
  ],
  [
    "declarations of one element without end",
    `<a ${numbers(10_000)
      .map((n) => `xmlns:x${n}="u"`)
      .join(" ")}/>`,
  ],
  ["an endless name", `<${repeat("a", 300_000)}/>`],
];

describe("an XML document", () => {
  for (const [what, document] of HOSTILE)
    it(`is refused as a Fault: ${what}`, () => {
      expect(() => parseXml(document))
        .to.throw(Fault)
        .with.property("kind", "invalid");
    });

  it("within its limits is taken", () => {
    const depth = repeat("<a>", 64) + repeat("</a>", 64);
    const attributes = `<a ${numbers(64)
      .map((n) => `a${n}=""`)
      .join(" ")}/>`;
    for (const document of [depth, attributes, `<a>${repeat("<b/>", 49_999)}</a>`])
      expect(() => parseXml(document)).not.to.throw();
  });

  it("may be bounded more tightly by who asks", () => {
    const document = `<a b="1" c="2"><d><e/></d></a>`;
    expect(() => parseXml(document, { elements: 3, depth: 3, attributes: 2, bytes: document.length })).not.to.throw();
    for (const limits of [{ elements: 2 }, { depth: 2 }, { attributes: 1 }, { bytes: document.length - 1 }])
      expect(() => parseXml(document, limits), JSON.stringify(limits)).to.throw(Fault);
    expect(() => parseXml(`<a xmlns="u"/>`, { declarations: 0 })).to.throw(Fault);
  });

  it("counts bytes, not characters", () => {
    expect(() => parseXml("<a>ää</a>", { bytes: 10 })).to.throw(Fault);
    expect(() => parseXml("<a>ää</a>", { bytes: 11 })).not.to.throw();
  });

  it("is read with its namespaces, wherever they are declared", () => {
    const root = parseXml(
      `<a xmlns="u" xmlns:x="v" x:b="1" c="2"><x:d/><e xmlns="w"/><f xmlns=""/><x:g xmlns:x="y" x:h="3"/></a>`,
    );
    expect([root.ns, root.name]).to.deep.equal(["u", "a"]);
    expect(root.attributes).to.deep.equal([
      { ns: "v", name: "b", value: "1" },
      { ns: "", name: "c", value: "2" },
    ]);
    expect(root.children.map(({ ns, name }) => `${ns} ${name}`)).to.deep.equal(["v d", "w e", " f", "y g"]);
    expect(attributeOf(root, "b", "v")).to.equal("1");
    expect(attributeOf(root, "b")).to.equal(undefined);
    const last = root.children[3] as XmlElement;
    expect(["x", "", "z"].map((prefix) => namespaceOf(last, prefix))).to.deep.equal(["y", "u", undefined]);
    expect(namespaceOf(root, "x")).to.equal("v");
  });

  it("is found one's way in by name", () => {
    const root = parseXml(`<a xmlns:x="v"><b>1</b><x:b>2</x:b><b>3</b><c><d>4</d></c></a>`);
    expect(childOf(root, "v", "b")?.text).to.equal("2");
    expect(childrenOf(root, "", "b").map(({ text }) => text)).to.deep.equal(["1", "3"]);
    expect(findPath(root, "c", "d")?.text).to.equal("4");
    expect(findPath(root, "c", "x")).to.equal(undefined);
  });

  it("keeps text, CDATA and the five entities, and drops comments", () => {
    const { text } = parseXml("\uFEFF<a>1<!-- <x> -->2<![CDATA[<3>]]>&lt;&gt;&amp;&quot;&apos;&#x1F3A5;<b/>4</a>");
    expect(text).to.equal(`12<3><>&"'\u{1F3A5}4`);
  });

  it("with names of an object's own properties is read like any other", () => {
    const root = parseXml(`<__proto__ constructor="1"><toString/><hasOwnProperty/></__proto__>`);
    expect(root.name).to.equal("__proto__");
    expect(attributeOf(root, "constructor")).to.equal("1");
    expect(root.children.map(({ name }) => name)).to.deep.equal(["toString", "hasOwnProperty"]);
    expect(({} as Record<string, unknown>)["obj"]).to.equal(undefined);
  });

  const name = fc.constantFrom("a", "b", "Name", "_c-1.d", "über");
  const texts = fc.string({ unit: "binary", maxLength: 12 });
  const element = (inner: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc
      .tuple(name, texts, fc.array(inner, { maxLength: 3 }), texts)
      .map(
        ([tag, value, within, text]) => `<${tag} v="${escapeXml(value)}">${escapeXml(text)}${within.join("")}</${tag}>`,
      );
  const tree = element(element(element(fc.constant("<b/>"))));

  it("says the same after escaping, in attributes and in text", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const root = parseXml(`<a v="${escapeXml(text)}">${escapeXml(text)}</a>`);
        expect(root.text).to.equal(attributeOf(root, "v"));
        if (!/[\p{Cc}\p{Cs}\ufffe\uffff]/u.test(text)) expect(root.text).to.equal(text);
      }),
    );
  });

  function onlyFaults(document: string | Uint8Array): void {
    try {
      parseXml(document);
    } catch (thrown) {
      if (!isFault(thrown, "invalid")) throw thrown;
    }
  }

  it("of garbage is never anything but a Fault", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), onlyFaults));
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), onlyFaults));
    const piece = fc.constantFrom(
      "<",
      ">",
      "</",
      "/>",
      "a",
      "x:",
      "xmlns:x",
      "=",
      '"',
      "&",
      ";",
      "<!",
      "--",
      "[",
      "<?",
      "]]>",
    );
    fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => onlyFaults(pieces.join(""))));
  });

  it("that was damaged anywhere is never anything but a Fault", () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(255), fc.nat(), (document, at, byte, cut) => {
        const bytes = Buffer.from(document);
        expect(() => parseXml(bytes)).not.to.throw();
        bytes[at % bytes.length] = byte;
        onlyFaults(bytes);
        onlyFaults(bytes.subarray(0, cut % bytes.length));
      }),
    );
  });
});
