import { expect } from "chai";
import type { Grant } from "../../../auth/principal.ts";
import { later, SECOND } from "../../../base/units.ts";
import { NAMESPACES } from "../../../wsdl/namespaces.ts";
import { readNotification } from "../../../wsdl/notification.ts";
import { officialFolder, officialValidator } from "../../support/official-schemas.ts";
import { OnvifClient, type Reply, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const SET = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet";
const ITEMS = "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter";
const topicFilter = (text: string, dialect = SET): string =>
  `<tev:Filter><wsnt:TopicExpression Dialect="${dialect}">${text}</wsnt:TopicExpression></tev:Filter>`;
const contentFilter = (text: string, dialect = ITEMS): string =>
  `<tev:Filter><wsnt:MessageContent Dialect="${dialect}">${text}</wsnt:MessageContent></tev:Filter>`;
const until = (text: string): string => `<tev:InitialTerminationTime>${text}</tev:InitialTerminationTime>`;

/** Timers while a request is being held: its own, the look at subscriptions, that at the bridge's own events, and the keeper of events'. */
const HOLDING = 4;

describe("the event service", () => {
  let clock: VirtualClock;
  let site: OnvifTestSite;
  let client: OnvifClient;
  const valid = officialValidator();
  const as = async (...grants: readonly Grant[]): Promise<OnvifClient> =>
    new OnvifClient(site, await site.account(grants));

  beforeEach(async () => {
    clock = new VirtualClock();
    site = await startOnvifSite({ clock });
    client = new OnvifClient(site, await site.account());
  });
  afterEach(async () => {
    await site.close();
    expect(clock.pending, "timers").to.equal(0);
  });

  async function create(content = "", by = client): Promise<string> {
    const reply = await by.call("tev", "CreatePullPointSubscription", content);
    expect(reply.fault, content).to.equal(undefined);
    expect(valid(reply.body)).to.deep.equal([]);
    return new URL(texts(reply.element, "Address")[0] ?? "").pathname;
  }
  const pull = (path: string, timeout = "PT0S", limit = 100, by = client): Promise<Reply> =>
    by.call(
      "tev",
      "PullMessages",
      `<tev:Timeout>${timeout}</tev:Timeout><tev:MessageLimit>${limit}</tev:MessageLimit>`,
      false,
      path,
    );
  /** `VideoSource/MotionAlarm Changed gate true` … */
  function messages(reply: Reply): readonly string[] {
    expect(reply.fault).to.equal(undefined);
    expect(valid(reply.body)).to.deep.equal([]);
    return reply.element.children
      .filter(({ name }) => name === "NotificationMessage")
      .map((element) => {
        const read = readNotification(element, clock.now());
        const items = [...(read?.source ?? []), ...(read?.data ?? [])].map(([, value]) => value);
        return [read?.topic.join("/"), read?.operation ?? "-", ...items].join(" ");
      });
  }
  const move = (camera: string, moving: boolean): void =>
    site.bus.publish({
      camera,
      kind: "motion",
      topic: ["VideoSource", "MotionAlarm"],
      source: [["Source", camera]],
      data: [["State", String(moving)]],
      property: true,
    });

  /** Resolves when a request for messages is being held. */
  const held = async (): Promise<void> => {
    while (clock.pending < HOLDING) await clock.advance(0);
  };

  it("is held against the official schemas", function () {
    officialFolder(this);
  });

  it("tells first how everything stands, then what changes, each once and in order", async () => {
    const path = await create(topicFilter("tns1:VideoSource//."));
    const first = messages(await pull(path));
    expect(first)
      .to.have.length(6)
      .and.include.members([
        "VideoSource/SignalLoss Initialized gate false",
        "VideoSource/SignalLoss Initialized yard true",
      ]);
    expect(messages(await pull(path))).to.deep.equal([]);
    move("gate", true);
    move("gate", true);
    move("gate", false);
    expect(messages(await pull(path, "PT0S", 1))).to.deep.equal(["VideoSource/MotionAlarm Initialized gate true"]);
    expect(messages(await pull(path))).to.deep.equal(["VideoSource/MotionAlarm Changed gate false"]);
    const sync = await client.call("tev", "SetSynchronizationPoint", "", false, path);
    expect(valid(sync.body)).to.deep.equal([]);
    expect(messages(await pull(path)))
      .to.include("VideoSource/MotionAlarm Initialized gate false")
      .and.have.length(7);
  });

  it("leaves out nothing that waits when how everything stands is asked for, but what it repeats", async () => {
    const path = await create(topicFilter("tns1:VideoSource/MotionAlarm|tns1:RuleEngine//."));
    move("gate", true);
    move("gate", false);
    site.bus.publish({
      camera: "gate",
      kind: "line-crossed",
      topic: ["RuleEngine", "LineDetector", "Crossed"],
      source: [],
      data: [["ObjectId", "7"]],
      property: false,
    });
    for (let count = 0; count < 2; count += 1) await client.call("tev", "SetSynchronizationPoint", "", false, path);
    expect(messages(await pull(path))).to.deep.equal([
      "VideoSource/MotionAlarm Changed gate false",
      "RuleEngine/LineDetector/Crossed - 7",
      "VideoSource/MotionAlarm Initialized gate false",
    ]);
  });

  it("holds a request until something happens, or its time is over, and answers the second one with a fault", async () => {
    const path = await create(topicFilter("tns1:VideoSource/MotionAlarm"));
    const waiting = pull(path, "PT1M");
    await held();
    const second = await pull(path, "PT1M");
    expect(second.fault?.subcodes).to.deep.equal(["Action", "UnableToGetMessagesFault"]);
    move("yard", true);
    expect(messages(await waiting)).to.deep.equal(["VideoSource/MotionAlarm Initialized yard true"]);
    const empty = pull(path, "PT5S");
    await held();
    await clock.advance(4999);
    expect(clock.pending).to.equal(HOLDING);
    await clock.advance(1);
    expect(messages(await empty)).to.deep.equal([]);
  });

  const filters: readonly (readonly [string, readonly string[]])[] = [
    [topicFilter("tns1:VideoSource/MotionAlarm"), ["gate", "yard"]],
    [topicFilter("tns1:Device//.|tns1:VideoSource/MotionAlarm"), ["gate", "yard"]],
    [
      contentFilter(
        `boolean(//tt:SimpleItem[@Name="Source" and @Value="yard"]) and boolean(//tt:SimpleItem[@Value="true"])`,
      ),
      ["yard"],
    ],
    [topicFilter("tns1:Device/Trigger/Relay"), []],
  ];
  for (const [filter, cameras] of filters)
    it(`tells no more than ${/>([^<]+)</.exec(filter)?.[1]}`, async () => {
      const path = await create(
        `${filter}${until("PT10M")}<tev:SubscriptionPolicy><tev:ChangedOnly/></tev:SubscriptionPolicy>`,
      );
      for (const moving of [false, true]) for (const camera of ["gate", "yard"]) move(camera, moving);
      expect(messages(await pull(path))).to.deep.equal(
        cameras.map((camera) => `VideoSource/MotionAlarm Changed ${camera} true`),
      );
    });

  const refused: readonly (readonly [content: string, fault: string])[] = [
    [topicFilter("tns1:VideoSource", "urn:other"), "TopicExpressionDialectUnknownFault"],
    [topicFilter("tns1:VideoSource//*"), "InvalidTopicExpressionFault"],
    [topicFilter("nothing:VideoSource"), "InvalidTopicExpressionFault"],
    [topicFilter("tns1:Weather/Rain"), "TopicNotSupportedFault"],
    [topicFilter("VideoSource/MotionAlarm"), "TopicNotSupportedFault"],
    [topicFilter(Array.from({ length: 5000 }, () => "tns1:A").join("|")), "InvalidTopicExpressionFault"],
    [contentFilter("//tt:SimpleItem"), "InvalidMessageContentExpressionFault"],
    [contentFilter(`boolean(//tt:SimpleItem[@Name="a"])`, "urn:xpath"), "InvalidMessageContentExpressionFault"],
    ["<tev:Filter><wsnt:ProducerProperties Dialect='a'/></tev:Filter>", "InvalidFilterFault"],
    [`<tev:Filter>${"<wsnt:TopicExpression/>".repeat(9)}</tev:Filter>`, "InvalidFilterFault"],
    [until("PT1000000S"), "UnacceptableInitialTerminationTimeFault"],
    [until("-PT1M"), "UnacceptableInitialTerminationTimeFault"],
    [until("2020-01-01T00:00:00Z"), "UnacceptableInitialTerminationTimeFault"],
    ["<tev:SubscriptionPolicy><wsnt:UseRaw/></tev:SubscriptionPolicy>", "UnsupportedPolicyRequestFault"],
  ];
  for (const [content, fault] of refused)
    it(`refuses ${content.replaceAll(/<[^>]*>/g, "").slice(0, 60) || content.slice(0, 60)} with ${fault}`, async () => {
      const reply = await client.call("tev", "CreatePullPointSubscription", content);
      expect(reply.fault?.subcodes).to.deep.equal(["InvalidArgVal", fault]);
      expect(reply.status).to.equal(400);
      expect(valid(reply.body)).to.deep.equal([]);
      expect(reply.body).to.include(`<wsnt:${fault}>`);
    });

  it("refuses to wait for longer than it does, and says how long that is", async () => {
    const reply = await pull(await create(), "PT9999S");
    expect(reply.fault?.subcodes).to.deep.equal(["InvalidArgVal", "PullMessagesFault"]);
    expect(reply.body).to.include("<tev:MaxTimeout>PT300S</tev:MaxTimeout>");
    expect(valid(reply.body)).to.deep.equal([]);
  });

  it("forgets a subscription that is not renewed, and keeps one that is", async () => {
    const [kept, pulled, lost] = [await create(), await create(), await create()];
    const renew = (path: string, time: string): Promise<Reply> =>
      client.call("wsnt", "Renew", `<wsnt:TerminationTime>${time}</wsnt:TerminationTime>`, false, path);
    const renewed = await renew(kept, "PT1H");
    expect(valid(renewed.body)).to.deep.equal([]);
    expect(texts(renewed.element, "TerminationTime")).to.deep.equal(["2026-01-01T01:00:00.000Z"]);
    expect((await renew(kept, "PT2H")).fault?.subcodes.at(-1)).to.equal("UnacceptableTerminationTimeFault");
    await clock.advance(50_000);
    await pull(pulled);
    await clock.advance(20_000);
    expect((await pull(kept)).fault).to.equal(undefined);
    expect((await pull(pulled)).fault).to.equal(undefined);
    const gone = await pull(lost);
    expect(gone.fault?.subcodes).to.deep.equal(["InvalidArgVal", "ResourceUnknownFault"]);
    expect(valid(gone.body)).to.deep.equal([]);
    const unsubscribed = await client.call("wsnt", "Unsubscribe", "", false, kept);
    expect(valid(unsubscribed.body)).to.deep.equal([]);
    expect((await pull(kept)).fault).not.to.equal(undefined);
    expect((await client.call("wsnt", "Unsubscribe", "", false, kept)).fault).not.to.equal(undefined);
  });

  it("lets one live for as short as was wished, ten seconds at least, and for a minute once it is used", async () => {
    const [brief, short, used] = [
      await create(until("PT1S")),
      await create(until("PT20S")),
      await create(until("PT20S")),
    ];
    await pull(used);
    await clock.advance(10 * SECOND);
    expect((await pull(brief)).fault?.subcodes.at(-1)).to.equal("ResourceUnknownFault");
    await clock.advance(9 * SECOND);
    const renewal = "<wsnt:TerminationTime>PT1S</wsnt:TerminationTime>";
    expect((await client.call("wsnt", "Renew", renewal, false, short)).fault).to.equal(undefined);
    await clock.advance(10 * SECOND);
    expect((await pull(short)).fault?.subcodes.at(-1)).to.equal("ResourceUnknownFault");
    expect((await pull(used)).fault).to.equal(undefined);
  });

  it("tells an account no more than it may know, and nobody else of its subscriptions", async () => {
    const mine = await as({ right: "events", cameras: new Set(["gate"]), interfaces: "any" });
    const nothing = await as({ right: "live", cameras: "any", interfaces: "any" });
    const path = await create("", mine);
    expect(messages(await pull(path, "PT0S", 100, mine)).every((one) => / gate /.test(one))).to.equal(true);
    expect(messages(await pull(await create("", nothing), "PT0S", 100, nothing))).to.deep.equal([]);
    move("yard", true);
    move("gate", true);
    expect(messages(await pull(path, "PT0S", 100, mine))).to.deep.equal([
      "VideoSource/MotionAlarm Initialized gate true",
    ]);
    expect((await pull(path, "PT0S", 100, client)).fault?.subcodes.at(-1)).to.equal("ResourceUnknownFault");
  });

  it("tells what happens to the bridge itself to those who may read its status", async () => {
    const may = await as({ right: "read-status", cameras: "any", interfaces: "any" });
    const [path, other] = [await create("", may), await create()];
    await pull(other);
    site.bus.publish({
      camera: undefined,
      kind: "log-in-failed",
      topic: ["Device", "SecurityPolicy", "AuthFailed"],
      source: [],
      data: [["Address", "10.0.0.1"]],
      property: false,
    });
    expect(messages(await pull(path, "PT0S", 100, may))).to.deep.equal(["Device/SecurityPolicy/AuthFailed - 10.0.0.1"]);
    expect(messages(await pull(other))).to.deep.equal([]);
  });

  it("tells nothing once the right has ended, not even what waits, and how everything stands when it is back", async () => {
    const events = { right: "events", cameras: "any", interfaces: "any" } as const;
    const [end, begin] = [later(clock.now(), 10 * SECOND), later(clock.now(), 20 * SECOND)];
    const shift = await as({ ...events, until: end }, { ...events, from: begin });
    const path = await create(topicFilter("tns1:VideoSource/MotionAlarm"), shift);
    move("gate", true);
    await clock.advance(10 * SECOND);
    expect(messages(await pull(path, "PT0S", 100, shift))).to.deep.equal([]);
    move("yard", true);
    move("yard", false);
    const late = await create(topicFilter("tns1:VideoSource/MotionAlarm"), shift);
    const waiting = pull(path, "PT1M", 100, shift);
    await held();
    await clock.advance(9 * SECOND);
    expect(clock.pending, "still waits").to.equal(HOLDING);
    await clock.advance(2 * SECOND);
    const standing = [
      "VideoSource/MotionAlarm Initialized gate true",
      "VideoSource/MotionAlarm Initialized yard false",
    ];
    expect(messages(await waiting)).to.deep.equal(standing);
    expect(messages(await pull(late, "PT0S", 100, shift))).to.deep.equal(standing);
    move("gate", false);
    expect(messages(await pull(path, "PT0S", 100, shift))).to.deep.equal([
      "VideoSource/MotionAlarm Changed gate false",
    ]);
  });

  it("ends the subscriptions of an account that is changed, waiting requests too", async () => {
    const { name, secret } = await site.account();
    const theirs = new OnvifClient(site, { name, secret });
    const path = await create(topicFilter("tns1:VideoSource/MotionAlarm"), theirs);
    const waiting = pull(path, "PT1M", 100, theirs);
    await held();
    const account = site.accounts.list().find((one) => one.name === name);
    await site.accounts.change(account?.id ?? "", { grants: [{ right: "events", cameras: "any", interfaces: "any" }] });
    move("gate", true);
    await clock.advance(1000);
    expect((await waiting).fault?.subcodes.at(-1)).to.equal("ResourceUnknownFault");
    expect((await pull(path, "PT0S", 100, theirs)).fault).not.to.equal(undefined);
  });

  it("gives an account no more subscriptions than it says", async () => {
    const reply = await client.call("tev", "GetServiceCapabilities");
    const most = Number(/MaxPullPoints="(\d+)"/.exec(reply.body)?.[1]);
    for (let count = 0; count < most; count += 1) await create();
    const refusal = await client.call("tev", "CreatePullPointSubscription");
    expect(refusal.fault?.subcodes).to.deep.equal(["Action", "SubscribeCreationFailedFault"]);
    expect(valid(refusal.body)).to.deep.equal([]);
    await create("", await as({ right: "events", cameras: "any", interfaces: "any" }));
  });

  it("keeps for who does not come the newest, and no more than fits", async () => {
    const path = await create(topicFilter("tns1:VideoSource/MotionAlarm"));
    for (let count = 0; count < 2000; count += 1) move("gate", count % 2 === 0);
    let total = 0;
    let last: string | undefined;
    for (;;) {
      const some = messages(await pull(path));
      if (some.length === 0) break;
      total += some.length;
      last = some.at(-1);
    }
    expect(total).to.equal(500);
    expect(last).to.equal("VideoSource/MotionAlarm Changed gate false");
  });

  it("names in its properties every topic that it tells", async () => {
    site.bus.publish({
      camera: "gate",
      kind: "line-crossed",
      topic: ["RuleEngine", "LineDetector", "Crossed"],
      source: [["VideoSourceConfigurationToken", "gate"]],
      data: [["ObjectId", "7"]],
      property: true,
    });
    const reply = await client.call("tev", "GetEventProperties");
    expect(valid(reply.body)).to.deep.equal([]);
    for (const step of ["SignalLoss", "MotionAlarm", "JobState", "ProfileChanged", "Crossed"])
      expect(reply.body).to.include(`<${step} wstop:topic="true">`);
  });

  it("answers with the action of the port type, in the addressing of the request", async () => {
    const path = await create();
    const header = `<wsa:MessageID>urn:uuid:1</wsa:MessageID>`;
    const reply = await client.call("wsnt", "Unsubscribe", "", false, path, header);
    expect(reply.body).to.match(
      /Action[^>]*>http:\/\/docs.oasis-open.org\/wsn\/bw-2\/SubscriptionManager\/UnsubscribeResponse</,
    );
    expect(reply.body).to.match(/RelatesTo[^>]*>urn:uuid:1</);
    expect(NAMESPACES.wsa).to.equal("http://www.w3.org/2005/08/addressing");
  });

  it("does not know operations where they do not belong", async () => {
    expect((await client.call("tev", "Seek", "<tev:UtcTime>2026-01-01T00:00:00Z</tev:UtcTime>")).fault).to.deep.include(
      { code: "Receiver", subcodes: ["ActionNotSupported"] },
    );
    expect((await client.call("tev", "GetEventBrokers")).fault?.subcodes).to.deep.equal(["ActionNotSupported"]);
    expect((await client.call("wsnt", "Subscribe")).fault?.subcodes).to.deep.equal(["ActionNotSupported"]);
    expect((await client.call("tev", "Renew")).fault?.subcodes).to.deep.equal(["UnknownAction"]);
    const before = site.audited.length;
    expect((await client.call("tev", "AddEventBroker")).fault?.subcodes).to.deep.equal(["NotAuthorized"]);
    expect(site.audited.length).to.equal(before + 1);
  });
});
