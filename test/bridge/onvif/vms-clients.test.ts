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

/**
 * What is known of how VMS ask, from what people have written down of them: roleoroleo/onvif_simple_server issue 19 (Synology),
 * AlexxIT/go2rtc issue 1538 (UniFi Protect); of Dahua's recorders, that they give up where these need a log-in.
 */
describe("well-known clients", () => {
  let site: OnvifTestSite;
  let login: OnvifLogin;
  before(async () => {
    site = await startOnvifSite();
    login = await site.account();
  });
  after(() => site.close());

  const digested = (): { readonly nonce: string; readonly created: string; readonly digest: string } => {
    const nonce = randomBytes(16);
    const created = isoOf(site.clock.now());
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
