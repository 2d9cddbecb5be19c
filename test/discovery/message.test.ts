import { expect } from "chai";
import * as fc from "fast-check";
import { isFault } from "../../base/fault.ts";
import {
  DEVICE,
  type DeviceEntry,
  type DiscoveryMessage,
  NETWORK_VIDEO_TRANSMITTER,
  parseMessage,
  printMessage,
} from "../../discovery/message.ts";

const WSD = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
const WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
const DN = "http://www.onvif.org/ver10/network/wsdl";
const TDS = "http://www.onvif.org/ver10/device/wsdl";
const SOAP_12 = "http://www.w3.org/2003/05/soap-envelope";

/** Answers in the styles in which devices write them: [who writes so, datagram, the one device in it, what it relates to]. */
const ANSWERS: readonly (readonly [string, string, Partial<DeviceEntry>, string | undefined])[] = [
  [
    "gSOAP: SOAP-ENV prefixes, a declaration, every namespace at the root, NUL at the end",
    `<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV="${SOAP_12}" xmlns:SOAP-ENC="http://www.w3.org/2003/05/soap-encoding" ` +
      `xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:wsa="${WSA}" xmlns:wsdd="${WSD}" xmlns:tdn="${DN}" xmlns:tds="${TDS}">` +
      `<SOAP-ENV:Header><wsa:MessageID>urn:uuid:aa</wsa:MessageID><wsa:RelatesTo>urn:uuid:bb</wsa:RelatesTo>` +
      `<wsa:To SOAP-ENV:mustUnderstand="true">${WSA}/role/anonymous</wsa:To><wsdd:AppSequence InstanceId="3" MessageNumber="7"/></SOAP-ENV:Header>` +
      `<SOAP-ENV:Body><wsdd:ProbeMatches><wsdd:ProbeMatch><wsa:EndpointReference><wsa:Address>urn:uuid:c1</wsa:Address></wsa:EndpointReference>` +
      `<wsdd:Types>tdn:NetworkVideoTransmitter tds:Device</wsdd:Types><wsdd:Scopes>onvif://www.onvif.org/name/A\n onvif://www.onvif.org/hardware/B</wsdd:Scopes>` +
      `<wsdd:XAddrs>http://192.0.2.1/onvif/device_service</wsdd:XAddrs><wsdd:MetadataVersion>10</wsdd:MetadataVersion>` +
      `</wsdd:ProbeMatch></wsdd:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>\0`,
    {
      endpoint: "urn:uuid:c1",
      types: [NETWORK_VIDEO_TRANSMITTER, DEVICE],
      scopes: ["onvif://www.onvif.org/name/A", "onvif://www.onvif.org/hardware/B"],
      xaddrs: ["http://192.0.2.1/onvif/device_service"],
      metadataVersion: 10,
    },
    "urn:uuid:bb",
  ],
  [
    "default namespaces, no prefix anywhere",
    `<Envelope xmlns="${SOAP_12}"><Header><MessageID xmlns="${WSA}">1</MessageID><RelatesTo xmlns="${WSA}">uuid:bb</RelatesTo></Header>` +
      `<Body><ProbeMatches xmlns="${WSD}"><ProbeMatch><EndpointReference xmlns="${WSA}"><Address>uuid:c2</Address></EndpointReference>` +
      `<Types xmlns:x="${DN}">x:NetworkVideoTransmitter</Types><XAddrs>http://192.0.2.2:8000/onvif/device_service https://192.0.2.2/onvif/device_service</XAddrs>` +
      `</ProbeMatch></ProbeMatches></Body></Envelope>`,
    {
      endpoint: "uuid:c2",
      types: [NETWORK_VIDEO_TRANSMITTER],
      scopes: [],
      xaddrs: ["http://192.0.2.2:8000/onvif/device_service", "https://192.0.2.2/onvif/device_service"],
      metadataVersion: 0,
    },
    "uuid:bb",
  ],
  [
    "no header, a blank line first, an encoding that is not true, a prefix that nobody declared",
    `\r\n<?xml version='1.0' encoding='gb2312'?><e:Envelope xmlns:e="${SOAP_12}" xmlns:d="${WSD}" xmlns:w="${WSA}"><e:Body><d:ProbeMatches><d:ProbeMatch>` +
      `<w:EndpointReference><w:Address> urn:uuid:c3 </w:Address></w:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>` +
      `<d:XAddrs>http://0.0.0.0/onvif/device_service</d:XAddrs><d:MetadataVersion>minus one</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>\n`,
    {
      endpoint: "urn:uuid:c3",
      types: [{ ns: "", name: "NetworkVideoTransmitter" }],
      xaddrs: ["http://0.0.0.0/onvif/device_service"],
      metadataVersion: 0,
    },
    undefined,
  ],
  [
    "SOAP 1.1 and the later WS-Addressing",
    `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header><a:RelatesTo>urn:uuid:bb</a:RelatesTo></s:Header>` +
      `<s:Body><d:ProbeMatches xmlns:d="${WSD}"><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:c4</a:Address></a:EndpointReference>` +
      `</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`,
    { endpoint: "urn:uuid:c4", types: [], scopes: [], xaddrs: [] },
    "urn:uuid:bb",
  ],
];

