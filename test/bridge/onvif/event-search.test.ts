import { expect } from "chai";
import { Fault } from "../../../base/fault.ts";
import { DAY, isoOf, unixMillis } from "../../../base/units.ts";
import { EventSearch } from "../../../bridge/client-side/onvif/event-search.ts";
import type { EventCursor, KeptEvent } from "../../../recorder/journal.ts";
import type { XmlElement } from "../../../wsdl/xml.ts";
import { findPath } from "../../../wsdl/xml.ts";
import { OnvifClient, type Reply, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const DIALECT = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet";
const at = (day: number, hour: number): string => isoOf(unixMillis(Date.UTC(2025, 11, day, hour)));

describe("a search for events", () => {
  let site: OnvifTestSite;
  let client: OnvifClient;

  beforeEach(async () => {
    site = await startOnvifSite({ clock: new VirtualClock() });
    client = new OnvifClient(site, await site.account());
    // `gate` is recorded from the 24th, 8:00 on, and still is; `yard` was until the 31st.
    for (const [day, hour, value] of [
      [25, 10, "true"],
      [25, 11, "false"],
      [27, 10, "true"],
      [29, 10, "false"],
    ] as const)
      await keep("gate", day, hour, "MotionAlarm", value);
    await keep("yard", 26, 10, "MotionAlarm", "true");
    await keep("gate", 26, 12, "SignalLoss", "true");
  });
  afterEach(() => site.close());

  const keep = (camera: string, day: number, hour: number, about: string, value: string): Promise<number> => {
    const instant = unixMillis(Date.UTC(2025, 11, day, hour));
    const notification = {
      at: instant,
      topic: ["VideoSource", about],
      operation: "Changed",
      source: [["Source", camera]],
      data: [["State", value]],
    };
    const content = JSON.stringify(notification);
    return site.journal.enter([{ camera, at: instant, kind: "motion", about, property: true, content }]);
  };

  const topics = (expression: string): string =>
    `<wsnt:TopicExpression Dialect="${DIALECT}">${expression}</wsnt:TopicExpression>`;
  interface Asked {
    readonly from?: string;
    readonly to?: string;
    readonly scope?: string;
    readonly filter?: string;
    readonly start?: boolean;
    readonly most?: number;
  }
  const find = (o: Asked, as = client): Promise<Reply> =>
    as.call(
      "tse",
      "FindEvents",
      `<tse:StartPoint>${o.from ?? at(24, 0)}</tse:StartPoint>${o.to === undefined ? "" : `<tse:EndPoint>${o.to}</tse:EndPoint>`}` +
        `<tse:Scope>${o.scope ?? "<tt:IncludedRecordings>gate</tt:IncludedRecordings>"}</tse:Scope>` +
        `<tse:SearchFilter>${o.filter ?? topics("tns1:VideoSource/MotionAlarm")}</tse:SearchFilter>` +
        `<tse:IncludeStartState>${o.start === true}</tse:IncludeStartState>` +
        `${o.most === undefined ? "" : `<tse:MaxMatches>${o.most}</tse:MaxMatches>`}<tse:KeepAliveTime>PT10S</tse:KeepAliveTime>`,
    );
  const start = async (o: Asked, as?: OnvifClient): Promise<string> =>
    texts((await find(o, as)).element, "SearchToken")[0] ?? "";
  const results = (token: string, most?: number, as = client): Promise<Reply> =>
    as.call(
      "tse",
      "GetEventSearchResults",
      `<tse:SearchToken>${token}</tse:SearchToken>${most === undefined ? "" : `<tse:MaxResults>${most}</tse:MaxResults>`}`,
    );

  /** `25 10 gate MotionAlarm true`, with `start` where it is virtual. */
  function words(result: XmlElement): string {
    const time = findPath(result, "Time")?.text ?? "";
    const topic = findPath(result, "Event", "Topic")?.text.replace("tns1:", "").split("/").slice(-2).join("/") ?? "";
    const message = findPath(result, "Event", "Message", "Message");
    const [value] =
      (message &&
        findPath(message, "Data")
          ?.children[0]?.attributes.map((one) => one.value)
          .slice(-1)) ??
      [];
    const virtual = findPath(result, "StartStateEvent")?.text === "true" ? " start" : "";
    const of = [findPath(result, "RecordingToken")?.text, findPath(result, "TrackToken")?.text]
      .filter(Boolean)
      .join(":");
    return `${Number(time.slice(8, 10))} ${Number(time.slice(11, 13))} ${of} ${topic} ${value}${virtual}`;
  }
  async function found(o: Asked, page?: number, as?: OnvifClient): Promise<readonly string[]> {
    const token = await start(o, as);
    const all: string[] = [];
    for (;;) {
      const { element, fault } = await results(token, page, as);
      if (fault !== undefined) throw new Error(JSON.stringify(fault));
      const list = element.children[0] as XmlElement;
      const these = list.children.filter(({ name }) => name === "Result");
      if (page !== undefined) expect(these.length).to.be.at.most(page);
      all.push(...these.map(words));
      if (texts(element, "SearchState")[0] === "Completed") break;
    }
    expect((await results(token, 1, as)).fault?.subcodes).to.deep.equal(["InvalidArgVal", "InvalidToken"]);
    return all;
  }

  const MOTION = [
    "25 10 gate VideoSource/MotionAlarm true",
    "25 11 gate VideoSource/MotionAlarm false",
    "27 10 gate VideoSource/MotionAlarm true",
    "29 10 gate VideoSource/MotionAlarm false",
  ];

  const rows: readonly [string, Asked, readonly string[]][] = [
    ["forward in time", {}, MOTION],
    ["backward, from late to early", { from: at(31, 0), to: at(24, 0) }, MOTION.toReversed()],
    ["from the one instant to the other, without the latter", { from: at(25, 10), to: at(27, 10) }, MOTION.slice(0, 2)],
    ["no more than are wanted", { most: 3 }, MOTION.slice(0, 3)],
    ["where nothing happened", { from: at(30, 0), to: at(31, 0) }, []],
    ["before everything", { from: "1970-01-01T00:00:00Z", to: at(24, 0) }, []],
    ["after now", { from: "2030-01-01T00:00:00Z", to: "2031-01-01T00:00:00Z" }, []],
    [
      "by their content",
      {
        filter: `${topics("tns1:VideoSource//.")}<wsnt:MessageContent Dialect="http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter">boolean(//tt:SimpleItem[@Name="State" and @Value="true"])</wsnt:MessageContent>`,
      },
      [MOTION[0], "26 12 gate VideoSource/SignalLoss true", MOTION[2]] as string[],
    ],
    [
      "of several cameras, each under its recording",
      { scope: "", most: 3 },
      [...MOTION.slice(0, 2), "26 10 yard VideoSource/MotionAlarm true"],
    ],
    [
      "by their source",
      { scope: "<tt:IncludedSources><tt:Token>yard</tt:Token></tt:IncludedSources>" },
      ["26 10 yard VideoSource/MotionAlarm true"],
    ],
    [
      "how things stood when the range begins",
      { from: at(28, 0), start: true },
      ["28 0 gate VideoSource/MotionAlarm true start", ...MOTION.slice(3)],
    ],
    [
      "how recording stood, and where it began and ended",
      { from: at(31, 12), scope: "", filter: topics("tns1:RecordingHistory/Recording/State"), start: true },
      [
        "31 12 gate Recording/State true start",
        "31 12 yard Recording/State true start",
        "31 12 old Recording/State false start",
        "31 12 ear Recording/State false start",
        "31 12 new Recording/State false start",
        "31 12 odd_-1 Recording/State false start",
        "31 23 yard Recording/State false",
        "31 23 odd_-1 Recording/State true",
      ],
    ],
    [
      "of each track, too",
      { to: at(24, 12), filter: topics("tns1:RecordingHistory/Track/State") },
      ["VIDEO001", "AUDIO001", "META001"].map((track) => `24 8 gate:${track} Track/State true`),
    ],
  ];
  for (const [what, asked, expected] of rows)
    for (const page of [undefined, 1, 2])
      it(`finds them ${what}${page === undefined ? "" : `, ${page} at a time`}`, async () => {
        expect(await found(asked, page)).to.deep.equal(expected);
      });

  it("finds nothing of cameras for who may not be told of their events, but where footage begins and ends", async () => {
    const guard = new OnvifClient(
      site,
      await site.account([{ right: "playback", cameras: new Set(["gate"]), interfaces: "any" }]),
    );
    expect(await found({ scope: "", filter: "" }, undefined, guard)).to.deep.equal([
      "24 8 gate Recording/State true",
      // Its sound is for others.
      "24 8 gate:VIDEO001 Track/State true",
    ]);
  });

  it("finds nothing older than who searches may have", async () => {
    const grants = (["playback", "events"] as const).map(
      (right) => ({ right, cameras: "any", interfaces: "any" }) as const,
    );
    const [playback, events] = grants;
    const young = [{ ...playback, maxAgeMs: 4 * 86_400_000 }, events] as Parameters<OnvifTestSite["account"]>[0];
    const guard = new OnvifClient(site, await site.account(young));
    expect(await found({}, undefined, guard)).to.deep.equal(MOTION.slice(3));
  });

  it("is refused with another filter, ends, and is no search for recordings", async () => {
    expect((await find({ filter: topics("tns1:Weather") })).fault).not.to.equal(undefined);
    const token = await start({});
    const call = `<tse:SearchToken>${token}</tse:SearchToken>`;
    expect((await client.call("tse", "GetRecordingSearchResults", call)).fault?.subcodes).to.include("InvalidToken");
    expect((await client.call("tse", "EndSearch", call)).fault).to.equal(undefined);
    expect((await results(token)).fault?.subcodes).to.include("InvalidToken");
  });

  it("is refused, and never said to be complete, where the journal has given no answer to it", async () => {
    const token = await start({});
    const { journal } = site;
    const answers = journal.events.bind(journal);
    journal.events = async () => {
      throw new Fault("unavailable", "it gives no answer");
    };
    expect((await results(token)).fault).to.not.equal(undefined);
    journal.events = answers;
    expect((await results(token)).fault).to.not.equal(undefined);
    expect(await found({})).to.deep.equal(MOTION);
  });

  it("gives others their turn of the loop between two pages", async () => {
    const now = unixMillis(Date.UTC(2026, 0, 1));
    const content = JSON.stringify({ at: now, topic: ["VideoSource", "MotionAlarm"], source: [], data: [] });
    const pages = [1, 2, 3].map((id) => [
      { id, camera: "gate", at: now, kind: undefined, about: "", property: false, content },
    ]);
    const happened: string[] = [];
    const events = async (): Promise<readonly (KeptEvent & EventCursor)[]> => {
      happened.push("page");
      setImmediate(() => happened.push("turn"));
      return pages.shift() ?? [];
    };
    const journal = {
      events,
      earliest: async () => unixMillis(now - DAY),
      beginnings: async () => new Map(),
      standing: async () => [],
    };
    const history = { journal, newest: async () => 0, spans: async () => [] };
    const question = {
      recordings: [],
      from: unixMillis(now - DAY),
      to: now,
      filter: () => true,
      startState: false,
      most: 9,
    };
    await new EventSearch(history, question, new VirtualClock(now)).next(9, undefined);
    expect(happened).to.deep.equal(["page", "turn", "page", "turn", "page", "turn", "page", "turn"]);
  });
});
