import { expect } from "chai";
import * as fc from "fast-check";
import { Fault, type FaultKind, isFault } from "../../base/fault.ts";
import {
  faultMessage,
  printAddressing,
  printEnvelope,
  printFault,
  readEnvelope,
  SoapFault,
} from "../../wsdl/envelope.ts";
import { declarations, NAMESPACES } from "../../wsdl/namespaces.ts";
import { parseXml } from "../../wsdl/parse-xml.ts";
import { officialValidator } from "../support/official-schemas.ts";

const { s, wsa, tds } = NAMESPACES;
const WSA_2004 = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
const SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/";
const message = (header: string, body: string): string =>
  `<e:Envelope xmlns:e="${s}" xmlns:w="${wsa}">${header}<e:Body>${body}</e:Body></e:Envelope>`;
const header = (blocks: string): string => `<e:Header>${blocks}</e:Header>`;

/** What `work` throws. */
function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

describe("a SOAP envelope", () => {
  it("is read whatever its prefixes and blanks", () => {
    for (const text of [
      message("", "<a/>"),
      message(header(""), "\n  <a/>\n"),
      `<Envelope xmlns="${s}"><Header/><Body><a xmlns=""/></Body></Envelope>`,
    ]) {
      const { body, addressing } = readEnvelope(text);
      expect([body?.name, addressing]).to.deep.equal(["a", undefined]);
    }
    expect(readEnvelope(message("", "")).body).to.equal(undefined);
  });

  it("comes back as it was printed", () => {
    const text = printEnvelope({ header: "<a:h/>", body: "<tds:b/>", namespaces: { a: "urn:a", tds, s } });
    const read = readEnvelope(text);
    expect(read.header.map(({ ns, name }) => [ns, name])).to.deep.equal([["urn:a", "h"]]);
    expect([read.body?.ns, read.body?.name]).to.deep.equal([tds, "b"]);
    expect(readEnvelope(printEnvelope({ body: "<b/>" })).header).to.deep.equal([]);
  });

  const refused: readonly (readonly [string, string, string, readonly string[]])[] = [
    ["another document", "<a/>", "Sender", ["WellFormed"]],
    ["SOAP 1.1", message("", "<a/>").replace(s, SOAP_11), "VersionMismatch", []],
    ["an envelope of nobody", message("", "<a/>").replace(s, "urn:x"), "VersionMismatch", []],
    ["no body", `<e:Envelope xmlns:e="${s}"/>`, "Sender", ["WellFormed"]],
    [
      "a body of another namespace",
      `<e:Envelope xmlns:e="${s}"><Body><a/></Body></e:Envelope>`,
      "Sender",
      ["WellFormed"],
    ],
    ["two children of the body", message("", "<a/><b/>"), "Sender", ["WellFormed"]],
    ["a block to understand", message(header(`<x e:mustUnderstand="1"/>`), "<a/>"), "MustUnderstand", []],
    [
      "a block to understand, in words",
      message(header(`<x e:mustUnderstand=" true "/>`), "<a/>"),
      "MustUnderstand",
      [],
    ],
    [
      "a block to understand for the next one",
      message(header(`<x e:mustUnderstand="1" e:role="${s}/role/next"/>`), "<a/>"),
      "MustUnderstand",
      [],
    ],
  ];
  for (const [what, text, code, subcodes] of refused)
    it(`is refused with ${code}: ${what}`, () => {
      const fault = thrownBy(() => readEnvelope(text));
      expect(fault).to.be.instanceOf(SoapFault);
      expect(fault).to.deep.include({ kind: "invalid", code, subcodes });
    });

  it("may hold blocks that need not be understood, are another's, or are understood", () => {
    for (const blocks of [
      "<x/>",
      `<x e:mustUnderstand="0"/>`,
      `<x mustUnderstand="1"/>`,
      `<x e:mustUnderstand="1" e:role="urn:somebody"/>`,
      `<w:To e:mustUnderstand="1">urn:x</w:To>`,
      `<t:To xmlns:t="${WSA_2004}" e:mustUnderstand="1">urn:x</t:To>`,
      `<t:Security xmlns:t="${NAMESPACES.wsse}" e:mustUnderstand="1"/>`,
    ])
      expect(() => readEnvelope(message(header(blocks), "<a/>")), blocks).not.to.throw();
  });

  it("says who is answered, in the addressing that it was asked in", () => {
    for (const ns of [wsa, WSA_2004]) {
      const blocks = `<t:MessageID xmlns:t="${ns}"> urn:1&amp; </t:MessageID><t:Action xmlns:t="${ns}">do</t:Action>`;
      const { addressing } = readEnvelope(message(header(blocks), "<a/>"));
      expect(addressing).to.deep.equal({ ns, messageId: "urn:1&", action: "do" });
      const answer = readEnvelope(printEnvelope({ header: printAddressing(addressing, "did<"), body: "<a/>" }));
      expect(answer.header.map((block) => [block.ns, block.name, block.text])).to.deep.equal([
        [ns, "Action", "did<"],
        [ns, "RelatesTo", "urn:1&"],
      ]);
    }
    expect(printAddressing(undefined, "did")).to.equal("");
  });

  it("does not repeat an endless message identifier", () => {
    const blocks = `<w:MessageID>${"x".repeat(2000)}</w:MessageID>`;
    expect(readEnvelope(message(header(blocks), "<a/>")).addressing?.messageId).to.equal(undefined);
  });

  it("of garbage is never anything but a Fault", () => {
    const pieces = fc.constantFrom(
      `<e:Envelope xmlns:e="${s}">`,
      "</e:Envelope>",
      "<e:Body>",
      "</e:Body>",
      "<e:Header>",
      "</e:Header>",
      "<a>",
      "</a>",
      `<x e:mustUnderstand="1"/>`,
      "text",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const thrown = thrownBy(() => readEnvelope(parts.join("")));
        expect(thrown === undefined || isFault(thrown, "invalid")).to.equal(true);
      }),
    );
  });

  it("declares each of our prefixes once", () => {
    expect(declarations(["tt", "tds", "tt"])).to.equal(` xmlns:tt="${NAMESPACES.tt}" xmlns:tds="${tds}"`);
  });
});

