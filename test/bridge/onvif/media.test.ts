import { expect } from "chai";
import { parseGroupRange } from "../../../net/multicast.ts";
import type { XmlElement } from "../../../wsdl/xml.ts";
import { findPath } from "../../../wsdl/xml.ts";
import { OnvifClient, type Reply, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";

const byToken = ({ element }: Reply, token: string): XmlElement | undefined =>
  element.children.find(({ attributes }) => attributes.some(({ name, value }) => name === "token" && value === token));
const text = (element: XmlElement | undefined, ...path: readonly string[]): string | undefined =>
  element && findPath(element, ...path)?.text;
const setup = (protocol: string, stream = "RTP-Unicast"): string =>
  `<trt:StreamSetup><tt:Stream>${stream}</tt:Stream><tt:Transport><tt:Protocol>${protocol}</tt:Protocol></tt:Transport></trt:StreamSetup>`;

describe("the ONVIF media services", () => {
  let site: OnvifTestSite;
  let secure: OnvifTestSite;
  let client: OnvifClient;
  let secureClient: OnvifClient;

  before(async () => {
    site = await startOnvifSite();
    secure = await startOnvifSite({ plainRtsp: false });
    client = new OnvifClient(site, await site.account());
    secureClient = new OnvifClient(secure, await secure.account());
  });
  after(async () => {
    await site.close();
    await secure.close();
  });

  it("have a fixed profile for each camera, of which one that was never reached has nothing in it", async () => {
    const reply = await client.call("trt", "GetProfiles");
    const gate = byToken(reply, "gate");
    expect(gate?.children.map(({ name }) => name)).to.deep.equal([
      "Name",
      "VideoSourceConfiguration",
      "AudioSourceConfiguration",
      "VideoEncoderConfiguration",
      "AudioEncoderConfiguration",
      "PTZConfiguration",
      "MetadataConfiguration",
    ]);
    expect(byToken(reply, "new")?.children.map(({ name }) => name)).to.deep.equal(["Name"]);
  });

  it("tell codec, size and rate as the camera's parameter sets say them", async () => {
    const first = byToken(await client.call("trt", "GetProfiles"), "gate");
    const encoder = first && findPath(first, "VideoEncoderConfiguration");
    expect(text(encoder, "Encoding")).to.equal("H264");
    expect(text(encoder, "H264", "H264Profile")).to.equal("Baseline");
    expect([text(encoder, "Resolution", "Width"), text(encoder, "Resolution", "Height")]).to.deep.equal([
      "1920",
      "1080",
    ]);
    expect(text(encoder, "RateControl", "FrameRateLimit")).to.equal("5");
    const second = byToken(await client.call("tr2", "GetVideoEncoderConfigurations"), "yard");
    expect(text(second, "Encoding")).to.equal("H265");
    expect([text(second, "Resolution", "Width"), text(second, "Resolution", "Height")]).to.deep.equal(["1920", "1080"]);
  });

  it("tell a size of 0 where nobody knows it", async () => {
    const reply = await client.call("tr2", "GetVideoEncoderConfigurations");
    for (const camera of ["old", "odd_-1"]) expect(text(byToken(reply, camera), "Resolution", "Width")).to.equal("0");
  });

  it("have no words for H.265 in version 1.0, and leave the encoder out", async () => {
    const yard = byToken(await client.call("trt", "GetProfiles"), "yard");
    expect(yard && findPath(yard, "VideoSourceConfiguration")).not.to.equal(undefined);
    expect(yard && findPath(yard, "VideoEncoderConfiguration")).to.equal(undefined);
  });

  it("list configurations in version 2.0 only where they are asked for", async () => {
    const names = async (content: string): Promise<readonly string[]> =>
      byToken(await client.call("tr2", "GetProfiles", content), "gate")?.children.flatMap(({ name, children }) => [
        name,
        ...children.map((child) => child.name),
      ]) ?? [];
    expect(await names("")).to.deep.equal(["Name"]);
    expect(await names("<tr2:Type>VideoEncoder</tr2:Type>")).to.deep.equal(["Name", "Configurations", "VideoEncoder"]);
    expect(await names("<tr2:Type>All</tr2:Type>")).to.include.members(["VideoSource", "AudioEncoder", "Metadata"]);
  });

  it("cut a camera's name between characters and write out what XML does not allow", async () => {
    const odd = byToken(await client.call("tr2", "GetProfiles"), "odd_-1");
    expect(text(odd, "Name"))
      .to.match(/^<&"'\uFFFD> (?:🎥)+$/u)
      .and.to.have.length(63);
  });

  const first: readonly (readonly [protocol: string, plain: string, secure: string])[] = [
    ["RTSP", "rtsp://127.0.0.1:8554/live/gate", "rtsps://127.0.0.1:8322/live/gate"],
    ["TCP", "rtsp://127.0.0.1:8554/live/gate", "rtsps://127.0.0.1:8322/live/gate"],
    ["UDP", "rtsp://127.0.0.1:8554/live/gate", "rtsps://127.0.0.1:8322/live/gate"],
    ["HTTP", "http://127.0.0.1:<web>/live/gate", "http://127.0.0.1:<web>/live/gate"],
  ];
  for (const [protocol, plain, encrypted] of first)
    it(`give an address for ${protocol} in version 1.0, in TLS where nothing else can be had`, async () => {
      const content = `${setup(protocol)}<trt:ProfileToken>gate</trt:ProfileToken>`;
      for (const [who, { port }, address] of [
        [client, site, plain],
        [secureClient, secure, encrypted],
      ] as const) {
        const { element } = await who.call("trt", "GetStreamUri", content);
        expect(texts(element, "Uri")).to.deep.equal([address.replace("<web>", `${port}`)]);
      }
    });

  const second: readonly (readonly [protocol: string, address: string | undefined])[] = [
    ["RtspUnicast", "rtsp://127.0.0.1:8554/live/gate"],
    ["RTSP", "rtsp://127.0.0.1:8554/live/gate"],
    ["RtspsUnicast", "rtsps://127.0.0.1:8322/live/gate"],
    ["RtspOverHttp", "http://127.0.0.1:<web>/live/gate"],
    ["RtspMulticast", undefined],
    ["RtspsMulticast", undefined],
    ["rtsp", undefined],
  ];
  for (const [protocol, address] of second)
    it(`${address === undefined ? "refuse" : "give an address for"} ${protocol} in version 2.0`, async () => {
      const content = `<tr2:Protocol>${protocol}</tr2:Protocol><tr2:ProfileToken>gate</tr2:ProfileToken>`;
      const { element, fault } = await client.call("tr2", "GetStreamUri", content);
      if (address === undefined) expect(fault?.subcodes).to.deep.equal(["InvalidArgVal", "InvalidStreamSetup"]);
      else expect(texts(element, "Uri")).to.deep.equal([address.replace("<web>", `${site.port}`)]);
    });

  it("have a profile for a sub-stream, with an encoder and an address of its own and its camera's source", async () => {
    const reply = await client.call("trt", "GetProfiles");
    const sub = byToken(reply, "yard_sub");
    expect(text(sub, "Name")).to.equal("Yard sub");
    expect(text(sub, "VideoEncoderConfiguration", "Encoding")).to.equal("H264");
    expect(text(sub, "VideoSourceConfiguration", "SourceToken")).to.equal("yard");
    expect(text(sub, "VideoSourceConfiguration", "UseCount")).to.equal("2");
    const uri = `${setup("RTSP")}<trt:ProfileToken>yard_sub</trt:ProfileToken>`;
    const { element } = await client.call("trt", "GetStreamUri", uri);
    expect(texts(element, "Uri")).to.deep.equal(["rtsp://127.0.0.1:8554/live/yard/sub"]);
    const sources = await client.call("trt", "GetVideoSources");
    expect(sources.element.children.filter(({ attributes }) => attributes[0]?.value.startsWith("yard"))).to.have.length(
      1,
    );
  });

  const strangers: readonly (readonly [operation: string, token: string])[] = [
    ["GetProfile", "<trt:ProfileToken>gate_sub</trt:ProfileToken>"],
    ["GetProfile", "<trt:ProfileToken>yard_main</trt:ProfileToken>"],
    ["GetProfile", "<trt:ProfileToken>yard_</trt:ProfileToken>"],
    ["GetVideoSourceConfiguration", "<trt:ConfigurationToken>yard_sub</trt:ConfigurationToken>"],
    ["GetVideoSourceConfigurationOptions", "<trt:ConfigurationToken>yard_sub</trt:ConfigurationToken>"],
  ];
  for (const [operation, token] of strangers)
    it(`know no such token: ${operation} of ${token.replace(/<.*?>/g, "")}`, async () => {
      const { fault } = await client.call("trt", operation, token);
      expect(fault?.subcodes[0]).to.equal("InvalidArgVal");
    });

  it("count the encoders of a camera by their codecs", async () => {
    const asked = "<tr2:ConfigurationToken>yard</tr2:ConfigurationToken>";
    const { element } = await client.call("tr2", "GetVideoEncoderInstances", asked);
    expect(texts(element, "Encoding")).to.deep.equal(["H265", "H264"]);
    expect(texts(element, "Total")).to.deep.equal(["2"]);
  });

  it("refuse multicast in version 1.0", async () => {
    const content = `${setup("UDP", "RTP-Multicast")}<trt:ProfileToken>gate</trt:ProfileToken>`;
    const { fault } = await client.call("trt", "GetStreamUri", content);
    expect(fault?.subcodes).to.deep.equal(["InvalidArgVal", "InvalidStreamSetup"]);
  });

  describe("where multicast is switched on", () => {
    let multicast: OnvifTestSite;
    let viewer: OnvifClient;

    before(async () => {
      const groups = parseGroupRange("239.192.0.0/30") ?? { first: 0, count: 0 };
      multicast = await startOnvifSite({ multicast: { groups, port: 20_000, ttl: 3 } });
      viewer = new OnvifClient(multicast, await multicast.account());
    });
    after(() => multicast.close());

    it("give an address whose description names the group, in both versions", async () => {
      const first = `${setup("UDP", "RTP-Multicast")}<trt:ProfileToken>yard</trt:ProfileToken>`;
      const second = "<tr2:Protocol>RtspMulticast</tr2:Protocol><tr2:ProfileToken>yard</tr2:ProfileToken>";
      for (const { element } of [
        await viewer.call("trt", "GetStreamUri", first),
        await viewer.call("tr2", "GetStreamUri", second),
      ])
        expect(texts(element, "Uri")).to.deep.equal(["rtsp://127.0.0.1:8554/live/yard?multicast"]);
    });

    it("refuse multicast over anything but UDP, in TLS, and of recordings", async () => {
      const tcp = `${setup("TCP", "RTP-Multicast")}<trt:ProfileToken>gate</trt:ProfileToken>`;
      const secured = "<tr2:Protocol>RtspsMulticast</tr2:Protocol><tr2:ProfileToken>gate</tr2:ProfileToken>";
      const replay = setup("UDP", "RTP-Multicast").replaceAll("trt:", "trp:");
      for (const { fault } of [
        await viewer.call("trt", "GetStreamUri", tcp),
        await viewer.call("tr2", "GetStreamUri", secured),
        await viewer.call("trp", "GetReplayUri", `${replay}<trp:RecordingToken>gate</trp:RecordingToken>`),
      ])
        expect(fault?.subcodes).to.deep.equal(["InvalidArgVal", "InvalidStreamSetup"]);
    });

    it("tell group, ports and reach in every configuration, and none beyond the range", async () => {
      const configurations = [
        await viewer.call("trt", "GetVideoEncoderConfigurations"),
        await viewer.call("tr2", "GetVideoEncoderConfigurations"),
        await viewer.call("trt", "GetAudioEncoderConfigurations"),
        await viewer.call("tr2", "GetAudioEncoderConfigurations"),
        await viewer.call("trt", "GetMetadataConfigurations"),
      ].map((reply) => byToken(reply, "gate"));
      const said = configurations.map((one) => [
        text(one, "Multicast", "Address", "IPv4Address"),
        text(one, "Multicast", "Port"),
        text(one, "Multicast", "TTL"),
        text(one, "Multicast", "AutoStart"),
      ]);
      const [video, audio, metadata] = ["20000", "20002", "20004"].map((port) => ["239.192.0.0", port, "3", "false"]);
      expect(said).to.deep.equal([video, video, audio, audio, metadata]);
      const odd = byToken(await viewer.call("trt", "GetVideoEncoderConfigurations"), "odd_-1");
      expect(text(odd, "Multicast", "Address", "IPv4Address")).to.equal("0.0.0.0");
    });

    it("announce it", async () => {
      for (const version of ["trt", "tr2"] as const) {
        const { body } = await viewer.call(version, "GetServiceCapabilities");
        expect(body).to.include('RTPMulticast="true"');
      }
      const { element } = await viewer.call("tds", "GetCapabilities");
      expect(texts(element, "RTPMulticast")).to.deep.equal(["true"]);
    });
  });

  it("give an address whose description offers keys, and announce it, where SRTP is switched on", async () => {
    const asked = "<tr2:Protocol>RtspsUnicast</tr2:Protocol><tr2:ProfileToken>gate</tr2:ProfileToken>";
    const srtp = await startOnvifSite({ srtp: true });
    const viewer = new OnvifClient(srtp, await srtp.account());
    const { element } = await viewer.call("tr2", "GetStreamUri", asked);
    expect(texts(element, "Uri")).to.deep.equal(["rtsps://127.0.0.1:8322/live/gate?srtp"]);
    for (const [who, said] of [
      [viewer, "true"],
      [client, "false"],
    ] as const)
      expect((await who.call("tr2", "GetServiceCapabilities")).body).to.include(`SecureRTSPStreaming="${said}"`);
    await srtp.close();
  });

  it("give the same address for as long as the camera exists", async () => {
    const content = `${setup("RTSP")}<trt:ProfileToken>gate</trt:ProfileToken>`;
    const { element } = await client.call("trt", "GetStreamUri", content);
    const said = ["InvalidAfterConnect", "InvalidAfterReboot", "Timeout"].map((name) => texts(element, name)[0]);
    expect(said).to.deep.equal(["false", "false", "PT0S"]);
  });
});
