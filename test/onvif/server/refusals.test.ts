import { expect } from "chai";
import { NAMESPACES } from "../../../wsdl/namespaces.ts";
import { officialValidator } from "../../support/official-schemas.ts";
import { PATHS, read, requestOf } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";

const { s, tds, trt, wsa } = NAMESPACES;
const envelope = (body: string, header = ""): string =>
  `<s:Envelope xmlns:s="${s}" xmlns:tds="${tds}" xmlns:a="${wsa}"><s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`;
const TIME = "<tds:GetSystemDateAndTime/>";

/** [what, message, SOAP code, ONVIF subcodes, HTTP status]. */
const FAULTS: readonly (readonly [string, string | Buffer, string, readonly string[], number])[] = [
  ["white space", " \r\n", "Sender", ["WellFormed"], 400],
  ["text", "hello", "Sender", ["WellFormed"], 400],
  ["half a message", envelope(TIME).slice(0, -9), "Sender", ["WellFormed"], 400],
  ["tags that do not match", envelope("<tds:GetHostname></tds:GetHostName>"), "Sender", ["WellFormed"], 400],
  ["a prefix that is not declared", envelope("<tdz:GetHostname/>"), "Sender", ["WellFormed"], 400],
  [
    "bytes that are not UTF-8",
    Buffer.from(envelope("<tds:GetHostname>\xff</tds:GetHostname>"), "latin1"),
    "Sender",
    ["WellFormed"],
    400,
  ],
  ["a document type", `<!DOCTYPE s:Envelope []>${envelope(TIME)}`, "Sender", ["WellFormed"], 400],
  [
    "an external entity",
    `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${envelope("<tds:GetHostname>&e;</tds:GetHostname>")}`,
    "Sender",
    ["WellFormed"],
    400,
  ],
  ["a processing instruction", `<?php echo 1 ?>${envelope(TIME)}`, "Sender", ["WellFormed"], 400],
  ["another document", `<html xmlns="http://www.w3.org/1999/xhtml"/>`, "Sender", ["WellFormed"], 400],
  ["an envelope without a body", `<s:Envelope xmlns:s="${s}"/>`, "Sender", ["WellFormed"], 400],
  ["an empty body", envelope(""), "Sender", ["WellFormed"], 400],
  ["two operations", envelope(TIME + TIME), "Sender", ["WellFormed"], 400],
  [
    "too deep a message",
    envelope(`<tds:GetHostname>${"<a>".repeat(40)}${"</a>".repeat(40)}</tds:GetHostname>`),
    "Sender",
    ["WellFormed"],
    400,
  ],
  [
    "too many elements",
    envelope(`<tds:GetHostname>${"<a/>".repeat(6000)}</tds:GetHostname>`),
    "Sender",
    ["WellFormed"],
    400,
  ],
  ["SOAP 1.1", envelope(TIME).replace(s, "http://schemas.xmlsoap.org/soap/envelope/"), "VersionMismatch", [], 500],
  [
    "a header that must be understood",
    envelope(TIME, `<x:Pay xmlns:x="urn:x" s:mustUnderstand="true"/>`),
    "MustUnderstand",
    [],
    500,
  ],
  ["an operation that nobody knows", envelope("<tds:MakeCoffee/>"), "Sender", ["UnknownAction"], 400],
  ["an operation of another service", envelope(`<GetProfiles xmlns="${trt}"/>`), "Sender", ["UnknownAction"], 400],
  ["an operation in another namespace", envelope(`<GetHostname xmlns="urn:other"/>`), "Sender", ["Namespace"], 400],
  ["a name that objects have by themselves", envelope("<tds:constructor/>"), "Sender", ["UnknownAction"], 400],
  ["the name of a prototype", envelope("<tds:__proto__/>"), "Sender", ["UnknownAction"], 400],
  [
    "an argument too many",
    envelope("<tds:GetHostname><tds:Name>a</tds:Name></tds:GetHostname>"),
    "Sender",
    ["InvalidArgs"],
    400,
  ],
  ["a missing argument", envelope("<tds:GetServices/>"), "Sender", ["InvalidArgs"], 400],
  [
    "an argument in another namespace",
    envelope("<tds:GetServices><IncludeCapability>true</IncludeCapability></tds:GetServices>"),
    "Sender",
    ["InvalidArgs"],
    400,
  ],
  [
    "an argument with a wrong value",
    envelope("<tds:GetServices><tds:IncludeCapability>maybe</tds:IncludeCapability></tds:GetServices>"),
    "Sender",
    ["InvalidArgVal"],
    400,
  ],
  [
    "a word that the enumeration lacks",
    envelope("<tds:GetCapabilities><tds:Category>Coffee</tds:Category></tds:GetCapabilities>"),
    "Sender",
    ["InvalidArgVal"],
    400,
  ],
  [
    "an attribute too many",
    envelope(`<tds:GetServices><tds:IncludeCapability id="1">true</tds:IncludeCapability></tds:GetServices>`),
    "Sender",
    ["ProhibAttr"],
    400,
  ],
  ["text between arguments", envelope("<tds:GetHostname>hello</tds:GetHostname>"), "Sender", ["InvalidArgs"], 400],
];