describe("a SOAP fault", () => {
  const valid = officialValidator();
  const kinds: readonly FaultKind[] = [
    "unauthenticated",
    "denied",
    "not-found",
    "invalid",
    "wrong-state",
    "busy",
    "unavailable",
    "internal",
  ];

  it("of every kind is a valid message that does not tell what is for the log", () => {
    for (const kind of kinds) {
      const { xml } = printFault(new Fault(kind, "for the log"), { ns: wsa, messageId: "urn:1", action: "x" });
      expect(valid(xml), kind).to.deep.equal([]);
      expect(xml).not.to.include("for the log");
    }
  });

  it("comes back as it was printed, and is valid, whatever it tells", () => {
    const subcodes = fc.array(fc.constantFrom("InvalidArgVal", "NoProfile", "Action"), { maxLength: 3 });
    const code = fc.constantFrom("Sender", "Receiver", "VersionMismatch", "MustUnderstand");
    fc.assert(
      fc.property(fc.constantFrom(...kinds), code, subcodes, fc.string({ maxLength: 40 }), (kind, at, under, tell) => {
        const { xml } = printFault(new SoapFault(kind, at, under, tell));
        expect(valid(xml)).to.deep.equal([]);
        const { body } = readEnvelope(xml);
        expect(body && faultMessage(body)).to.deep.equal({ code: at, subcodes: under, reason: tell.trim() });
      }),
      { numRuns: 50 },
    );
  });

  it("has the HTTP status of its code, except that a log-in is asked for by 401", () => {
    const status = (fault: Fault): number => printFault(fault).status;
    expect(status(new Fault("unauthenticated", ""))).to.equal(401);
    expect(status(new Fault("denied", ""))).to.equal(400);
    expect(status(new Fault("internal", ""))).to.equal(500);
    expect(status(new SoapFault("invalid", "Receiver", [], ""))).to.equal(500);
    expect(status(new SoapFault("invalid", "VersionMismatch", [], ""))).to.equal(500);
  });

  it("is read as devices write it: SOAP 1.1, prefixes that nobody declared, nested without end", () => {
    const old = `<f:Fault xmlns:f="${SOAP_11}"><faultcode>f:Client</faultcode><faultstring> no </faultstring></f:Fault>`;
    expect(faultMessage(parseXml(old))).to.deep.equal({ code: "Client", subcodes: [], reason: "no" });
    const nested = (depth: number): string =>
      depth === 0 ? "" : `<f:Subcode><f:Value>ter:S${depth}</f:Value>${nested(depth - 1)}</f:Subcode>`;
    const deep = `<f:Fault xmlns:f="${s}"><f:Code><f:Value>Sender</f:Value>${nested(20)}</f:Code></f:Fault>`;
    expect(faultMessage(parseXml(deep))?.subcodes).to.have.length(8);
    expect(faultMessage(parseXml(`<f:Fault xmlns:f="${s}"/>`))).to.deep.equal({ code: "", subcodes: [], reason: "" });
    expect(faultMessage(parseXml("<Fault/>"))).to.equal(undefined);
  });
});
