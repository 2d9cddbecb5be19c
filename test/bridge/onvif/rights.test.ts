import { expect } from "chai";
import type { Grant } from "../../../auth/principal.ts";
import type { CameraRight, Interface } from "../../../auth/right.ts";
import { keyRequests, PROFILES } from "../../support/onvif-cameras.ts";
import { OnvifClient, type Reply, type ServicePrefix, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";

const SETUP = "<tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport>";
type Call = readonly [prefix: ServicePrefix, operation: string, content: string];

const live = (token: string): Call => [
  "trt",
  "GetStreamUri",
  `<trt:StreamSetup>${SETUP}</trt:StreamSetup><trt:ProfileToken>${token}</trt:ProfileToken>`,
];
const replay = (token: string): Call => [
  "trp",
  "GetReplayUri",
  `<trp:StreamSetup>${SETUP}</trp:StreamSetup><trp:RecordingToken>${token}</trp:RecordingToken>`,
];

const grant = (
  right: CameraRight,
  cameras: readonly string[] | "any",
  interfaces: Interface[] | "any" = "any",
): Grant => ({
  right,
  cameras: cameras === "any" ? "any" : new Set(cameras),
  interfaces: interfaces === "any" ? "any" : new Set(interfaces),
});
const tokens = ({ element }: Reply, name: string): readonly string[] =>
  element.children
    .filter((child) => child.name === name)
    .map((child) => child.attributes.find((attribute) => attribute.name === "token")?.value ?? "");

describe("what an account gets to see through ONVIF", () => {
  let site: OnvifTestSite;
  const as = async (...grants: readonly Grant[]): Promise<OnvifClient> =>
    new OnvifClient(site, await site.account(grants));

  before(async () => {
    site = await startOnvifSite();
  });
  after(() => site.close());

  it("is nothing without grants", async () => {
    const client = await as();
    expect(tokens(await client.call("trt", "GetProfiles"), "Profiles")).to.deep.equal([]);
    expect(tokens(await client.call("tr2", "GetProfiles"), "Profiles")).to.deep.equal([]);
    expect(texts((await client.call("trc", "GetRecordings")).element, "RecordingToken")).to.deep.equal([]);
    expect((await client.call("trt", "GetVideoSourceConfigurationOptions")).fault?.subcodes).to.deep.equal([
      "InvalidArgVal",
      "NoConfig",
    ]);
    const { element } = await client.call("tse", "GetRecordingSummary");
    expect(texts(element, "NumberRecordings")).to.deep.equal(["0"]);
  });

  it("is what is granted, for this interface", async () => {
    const client = await as(
      grant("live", ["gate"], ["onvif"]),
      grant("live", ["yard"], ["web", "rtsp"]),
      grant("playback", ["old"]),
    );
    for (const prefix of ["trt", "tr2"] as const)
      expect(tokens(await client.call(prefix, "GetProfiles"), "Profiles")).to.deep.equal(["gate", "old"]);
    expect(texts((await client.call("trc", "GetRecordings")).element, "RecordingToken")).to.deep.equal(["old"]);
  });

  it("is every camera there is for a grant on any", async () => {
    const client = await as(grant("live", "any"));
    expect(tokens(await client.call("tr2", "GetProfiles"), "Profiles")).to.deep.equal(PROFILES);
  });

  it("does not tell a hidden camera from one that does not exist", async () => {
    const client = await as(grant("live", ["gate"]), grant("playback", ["gate"]));
    const config = (token: string): string => `<tr2:ConfigurationToken>${token}</tr2:ConfigurationToken>`;
    const calls: readonly ((token: string) => Call)[] = [
      live,
      replay,
      (token: string) => ["trt", "GetProfile", `<trt:ProfileToken>${token}</trt:ProfileToken>`],
      (token: string) => ["tr2", "GetProfiles", `<tr2:Token>${token}</tr2:Token>`],
      (token: string) => ["tr2", "GetVideoEncoderConfigurations", config(token)],
      (token: string) => ["tr2", "GetMasks", config(token)],
      (token: string) => ["tr2", "GetOSDs", config(token)],
      (token: string) => ["trt", "GetOSDs", `<trt:ConfigurationToken>${token}</trt:ConfigurationToken>`],
      (token: string) => ["tr2", "GetAnalyticsConfigurations", `<tr2:ProfileToken>${token}</tr2:ProfileToken>`],
      (token: string) => [
        "trt",
        "GetCompatibleAudioOutputConfigurations",
        `<trt:ProfileToken>${token}</trt:ProfileToken>`,
      ],
      (token: string) => ["trc", "GetRecordingConfiguration", `<trc:RecordingToken>${token}</trc:RecordingToken>`],
      (token: string) => ["trc", "GetRecordingJobState", `<trc:JobToken>${token}</trc:JobToken>`],
      (token: string) => ["tse", "GetRecordingInformation", `<tse:RecordingToken>${token}</tse:RecordingToken>`],
    ];
    for (const call of calls) {
      const [hidden, absent] = [await client.call(...call("yard")), await client.call(...call("nowhere"))];
      expect(hidden.fault, String(call)).not.to.equal(undefined);
      expect([hidden.status, hidden.body]).to.deep.equal([absent.status, absent.body]);
      expect(hidden.fault?.subcodes[0]).to.equal("InvalidArgVal");
    }
  });

  it("does not tell hidden recordings from ones that do not exist in lists", async () => {
    const client = await as(grant("live", "any"), grant("playback", ["gate"]));
    const asked = ["gate", "yard", "nowhere"].map((token) => `<tse:RecordingTokens>${token}</tse:RecordingTokens>`);
    const attributes = await client.call(
      "tse",
      "GetMediaAttributes",
      `${asked.join("")}<tse:Time>2025-12-30T12:00:00Z</tse:Time>`,
    );
    expect(texts(attributes.element, "RecordingToken")).to.deep.equal(["gate"]);
    const search = await client.call(
      "tse",
      "FindRecordings",
      "<tse:Scope/><tse:KeepAliveTime>PT10S</tse:KeepAliveTime>",
    );
    const [token] = texts(search.element, "SearchToken");
    const results = await client.call(
      "tse",
      "GetRecordingSearchResults",
      `<tse:SearchToken>${token}</tse:SearchToken>`,
    );
    expect(texts(results.element, "RecordingToken")).to.deep.equal(["gate"]);
  });

  it("without the right to watch is a camera whose address is not told", async () => {
    const seen = await as(grant("playback", ["gate"]));
    const { fault, status } = await seen.call(...live("gate"));
    expect(fault).to.deep.include({ code: "Sender", subcodes: ["NotAuthorized"] });
    expect(status).to.equal(400);
    expect((await seen.call(...replay("gate"))).fault).to.equal(undefined);
  });

  it("without the right to watch asks for no key frame", async () => {
    const profile = (prefix: "trt" | "tr2"): Call => [
      prefix,
      "SetSynchronizationPoint",
      `<${prefix}:ProfileToken>gate</${prefix}:ProfileToken>`,
    ];
    const [may, mayNot] = [await as(grant("live", ["gate"])), await as(grant("playback", ["gate"]))];
    keyRequests.length = 0;
    for (const prefix of ["trt", "tr2"] as const) {
      expect((await mayNot.call(...profile(prefix))).fault).to.deep.include({ subcodes: ["NotAuthorized"] });
      expect(keyRequests).to.deep.equal([]);
      expect((await may.call(...profile(prefix))).fault).to.equal(undefined);
      expect(keyRequests.splice(0)).to.deep.equal(["gate"]);
    }
  });

  it("has a metadata configuration with the right to metadata, and none without", async () => {
    const [may, mayNot] = [
      await as(grant("live", "any"), grant("metadata", ["gate", "old"])),
      await as(grant("live", "any")),
    ];
    for (const prefix of ["trt", "tr2"] as const) {
      // The bridge's own events are there for every camera whose stream is known, the camera's own besides.
      expect(tokens(await may.call(prefix, "GetMetadataConfigurations"), "Configurations")).to.deep.equal([
        "gate",
        "old",
      ]);
      expect(tokens(await mayNot.call(prefix, "GetMetadataConfigurations"), "Configurations")).to.deep.equal([]);
    }
  });

  it("without the right to play recordings has no recording", async () => {
    const client = await as(grant("live", ["gate"]));
    expect((await client.call(...live("gate"))).fault).to.equal(undefined);
    expect((await client.call(...replay("gate"))).fault).to.deep.include({
      code: "Sender",
      subcodes: ["NotAuthorized"],
    });
    const information = await client.call(
      "tse",
      "GetRecordingInformation",
      "<tse:RecordingToken>gate</tse:RecordingToken>",
    );
    expect(information.fault?.subcodes).to.deep.equal(["InvalidArgVal", "NoRecording"]);
  });

  it("is a head whose places are kept, and that is not moved, with the right to presets alone", async () => {
    const [keeper, watcher] = [await as(grant("presets", ["gate"])), await as(grant("live", ["gate"]))];
    const profile = "<tptz:ProfileToken>gate</tptz:ProfileToken>";
    const calls: readonly (readonly [operation: string, content: string, keeper: string, watcher: string])[] = [
      ["GetStatus", profile, "", "NoPTZProfile"],
      ["GetPresets", profile, "", "NoPTZProfile"],
      ["SetPreset", `${profile}<tptz:PresetName>Door</tptz:PresetName>`, "", "NotAuthorized"],
      ["GotoPreset", `${profile}<tptz:PresetToken>door</tptz:PresetToken>`, "NotAuthorized", "NotAuthorized"],
      ["Stop", profile, "NotAuthorized", "NotAuthorized"],
    ];
    for (const [operation, content, ...expected] of calls) {
      const replies = [await keeper.call("tptz", operation, content), await watcher.call("tptz", operation, content)];
      expect(
        replies.map(({ fault }) => fault?.subcodes.at(-1) ?? ""),
        operation,
      ).to.deep.equal(expected);
    }
    expect(tokens(await keeper.call("tptz", "GetNodes"), "PTZNode")).to.deep.equal(["gate"]);
    expect(tokens(await watcher.call("tptz", "GetNodes"), "PTZNode")).to.deep.equal([]);
  });

  it("is written to the audit log when it leads to pictures, allowed or not", async () => {
    const login = await site.account([grant("playback", ["gate"])]);
    const client = new OnvifClient(site, login);
    const before = site.audited.length;
    await client.call(...replay("gate"));
    await client.call(...live("gate"));
    const entries = site.audited.slice(before);
    expect(entries.map(({ action, outcome }) => [action, outcome])).to.deep.equal([
      ["playback", "allowed"],
      ["live", "denied"],
    ]);
    for (const entry of entries)
      expect(entry).to.include({ who: login.name, camera: "gate", interface: "onvif", address: "127.0.0.1" });
  });

  it("of searches is one's own", async () => {
    const [mine, yours] = [await as(grant("playback", "any")), await as(grant("playback", "any"))];
    const content = "<tse:Scope/><tse:KeepAliveTime>PT10S</tse:KeepAliveTime>";
    const [token] = texts((await mine.call("tse", "FindRecordings", content)).element, "SearchToken");
    const asked = `<tse:SearchToken>${token}</tse:SearchToken>`;
    expect((await yours.call("tse", "GetRecordingSearchResults", asked)).fault?.subcodes).to.deep.equal([
      "InvalidArgVal",
      "InvalidToken",
    ]);
    expect((await yours.call("tse", "EndSearch", asked)).fault).not.to.equal(undefined);
    expect((await mine.call("tse", "EndSearch", asked)).fault).to.equal(undefined);
  });

  it("of what only administrators may is nothing, even for operations that nobody has", async () => {
    const client = await as(grant("live", "any"));
    for (const operation of ["SystemReboot", "GetUsers", "CreateUsers", "SetNTP"])
      expect((await client.call("tds", operation)).fault, operation).to.deep.include({
        code: "Sender",
        subcodes: ["NotAuthorized"],
      });
  });
});
