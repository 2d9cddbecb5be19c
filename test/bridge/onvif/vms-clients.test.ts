import { createHash, randomBytes } from "node:crypto";
import { expect } from "chai";
import { isoOf } from "../../../base/units.ts";
import { type Reply, read, texts } from "../../support/onvif-client.ts";
import { type OnvifLogin, type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";

const ENVELOPE = "http://www.w3.org/2003/05/soap-envelope";
const WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-";
const TOKEN = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0";
const BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";
const [DEVICE, MEDIA] = ["http://www.onvif.org/ver10/device/wsdl", "http://www.onvif.org/ver10/media/wsdl"];

/** Declared at the root by programs of gSOAP, whether anything of it is used or not; as far as it is written down. */
const GSOAP = {
  "SOAP-ENC": "http://www.w3.org/2003/05/soap-encoding",
  xsi: "http://www.w3.org/2001/XMLSchema-instance",
  xsd: "http://www.w3.org/2001/XMLSchema",
  c14n: "http://www.w3.org/2001/10/xml-exc-c14n#",
  wsu: `${WSSE}utility-1.0.xsd`,
  ds: "http://www.w3.org/2000/09/xmldsig#",
  wsse: `${WSSE}secext-1.0.xsd`,
  wsa: "http://schemas.xmlsoap.org/ws/2004/08/addressing",
  wsa5: "http://www.w3.org/2005/08/addressing",
  xmime: "http://www.w3.org/2004/06/xmlmime",
  xop: "http://www.w3.org/2004/08/xop/include",
  tt: "http://www.onvif.org/ver10/schema",
  wsnt: "http://docs.oasis-open.org/wsn/b-2",
  "wsrf-bf": "http://docs.oasis-open.org/wsrf/bf-2",
  wstop: "http://docs.oasis-open.org/wsn/t-1",
  tds: DEVICE,
  tptz: "http://www.onvif.org/ver20/ptz/wsdl",
  trt: MEDIA,
  tan: "http://www.onvif.org/ver20/analytics/wsdl",
} as const;

/**
 * What is known of how VMS ask, from what people have written down of them: roleoroleo/onvif_simple_server issues 19 (Synology) and 7
 * (Genetec Security Center), AlexxIT/go2rtc issues 1538 (UniFi Protect) and 1299 (a Hikvision DVR), BreeeZe/rpos issue 167 (another), OpenIPC/firmware
 * issue 296 (a recorder of gSOAP 2.7); of Dahua's recorders, that they give up where these need a log-in. Of Milestone and Avigilon
 * nobody has written down what they ask.
 */
describe("well-known clients", () => {
  let site: OnvifTestSite;
  let login: OnvifLogin;
  before(async () => {
    site = await startOnvifSite();
    login = await site.account();
  });
  after(() => site.close());

  const digested = (
    created: string = isoOf(site.clock.now()),
  ): { readonly nonce: string; readonly created: string; readonly digest: string } => {
    const nonce = randomBytes(16);
    const hash = createHash("sha1").update(nonce).update(created).update(login.secret);
    return { nonce: nonce.toString("base64"), created, digest: hash.digest("base64") };
  };
  const send = async (service: string, header: string, body: string): Promise<Reply> => {
    const xml = `<?xml version="1.0" encoding="utf-8"?>\n<s:Envelope xmlns:s="${ENVELOPE}">${header}<s:Body xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">${body}</s:Body></s:Envelope>`;
    return read(await site.send({ path: `/onvif/${service}_service`, body: xml }));
  };
  const answered = (reply: Reply): Reply => {
    expect(reply.fault, reply.body).to.equal(undefined);
    return reply;
  };

  it("as Synology: makes a profile without a log-in, is asked for one, and makes it", async () => {
    const create = `<CreateProfile xmlns="${MEDIA}"><Name>SynoProfile</Name></CreateProfile>`;
    const refused = await send("media", "", create);
    expect([refused.status, refused.fault?.subcodes]).to.deep.equal([401, ["NotAuthorized"]]);
    expect(refused.challenges).not.to.deep.equal([]);
    const { nonce, created, digest } = digested();
    const header = `<s:Header><wsse:Security xmlns:wsse="${WSSE}secext-1.0.xsd" xmlns:wsu="${WSSE}utility-1.0.xsd"><wsse:UsernameToken><wsse:Username>${login.name}</wsse:Username><wsse:Password Type="${TOKEN}#PasswordDigest">${digest}</wsse:Password><wsse:Nonce>${nonce}</wsse:Nonce><wsu:Created>${created}</wsu:Created></wsse:UsernameToken></wsse:Security></s:Header>`;
    const made = answered(await send("media", header, create));
    expect(texts(made.element, "Name")).to.deep.equal(["SynoProfile"]);
  });

  /** Each request with a nonce of its own, in the order of adoption. */
  const PROTECT: readonly (readonly [service: string, body: string])[] = [
    ["device", `<GetSystemDateAndTime xmlns="${DEVICE}"/>`],
    ["device", `<GetServices xmlns="${DEVICE}"><IncludeCapability>true</IncludeCapability></GetServices>`],
    ["device", `<GetCapabilities xmlns="${DEVICE}"><Category>All</Category></GetCapabilities>`],
    ["device", `<GetDeviceInformation xmlns="${DEVICE}"/>`],
    ["device", `<GetNetworkInterfaces xmlns="${DEVICE}"/>`],
    ["media", `<GetProfiles xmlns="${MEDIA}"/>`],
    ["media", `<GetVideoSources xmlns="${MEDIA}"/>`],
    [
      "media",
      `<GetStreamUri xmlns="${MEDIA}"><StreamSetup><Stream xmlns="http://www.onvif.org/ver10/schema">RTP-Unicast</Stream><Transport xmlns="http://www.onvif.org/ver10/schema"><Protocol>RTSP</Protocol></Transport></StreamSetup><ProfileToken>gate</ProfileToken></GetStreamUri>`,
    ],
    ["media", `<GetSnapshotUri xmlns="${MEDIA}"><ProfileToken>gate</ProfileToken></GetSnapshotUri>`],
  ];

  it("as UniFi Protect: with a log-in that must be understood and no prefixes, up to the stream and the picture", async () => {
    const uris: string[] = [];
    for (const [service, body] of PROTECT) {
      const { nonce, created, digest } = digested();
      const header = `<s:Header><Security s:mustUnderstand="1" xmlns="${WSSE}secext-1.0.xsd"><UsernameToken><Username>${login.name}</Username><Password Type="${TOKEN}#PasswordDigest">${digest}</Password><Nonce EncodingType="${BASE64}">${nonce}</Nonce><Created xmlns="${WSSE}utility-1.0.xsd">${created}</Created></UsernameToken></Security></s:Header>`;
      uris.push(...texts(answered(await send(service, header, body)).element, "Uri"));
    }
    expect(uris).to.deep.equal([
      "rtsp://127.0.0.1:8554/live/gate",
      `http://127.0.0.1:${site.port}/onvif/snapshot/gate`,
    ]);
  });

  it("as Genetec: with a log-in that must be understood, under prefixes declared inside of it, and a nonce of no named encoding", async () => {
    const { nonce, created, digest } = digested();
    const header = `<s:Header><Security s:mustUnderstand="1" xmlns="${WSSE}secext-1.0.xsd"><wsse:UsernameToken wsu:Id="30cd23df-0000-4000-8000-000000000000" xmlns:wsse="${WSSE}secext-1.0.xsd" xmlns:wsu="${WSSE}utility-1.0.xsd"><wsse:Username>${login.name}</wsse:Username><wsse:Password Type="${TOKEN}#PasswordDigest">${digest}</wsse:Password><wsse:Nonce>${nonce}</wsse:Nonce><wsu:Created>${created}</wsu:Created></wsse:UsernameToken></Security></s:Header>`;
    const reply = answered(await send("device", header, `<GetNetworkInterfaces xmlns="${DEVICE}"/>`));
    expect(reply.element.name).to.equal("GetNetworkInterfacesResponse");
  });

  /** What one was seen to ask; in which order is not told. */
  const HIKVISION: readonly (readonly [service: string, body: string])[] = [
    ["device", "<tds:GetSystemDateAndTime></tds:GetSystemDateAndTime>"],
    ["device", "<tds:GetDeviceInformation></tds:GetDeviceInformation>"],
    ["device", "<tds:GetCapabilities></tds:GetCapabilities>"],
    ["device", "<tds:GetServices><tds:IncludeCapability>true</tds:IncludeCapability></tds:GetServices>"],
    ["media", "<trt:GetProfiles></trt:GetProfiles>"],
    ["media", "<trt:GetVideoEncoderConfigurations></trt:GetVideoEncoderConfigurations>"],
    ["media", "<trt:GetVideoEncoderConfigurationOptions></trt:GetVideoEncoderConfigurationOptions>"],
  ];

  it("as a Hikvision DVR: several in one second, each with all the namespaces of gSOAP and a time without fractions", async () => {
    const created = isoOf(site.clock.now()).replace(/\.\d+/, "");
    const declared = Object.entries(GSOAP).map(([prefix, ns]) => ` xmlns:${prefix}="${ns}"`);
    for (const [service, body] of HIKVISION) {
      const { nonce, digest } = digested(created);
      const token = `<wsse:UsernameToken><wsse:Username>${login.name}</wsse:Username><wsse:Password Type="${TOKEN}#PasswordDigest">${digest}</wsse:Password><wsse:Nonce EncodingType="${BASE64}">${nonce}</wsse:Nonce><wsu:Created>${created}</wsu:Created></wsse:UsernameToken>`;
      const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV="${ENVELOPE}"${declared.join("")}><SOAP-ENV:Header><wsse:Security>${token}</wsse:Security></SOAP-ENV:Header><SOAP-ENV:Body>${body}</SOAP-ENV:Body></SOAP-ENV:Envelope>`;
      const headers = { "user-agent": "gSOAP/2.7", soapaction: `"${DEVICE}/GetServices"`, connection: "close" };
      answered(read(await site.send({ path: `/onvif/${service}_service`, body: xml, headers })));
    }
  });

  it("as another Hikvision DVR: asks for OSD options, and is told that there are none, not that its log-in is wrong", async () => {
    const { nonce, created, digest } = digested();
    const header = `<s:Header><wsse:Security s:mustUnderstand="true" xmlns:wsse="${WSSE}secext-1.0.xsd"><wsse:UsernameToken wsu:Id="UsernameToken-35" xmlns:wsu="${WSSE}utility-1.0.xsd"><wsse:Username>${login.name}</wsse:Username><wsse:Password Type="${TOKEN}#PasswordDigest">${digest}</wsse:Password><wsse:Nonce EncodingType="${BASE64}">${nonce}</wsse:Nonce><wsu:Created>${created}</wsu:Created></wsse:UsernameToken></wsse:Security></s:Header>`;
    const body = `<trt:GetOSDOptions xmlns:trt="${MEDIA}"><trt:ConfigurationToken>gate</trt:ConfigurationToken></trt:GetOSDOptions>`;
    const { status, fault } = await send("media", header, body);
    expect([status, fault?.code, fault?.subcodes]).to.deep.equal([500, "Receiver", ["ActionNotSupported"]]);
  });

  for (const operation of [
    "GetServices",
    "GetServiceCapabilities",
    "GetCapabilities",
    "GetHostname",
    "GetSystemDateAndTime",
  ])
    it(`as Dahua's recorders: asks ${operation} without a log-in, and is answered`, async () => {
      const inner = operation === "GetServices" ? "<IncludeCapability>false</IncludeCapability>" : "";
      answered(await send("device", "", `<${operation} xmlns="${DEVICE}">${inner}</${operation}>`));
    });
});