/** [what, request, HTTP status]: what is no message gets no message back. */
const REFUSED: readonly (readonly [string, Parameters<OnvifTestSite["send"]>[0], number])[] = [
  ["a service that is not there", { path: "/onvif/analytics_service", body: envelope(TIME) }, 404],
  ["a path below a service", { path: "/onvif/device_service/x", body: envelope(TIME) }, 404],
  ["a path with detours", { path: "/onvif/../onvif/device_service", body: envelope(TIME) }, 404],
  ["GET", { path: `/onvif/${PATHS.tds}`, method: "GET" }, 405],
  ["PUT", { path: `/onvif/${PATHS.tds}`, method: "PUT", body: envelope(TIME) }, 405],
  ["JSON", { path: `/onvif/${PATHS.tds}`, body: "{}", headers: { "content-type": "application/json" } }, 415],
  ["no type", { path: `/onvif/${PATHS.tds}`, body: envelope(TIME), headers: { "content-type": "" } }, 415],
  [
    "another character set",
    { path: `/onvif/${PATHS.tds}`, body: envelope(TIME), headers: { "content-type": "text/xml; charset=utf-16" } },
    415,
  ],
  [
    "a message in parts",
    { path: `/onvif/${PATHS.tds}`, body: envelope(TIME), headers: { "content-type": "multipart/related" } },
    415,
  ],
  [
    "a compressed message",
    { path: `/onvif/${PATHS.tds}`, body: Buffer.from([0x1f, 0x8b, 0]), headers: { "content-encoding": "gzip" } },
    415,
  ],
  ["too long a message", { path: `/onvif/${PATHS.tds}`, body: " ".repeat(300_000) }, 413],
];

describe("what the ONVIF services refuse", () => {
  let site: OnvifTestSite;
  const valid = officialValidator();

  before(async () => {
    site = await startOnvifSite();
  });
  after(() => site.close());

  for (const [what, body, code, subcodes, status] of FAULTS)
    it(`is told by a fault: ${what}`, async () => {
      const answer = await site.send({ path: `/onvif/${PATHS.tds}`, body });
      const { fault } = read(answer);
      expect(fault).to.deep.include({ code, subcodes });
      expect(answer.status).to.equal(status);
      expect(answer.headers["content-type"]).to.equal("application/soap+xml; charset=utf-8");
      expect(answer.challenges).to.deep.equal([]);
      expect(valid(answer.body)).to.deep.equal([]);
    });

  for (const [what, request, status] of REFUSED)
    it(`is told by a bare status: ${what}`, async () => {
      const answer = await site.send(request);
      expect([answer.status, answer.body]).to.deep.equal([status, ""]);
      if (status === 405) expect(answer.headers.allow).to.equal("POST");
    });

  it("is not who sends nothing and no credentials either: libcurl does so, to be challenged for digest", async () => {
    const nothing = { path: `/onvif/${PATHS.tds}`, body: "" };
    const answer = await site.send(nothing);
    expect([answer.status, read(answer).fault?.subcodes]).to.deep.equal([401, ["NotAuthorized"]]);
    expect(answer.challenges).not.to.deep.equal([]);
    const again = await site.send({ ...nothing, headers: { authorization: "Digest username" } });
    expect([again.status, read(again).fault?.subcodes]).to.deep.equal([400, ["WellFormed"]]);
  });

  it("leaves the server as it was", async () => {
    const { status } = await site.send({ path: `/onvif/${PATHS.tds}`, body: envelope(TIME) });
    expect(status).to.equal(200);
  });

  it("is not what is only unusual", async () => {
    const path = `/onvif/${PATHS.tds}`;
    const soap = "application/soap+xml";
    const requests = [
      { body: envelope(TIME), headers: { "content-type": 'application/soap+xml; charset="UTF-8"; action="x"' } },
      { body: envelope(TIME), headers: { "content-type": "text/xml" } },
      { body: envelope(TIME), headers: { "content-type": soap, "content-encoding": "identity" } },
      { body: `\uFEFF<?xml version="1.0" encoding="utf-8"?>\n<!-- hello -->${envelope(TIME)}` },
      { body: envelope(`<GetSystemDateAndTime xmlns="${tds}"></GetSystemDateAndTime>`) },
      { body: envelope(`<tds:GetSystemDateAndTime xmlns:y="urn:y" y:z="1"/>`) },
      { body: envelope(TIME, `<x:Pay xmlns:x="urn:x"/>`) },
      { body: envelope(TIME, `<x:Pay xmlns:x="urn:x" s:mustUnderstand="1" s:role="urn:somebody-else"/>`) },
      { body: envelope(TIME, `<a:To s:mustUnderstand="1">urn:x</a:To>`) },
      { body: requestOf("tds", "GetServices", "<tds:IncludeCapability> true </tds:IncludeCapability>") },
    ];
    for (const request of requests)
      expect((await site.send({ path, ...request })).status, request.body.slice(0, 300)).to.equal(200);
    expect((await site.send({ path: `${path}?wsdl`, body: envelope(TIME) })).status).to.equal(200);
  });

  it("and what it answers is related to the question where the client wants that", async () => {
    const header = "<a:MessageID>urn:uuid:1&amp;2</a:MessageID><a:Action>x</a:Action>";
    for (const [body, action] of [
      [TIME, `${tds}/GetSystemDateAndTimeResponse`],
      ["<tds:MakeCoffee/>", `${wsa}/soap/fault`],
    ] as const) {
      const answer = await site.send({ path: `/onvif/${PATHS.tds}`, body: envelope(body, header) });
      expect(answer.body).to.include("urn:uuid:1&amp;2</wsa:RelatesTo>").and.to.include(`>${action}</wsa:Action>`);
      expect(valid(answer.body)).to.deep.equal([]);
    }
  });
});