const uri = fc.webUrl().map((text) => text.replaceAll(/\s/g, ""));
const entry: fc.Arbitrary<DeviceEntry> = fc.record({
  endpoint: fc.uuid().map((id) => `urn:uuid:${id}`),
  types: fc.uniqueArray(
    fc.constantFrom(DEVICE, NETWORK_VIDEO_TRANSMITTER, { ns: "urn:other", name: "Thing" }, { ns: "", name: "Bare" }),
    { selector: ({ name }) => name },
  ),
  scopes: fc.array(uri, { maxLength: 10 }),
  xaddrs: fc.array(uri, { maxLength: 5 }),
  metadataVersion: fc.nat(),
});
const message: fc.Arbitrary<DiscoveryMessage> = fc
  .record({
    messageId: fc.uuid().map((id) => `urn:uuid:${id}`),
    body: fc.oneof(
      fc.record({
        kind: fc.constant("Probe" as const),
        types: entry.map(({ types }) => types),
        scopes: fc.array(uri, { minLength: 1, maxLength: 3 }),
        matchBy: fc.constant(`${WSD}/rfc3986`),
      }),
      fc.record({ kind: fc.constant("ProbeMatches" as const), matches: fc.array(entry, { maxLength: 3 }) }),
      fc.record({ kind: fc.constant("Hello" as const), device: entry }),
      fc.record({ kind: fc.constantFrom("Resolve" as const, "Bye" as const), endpoint: fc.constant("urn:uuid:1") }),
      fc.record({ kind: fc.constant("ResolveMatches" as const), match: fc.option(entry, { nil: undefined }) }),
    ),
  })
  .chain((base) =>
    fc.constantFrom(
      base,
      { ...base, relatesTo: "urn:uuid:2" },
      { ...base, sequence: { instanceId: 5, messageNumber: 6 } },
    ),
  );

describe("a WS-Discovery message", () => {
  for (const [style, text, device, relatesTo] of ANSWERS)
    it(`is read as devices write it: ${style}`, () => {
      const { body, ...rest } = parseMessage(Buffer.from(text));
      expect(body.kind).to.equal("ProbeMatches");
      if (body.kind !== "ProbeMatches") return;
      expect(body.matches).to.have.length(1);
      expect(body.matches[0]).to.include.deep.keys(...Object.keys(device));
      for (const [key, value] of Object.entries(device))
        expect(body.matches[0]?.[key as keyof DeviceEntry], key).to.deep.equal(value);
      expect(rest.relatesTo).to.equal(relatesTo);
    });

  it("may hold several devices, of which only so many are looked at", () => {
    const device = { endpoint: "urn:uuid:1", types: [], scopes: [], xaddrs: [], metadataVersion: 1 };
    const of = (count: number) =>
      parseMessage(
        printMessage({
          messageId: "1",
          body: { kind: "ProbeMatches", matches: Array.from({ length: count }, () => device) },
        }),
      );
    expect(of(3).body).to.have.property("matches").with.length(3);
    expect(of(60).body).to.have.property("matches").with.length(50);
  });

  it("is cut to so many scopes and addresses, and to scopes of some length", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `http://a/${index}`);
    const device = {
      endpoint: "urn:uuid:1",
      types: [],
      metadataVersion: 1,
      scopes: ["x".repeat(2000), ...many(150)],
      xaddrs: many(30),
    };
    const { body } = parseMessage(printMessage({ messageId: "1", body: { kind: "Hello", device } }));
    expect(body).to.have.nested.property("device.scopes").with.length(99);
    expect(body).to.have.nested.property("device.xaddrs").with.length(20);
  });

  it("comes back as it was sent", () => {
    fc.assert(
      fc.property(message, (sent) => {
        expect(parseMessage(printMessage(sent))).to.deep.equal(sent);
      }),
    );
  });

  it("is refused when it is too long, no XML, no SOAP, or about something else", () => {
    const soap = (body: string) => `<s:Envelope xmlns:s="${SOAP_12}"><s:Body>${body}</s:Body></s:Envelope>`;
    for (const text of [
      "",
      "hello",
      `<Probe xmlns="${WSD}"/>`,
      soap(""),
      soap(`<Probe xmlns="urn:other"/>`),
      soap(`<Dance xmlns="${WSD}"/>`),
      `<!DOCTYPE a [<!ENTITY b "c">]>${soap(`<Probe xmlns="${WSD}"/>`)}`,
      soap("<a>".repeat(40) + "</a>".repeat(40)),
      soap(`<Probe xmlns="${WSD}">${"<x/>".repeat(600)}</Probe>`),
      " ".repeat(17_000),
    ])
      expect(() => parseMessage(Buffer.from(text)), text.slice(0, 60))
        .to.throw()
        .with.property("kind", "invalid");
  });

  it("of garbage is never anything but a Fault", () => {
    const onlyFaults = (bytes: Uint8Array): void => {
      try {
        parseMessage(bytes);
      } catch (error) {
        if (!isFault(error, "invalid")) throw error;
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), onlyFaults));
    const samples = ANSWERS.map(([, text]) => Buffer.from(text));
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), fc.nat(255), fc.nat(), (sample, at, byte, cut) => {
        const bytes = Buffer.from(sample);
        bytes[at % bytes.length] = byte;
        onlyFaults(bytes);
        onlyFaults(bytes.subarray(0, cut % bytes.length));
      }),
      { numRuns: 300 },
    );
  });
});
