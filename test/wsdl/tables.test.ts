import { expect } from "chai";
import * as fc from "fast-check";
import { Fault } from "../../base/fault.ts";
import { decode } from "../../wsdl/decode.ts";
import { printEnvelope, SoapFault } from "../../wsdl/envelope.ts";
import { NAMESPACES } from "../../wsdl/namespaces.ts";
import { parseXml } from "../../wsdl/parse-xml.ts";
import { ANYTHING, attr, many, OPEN, opt, optAttr, some, type } from "../../wsdl/schema.ts";
import { serialize } from "../../wsdl/serialize.ts";
import { boolean, dateTime, duration, float, int, integer, listOf, oneOf, string, token } from "../../wsdl/simple.ts";
import { officialValidator } from "../support/official-schemas.ts";
import { messagesOf, operationsOf, TABLES, valuesOf } from "./table-values.ts";

const namespaces = NAMESPACES;
const inBody = (xml: string): string => printEnvelope({ body: xml, namespaces });

/** With prototypes, which the decoder's objects lack, and without content that the tables do not describe. */
const plain = (of: unknown): unknown =>
  JSON.parse(JSON.stringify(of, (key, value: unknown) => (key === "xml" ? "" : key === "element" ? undefined : value)));

const Inner = type("tt:Inner", { Word: string, size: attr(int) });
const Sample = type("tds:Sample", {
  First: int,
  Second: opt(boolean),
  Third: many(Inner),
  Fourth: some(oneOf("tt:Color", "red", "green")),
  id: optAttr(string),
});
const element = (xml: string) =>
  parseXml(xml.replace(/^<tds:Sample/, `$& xmlns:tds="${NAMESPACES.tds}" xmlns:tt="${NAMESPACES.tt}"`));

/** There is nothing to print of a port type of which nothing is served. */
const SERVED = TABLES.filter((table) => operationsOf(table).length > 0);

describe("the tables of operations", () => {
  const valid = officialValidator();

  for (const table of SERVED)
    it(`of ${table.prefix} print valid messages whatever is in them, and read what they printed`, () => {
      for (const [operation, row] of operationsOf(table))
        for (const [name, message] of messagesOf(operation, row))
          fc.assert(
            fc.property(valuesOf(message), (value) => {
              const { xml, prefixes } = serialize(table.prefix, name, message, value);
              for (const [, prefix] of xml.matchAll(/<(\w+):/g)) expect([...prefixes]).to.include(prefix);
              expect(valid(inBody(xml)), name).to.deep.equal([]);
              const body = parseXml(inBody(xml)).children[0]?.children[0];
              expect(plain(body && decode(message, body))).to.deep.equal(plain(value));
            }),
            { numRuns: 12 },
          );
    });

  for (const table of SERVED)
    it(`of ${table.prefix} read damaged requests with nothing but Faults`, () => {
      const rows = operationsOf(table).map(([name, { request }]) => ({ name, request: request as typeof Sample }));
      const damaged = fc
        .constantFrom(...rows)
        .chain(({ name, request }) =>
          fc.tuple(
            fc.constant({ name, request }),
            valuesOf(request),
            fc.nat(),
            fc.nat(),
            fc.constantFrom("", "<", "x", "1", ":"),
          ),
        );
      fc.assert(
        fc.property(damaged, ([{ name, request }, value, at, length, put]) => {
          const xml = inBody(serialize(table.prefix, name, request, value as never).xml);
          const from = at % xml.length;
          const text = xml.slice(0, from) + put + xml.slice(from + (length % 20));
          try {
            const body = parseXml(text).children[0]?.children[0];
            if (body !== undefined) decode(request, body);
          } catch (thrown) {
            if (!(thrown instanceof Fault && thrown.kind === "invalid")) throw thrown;
          }
        }),
        { numRuns: 300 },
      );
    });
});

