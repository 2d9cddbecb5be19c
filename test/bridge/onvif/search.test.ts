import { expect } from "chai";
import { HOUR, SECOND } from "../../../base/units.ts";
import type { XmlElement } from "../../../wsdl/xml.ts";
import { findPath } from "../../../wsdl/xml.ts";
import { OnvifClient, type Reply, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const scope = (content = ""): string => (content === "" ? "<tse:Scope/>" : `<tse:Scope>${content}</tse:Scope>`);
const filter = (text: string): string =>
  scope(`<tt:RecordingInformationFilter>${text}</tt:RecordingInformationFilter>`);

describe("the ONVIF search and replay services", () => {
  let clock: VirtualClock;
  let site: OnvifTestSite;
  let client: OnvifClient;

  beforeEach(async () => {
    clock = new VirtualClock();
    site = await startOnvifSite({ clock });
    client = new OnvifClient(site, await site.account());
  });
  afterEach(() => site.close());

  const find = (content: string, keepAlive = "PT10S"): Promise<Reply> =>
    client.call("tse", "FindRecordings", `${content}<tse:KeepAliveTime>${keepAlive}</tse:KeepAliveTime>`);
  const start = async (content = scope(), keepAlive?: string): Promise<string> =>
    texts((await find(content, keepAlive)).element, "SearchToken")[0] ?? "";
  const results = (token: string, bounds = ""): Promise<Reply> =>
    client.call("tse", "GetRecordingSearchResults", `<tse:SearchToken>${token}</tse:SearchToken>${bounds}`);
  const found = async (content: string): Promise<readonly string[]> =>
    texts((await results(await start(content))).element, "RecordingToken");
  const most = (count: number): string => `<tse:MaxResults>${count}</tse:MaxResults>`;

  it("sum up all recordings: from the earliest to the latest instant", async () => {
    const { element } = await client.call("tse", "GetRecordingSummary");
    const [summary] = element.children as [XmlElement];
    expect(summary.children.map(({ name, text }) => [name, text])).to.deep.equal([
      ["DataFrom", "2025-12-24T07:59:59.250Z"],
      ["DataUntil", "2025-12-31T23:59:59.999Z"],
      ["NumberRecordings", "6"],
    ]);
  });

  describe("recording jobs", () => {
    const job = (token: string, more = ""): string => `<trc:JobToken>${token}</trc:JobToken>${more}`;
    const mode = (word: string): string => `<trc:Mode>${word}</trc:Mode>`;

    it("are active where they are to record, whether they do at the moment or not, and say so in their state", async () => {
      const told = async (token: string): Promise<readonly unknown[]> => {
        const configuration = await client.call("trc", "GetRecordingJobConfiguration", job(token));
        const state = await client.call("trc", "GetRecordingJobState", job(token));
        return [texts(configuration.element, "Mode"), texts(state.element, "State").filter(Boolean)[0]];
      };
      expect(await told("gate")).to.deep.equal([["Active"], "Active"]);
      expect(await told("yard")).to.deep.equal([["Active"], "Idle"]);
    });

    it("are switched off, which the audit log has, and are refused another mode", async () => {
      const set = (token: string, word: string): Promise<Reply> =>
        client.call("trc", "SetRecordingJobMode", job(token, mode(word)));
      expect((await set("gate", "Active")).fault).to.equal(undefined);
      expect(site.switched).to.deep.equal([]);
      expect((await set("gate", "Idle")).fault).to.equal(undefined);
      expect(site.switched).to.deep.equal([["gate", "main", { mode: "off" }]]);
      expect(site.audited.at(-1)).to.include({ action: "set-recording", after: '{"mode":"off"}', interface: "onvif" });
      expect((await set("gate", "Maybe")).fault?.subcodes).to.deep.equal(["InvalidArgVal", "BadMode"]);
      expect((await set("nowhere", "Idle")).fault?.subcodes).to.deep.equal(["InvalidArgVal", "NoRecordingJob"]);
    });

    it("are switched by those alone who may record", async () => {
      const guard = new OnvifClient(
        site,
        await site.account([{ right: "playback", cameras: "any", interfaces: "any" }]),
      );
      const { fault } = await guard.call("trc", "SetRecordingJobMode", job("gate", mode("Idle")));
      expect(fault?.subcodes).to.deep.equal(["NotAuthorized"]);
      expect(site.switched).to.deep.equal([]);
    });
  });

  it("tell of a recording from when to when, which tracks, and whether it goes on", async () => {
    const about = async (token: string): Promise<XmlElement> => {
      const content = `<tse:RecordingToken>${token}</tse:RecordingToken>`;
      return (await client.call("tse", "GetRecordingInformation", content)).element.children[0] as XmlElement;
    };
    const gate = await about("gate");
    expect(findPath(gate, "EarliestRecording")?.text).to.equal("2025-12-24T08:00:00.250Z");
    expect(findPath(gate, "LatestRecording")?.text).to.equal("2025-12-31T23:59:59.999Z");
    expect(texts(gate, "TrackToken")).to.deep.equal(["VIDEO001", "AUDIO001", "META001"]);
    expect(findPath(gate, "RecordingStatus")?.text).to.equal("Recording");
    expect(findPath(await about("yard"), "RecordingStatus")?.text).to.equal("Stopped");
    const old = await about("old");
    expect(findPath(old, "RecordingStatus")?.text).to.equal("Initiated");
    expect(texts(old, "TrackToken")).to.deep.equal([]);
  });

  it("find all recordings, or those that are named, or those with a track of one type", async () => {
    expect(await found(scope())).to.deep.equal(["gate", "yard", "old", "ear", "new", "odd_-1"]);
    expect(await found(scope("<tt:IncludedRecordings>yard</tt:IncludedRecordings>"))).to.deep.equal(["yard"]);
    const source = "<tt:IncludedSources><tt:Token>gate</tt:Token></tt:IncludedSources>";
    expect(await found(scope(source))).to.deep.equal(["gate"]);
    expect(await found(filter('boolean(//Track[TrackType = "Audio"])'))).to.deep.equal(["gate", "yard"]);
    expect(await found(filter("boolean(//Track[TrackType='Metadata'])"))).to.deep.equal(["gate"]);
    const both = 'boolean(//Track[TrackType = "Video"]) and boolean(//Track[TrackType = "Metadata"])';
    expect(await found(filter(both))).to.deep.equal(["gate"]);
  });

  it("refuse a filter that they cannot follow", async () => {
    for (const text of [
      "boolean(//Track)",
      'boolean(//Track[TrackType = "Video"]) and true()',
      "true()",
      'contains(//Description, "a")',
    ])
      expect((await find(filter(text))).fault?.subcodes, text).to.deep.equal(["InvalidArgVal", "InvalidFilterFault"]);
  });

  it("hand out results in parts, and end the search with the last", async () => {
    const token = await start();
    const first = await results(token, most(4));
    expect(texts(first.element, "SearchState")).to.deep.equal(["Searching"]);
    expect(texts(first.element, "RecordingToken")).to.have.length(4);
    const rest = await results(token, most(4));
    expect(texts(rest.element, "SearchState")).to.deep.equal(["Completed"]);
    expect(texts(rest.element, "RecordingToken")).to.have.length(2);
    expect((await results(token)).fault?.subcodes).to.deep.equal(["InvalidArgVal", "InvalidToken"]);
  });

  it("find no more than was asked for", async () => {
    expect(await found(`${scope()}<tse:MaxMatches>2</tse:MaxMatches>`)).to.deep.equal(["gate", "yard"]);
  });

  it("keep a search as long as somebody asks within its time", async () => {
    const token = await start(scope(), "PT20S");
    for (let round = 0; round < 3; round += 1) {
      await clock.advance(19 * SECOND);
      expect((await results(token, most(1))).fault).to.equal(undefined);
    }
    await clock.advance(20 * SECOND);
    expect((await results(token)).fault?.subcodes).to.deep.equal(["InvalidArgVal", "InvalidToken"]);
  });

  it("keep a search at least ten seconds and at most an hour", async () => {
    const [short, long] = [await start(scope(), "PT0S"), await start(scope(), "P10Y")];
    await clock.advance(9 * SECOND);
    expect((await results(short, most(1))).fault).to.equal(undefined);
    await clock.advance(HOUR);
    expect((await results(long)).fault).not.to.equal(undefined);
  });

  it("take so many searches of one account and no more, until some are over", async () => {
    const tokens: string[] = [];
    for (let count = 0; count < 10; count += 1) tokens.push(await start());
    const refused = await find(scope());
    expect(refused.fault).to.deep.include({ code: "Receiver", subcodes: ["Action", "ResourceProblem"] });
    await client.call("tse", "EndSearch", `<tse:SearchToken>${tokens[0]}</tse:SearchToken>`);
    expect((await find(scope())).fault).to.equal(undefined);
  });

  it("tell where a recording is played", async () => {
    const setup = "<tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport>";
    const content = `<trp:StreamSetup>${setup}</trp:StreamSetup><trp:RecordingToken>gate</trp:RecordingToken>`;
    const { element } = await client.call("trp", "GetReplayUri", content);
    expect(texts(element, "Uri")).to.deep.equal(["rtsp://127.0.0.1:8554/recorded/gate"]);
  });
});