describe("a value of a table", () => {
  it("is printed in the order of the table, in the namespace of each row", () => {
    const { xml, prefixes } = serialize("tds", "Sample", Sample, {
      id: `<"a">`,
      Fourth: ["green", "red"],
      Third: [{ size: 1, Word: "&" }],
      First: 7,
    });
    expect(xml).to.equal(
      `<tds:Sample id="&lt;&quot;a&quot;&gt;"><tds:First>7</tds:First><tds:Third size="1"><tt:Word>&amp;</tt:Word></tds:Third>` +
        "<tds:Fourth>green</tds:Fourth><tds:Fourth>red</tds:Fourth></tds:Sample>",
    );
    expect([...prefixes]).to.deep.equal(["tds", "tt"]);
  });

  it("is not printed without what it needs, or with a list that needs an entry and is empty", () => {
    for (const value of [{ Fourth: ["red"] }, { First: 1 }, { First: 1, Fourth: [] }])
      expect(() => serialize("tds", "Sample", Sample, value as never))
        .to.throw(Fault)
        .with.property("kind", "internal");
  });

  const good = "<tds:First> 1 </tds:First>";
  const fourth = "<tds:Fourth>red</tds:Fourth>";
  const inner = `<tds:Third size="1"><tt:Word> a </tt:Word></tds:Third>`;

  it("is read with its blanks and foreign attributes, and has no prototype", () => {
    const read = decode(
      Sample,
      element(
        `<tds:Sample id="x" tt:other="y">\n${good}<tds:Second>1</tds:Second>${inner}${inner}${fourth}</tds:Sample>`,
      ),
    );
    expect(plain(read)).to.deep.equal({
      id: "x",
      First: 1,
      Second: true,
      Third: [
        { size: 1, Word: " a " },
        { size: 1, Word: " a " },
      ],
      Fourth: ["red"],
    });
    expect(Object.getPrototypeOf(read)).to.equal(null);
  });

  /** [what, content of the element, ONVIF subcode]. */
  const refused: readonly (readonly [string, string, string])[] = [
    ["a missing element", fourth, "InvalidArgs"],
    ["a missing list", good, "InvalidArgs"],
    ["an element twice", good + good + fourth, "InvalidArgs"],
    ["another order", fourth + good, "InvalidArgs"],
    ["an unknown element", `${good}<tds:Zero/>${fourth}`, "InvalidArgs"],
    ["an element of another namespace", `${good}<tt:Second>1</tt:Second>${fourth}`, "InvalidArgs"],
    ["an element behind the last", `${good}${fourth}<tds:Fifth/>`, "InvalidArgs"],
    ["text between elements", `${good}text${fourth}`, "InvalidArgs"],
    ["an element inside of text", `<tds:First>1<a/></tds:First>${fourth}`, "InvalidArgs"],
    ["a number that is none", `<tds:First>1.5</tds:First>${fourth}`, "InvalidArgVal"],
    ["a number that is too large", `<tds:First>2147483648</tds:First>${fourth}`, "InvalidArgVal"],
    ["a word that is not in the list", `${good}<tds:Fourth>blue</tds:Fourth>`, "InvalidArgVal"],
    ["a word in other letters", `${good}<tds:Fourth>Red</tds:Fourth>`, "InvalidArgVal"],
    ["a missing attribute", `${good}<tds:Third><tt:Word/></tds:Third>${fourth}`, "MissingAttr"],
    ["an attribute too many", `${good}<tds:Third size="1" b="2"><tt:Word/></tds:Third>${fourth}`, "ProhibAttr"],
    ["an attribute of a simple value", `<tds:First a="1">1</tds:First>${fourth}`, "ProhibAttr"],
    ["an attribute with a wrong value", `${good}<tds:Third size="x"><tt:Word/></tds:Third>${fourth}`, "InvalidArgVal"],
  ];
  for (const [what, content, subcode] of refused)
    it(`is not read with ${what}`, () => {
      expect(() => decode(Sample, element(`<tds:Sample>${content}</tds:Sample>`)))
        .to.throw(SoapFault)
        .with.deep.property("subcodes", [subcode]);
    });

  it("lets more follow only where the table says so", () => {
    const open = type("tds:Sample", { First: int }, OPEN);
    const more = element(`<tds:Sample more="1">${good}<tds:Later/><a xmlns=""/></tds:Sample>`);
    expect(plain(decode(open, more))).to.deep.equal({ First: 1 });
    const twice = element(`<tds:Sample>${good}${good}</tds:Sample>`);
    expect(() => decode(open, twice)).to.throw(SoapFault);
  });

  it("of any content is kept as an element when read, and printed as it is given", () => {
    const holder = type("tds:Sample", { Any: ANYTHING });
    const read = decode(holder, element("<tds:Sample><tds:Any a='1'><b xmlns=''/>text</tds:Any></tds:Sample>"));
    expect(read.Any.element?.children.map(({ name }) => name)).to.deep.equal(["b"]);
    const { xml, prefixes } = serialize("tds", "Sample", holder, {
      Any: { xml: "<trt:a/>", prefixes: new Set(["trt" as const]) },
    });
    expect(xml).to.equal("<tds:Sample><tds:Any><trt:a/></tds:Any></tds:Sample>");
    expect([...prefixes]).to.include("trt");
  });
});

describe("a simple value", () => {
  const values: readonly (readonly [string, { parse(text: string): unknown }, string, unknown])[] = [
    ["boolean", boolean, " true ", true],
    ["boolean", boolean, "0", false],
    ["boolean", boolean, "TRUE", undefined],
    ["int", int, "-2147483648", -(2 ** 31)],
    ["int", int, "+7", 7],
    ["int", int, "0x10", undefined],
    ["int", int, "1e3", undefined],
    ["int", int, "", undefined],
    ["integer", integer, "9007199254740993", undefined],
    ["float", float, "1.5e-3", 0.0015],
    ["float", float, ".5", 0.5],
    ["float", float, "INF", undefined],
    ["float", float, "1,5", undefined],
    ["token", token, "  a \n b ", "a b"],
    ["dateTime", dateTime, "2026-01-02T03:04:05Z", Date.UTC(2026, 0, 2, 3, 4, 5)],
    ["dateTime", dateTime, "2026-01-02T03:04:05.5", Date.UTC(2026, 0, 2, 3, 4, 5, 500)],
    ["dateTime", dateTime, "2026-01-02T03:04:05+02:00", Date.UTC(2026, 0, 2, 1, 4, 5)],
    ["dateTime", dateTime, "2026-13-02T03:04:05Z", undefined],
    ["dateTime", dateTime, "yesterday", undefined],
    ["duration", duration, "PT10S", 10_000],
    ["duration", duration, "P1DT1.5S", 86_401_500],
    ["duration", duration, "-PT1M", -60_000],
    ["duration", duration, "PT524482.084S", 524_482_084],
    ["duration", duration, "PT", undefined],
    ["duration", duration, "P", undefined],
    ["duration", duration, "10", undefined],
    ["duration", duration, `PT${"9".repeat(200)}S`, undefined],
    ["list", listOf("tt:IntList", int), " 1  2\n3 ", [1, 2, 3]],
    ["list", listOf("tt:IntList", int), "", []],
    ["list", listOf("tt:IntList", int), "1 x", undefined],
  ];
  for (const [name, type, text, value] of values)
    it(`${name} "${text.slice(0, 30)}" is ${value === undefined ? "refused" : JSON.stringify(value)}`, () => {
      expect(type.parse(text)).to.deep.equal(value);
    });
});
