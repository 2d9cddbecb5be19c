import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Grant } from "../../../auth/principal.ts";
import { systemClock } from "../../../base/clock.ts";
import { Fault } from "../../../base/fault.ts";
import { later, MINUTE } from "../../../base/units.ts";
import type { ConsumerOptions } from "../../../bridge/client-side/onvif/notifications.ts";
import { consumerSide } from "../../../net/consumers.ts";
import { loadIdentity } from "../../../net/tls.ts";
import { readEnvelope } from "../../../wsdl/envelope.ts";
import { readNotification } from "../../../wsdl/notification.ts";
import { type Notified, startConsumer, type TestConsumer } from "../../support/consumer.ts";
import { officialFolder, officialValidator } from "../../support/official-schemas.ts";
import { OnvifClient, type Reply, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const SET = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet";
const MOTION = `<wsnt:Filter><wsnt:TopicExpression Dialect="${SET}">tns1:VideoSource/MotionAlarm</wsnt:TopicExpression></wsnt:Filter>`;

/** What a name means: the first time, and from then on. */
const NAMES: Readonly<Record<string, readonly [first: string, later: string]>> = {
  "vms.test": ["127.0.0.1", "127.0.0.1"],
  "rebound.test": ["127.0.0.1", "169.254.169.254"],
  "camera.test": ["127.0.77.1", "127.0.77.1"],
};
const resolver = (): ConsumerOptions["resolve"] => {
  const asked = new Set<string>();
  return (name) => {
    if (/^[0-9.]+$|:/.test(name)) return Promise.resolve([name]);
    const [first, later] = NAMES[name] ?? [];
    if (first === undefined || later === undefined) return Promise.reject(new Fault("not-found", `no ${name}`));
    const found = asked.has(name) ? later : first;
    asked.add(name);
    return Promise.resolve([found]);
  };
};

describe("events that are sent to a subscriber", () => {
  let clock: VirtualClock;
  let site: OnvifTestSite;
  let client: OnvifClient;
  let consumer: TestConsumer;
  const valid = officialValidator();
  const rules = (): ConsumerOptions => ({
    side: consumerSide({ listed: ["127.0.0.1", "127.0.0.0/8"], cameraInterfaces: ["127.0.77.0/24"] }),
    resolve: resolver(),
    plainText: true,
    ca: undefined,
  });

  const begin = async (consumers: Partial<ConsumerOptions> = {}): Promise<void> => {
    clock = new VirtualClock();
    site = await startOnvifSite({ clock, consumers: { ...rules(), ...consumers } });
    client = new OnvifClient(site, await site.account());
    consumer = await startConsumer();
  };
  beforeEach(() => begin());
  afterEach(async () => {
    await site.close();
    await consumer.close();
    await clock.advance(0);
    expect(clock.pending, "timers").to.equal(0);
  });

  const subscribe = (address: string, content = MOTION, by = client): Promise<Reply> =>
    by.call(
      "wsnt",
      "Subscribe",
      `<wsnt:ConsumerReference><wsa:Address>${address}</wsa:Address></wsnt:ConsumerReference>${content}`,
    );
  const here = (path = "/told?by=viaduct"): string => `http://127.0.0.1:${consumer.port}${path}`;
  async function open(content = MOTION, by = client): Promise<string> {
    const reply = await subscribe(here(), content, by);
    expect(reply.fault, content).to.equal(undefined);
    expect(valid(reply.body)).to.deep.equal([]);
    return new URL(texts(reply.element, "SubscriptionReference").join("") || texts(reply.element, "Address")[0] || "")
      .pathname;
  }
  const manage = (path: string, operation: string, content = ""): Promise<Reply> =>
    client.call("wsnt", operation, content, false, path);
  /** `MotionAlarm Changed gate true` … */
  function told({ body }: Notified): readonly string[] {
    expect(valid(body)).to.deep.equal([]);
    return (readEnvelope(body).body?.children ?? []).map((element) => {
      const read = readNotification(element, clock.now());
      const values = [...(read?.source ?? []), ...(read?.data ?? [])].map(([, value]) => value);
      return [read?.topic.at(-1), read?.operation ?? "-", ...values].join(" ");
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
  /** Lets time pass until the consumer has been sent its request of that number. */
  async function next(number: number, stepMs = 100): Promise<Notified> {
    while (consumer.heard.length <= number) await clock.advance(stepMs);
    return consumer.request(number);
  }

  it("are held against the official schemas", function () {
    officialFolder(this);
  });

  it("begin with how everything stands, and go on with what happens", async () => {
    move("gate", true);
    const path = await open();
    const first = await next(0);
    expect(told(first)).to.deep.equal(["MotionAlarm Initialized gate true"]);
    expect(first).to.include({ method: "POST", path: "/told?by=viaduct", host: `127.0.0.1:${consumer.port}` });
    expect(first.type).to.include("application/soap+xml").and.include("NotificationConsumer/Notify");
    expect(first.body)
      .to.include(`<wsa:To>${here()}</wsa:To>`)
      .and.include(`<wsa:Address>http://127.0.0.1:${site.port}${path}</wsa:Address>`);
    move("gate", false);
    expect(told(await next(1))).to.deep.equal(["MotionAlarm Changed gate false"]);
    expect(site.audited.map(({ action, why }) => [action, why])).to.deep.include([
      "subscribe",
      `events are sent to ${here()}`,
    ]);
  });

  it("go together where they happen together", async () => {
    await open();
    for (const moving of [true, false, true]) move("gate", moving);
    const all = [...told(await next(0))];
    while (all.length < 3) all.push(...told(await next(consumer.heard.length)));
    expect(all).to.deep.equal([
      "MotionAlarm Initialized gate true",
      "MotionAlarm Changed gate false",
      "MotionAlarm Changed gate true",
    ]);
    expect(consumer.heard.length).to.be.at.most(2);
  });

  it("end with Unsubscribe, and when nobody renews", async () => {
    const [left, kept] = [
      await open(),
      await open(`${MOTION}<wsnt:InitialTerminationTime>PT1M</wsnt:InitialTerminationTime>`),
    ];
    for (const operation of ["Renew", "PauseSubscription", "ResumeSubscription"]) {
      const time = operation === "Renew" ? "<wsnt:TerminationTime>PT10M</wsnt:TerminationTime>" : "";
      const reply = await manage(left, operation, time);
      expect(reply.fault, operation).to.equal(undefined);
      expect(valid(reply.body), operation).to.deep.equal([]);
    }
    expect((await manage(left, "Unsubscribe")).fault).to.equal(undefined);
    await clock.advance(61_000);
    move("gate", true);
    await clock.advance(1000);
    expect(consumer.heard).to.deep.equal([]);
    expect((await manage(kept, "Unsubscribe")).fault?.subcodes.at(-1)).to.equal("ResourceUnknownFault");
  });

  it("are kept while paused, and sent afterwards", async () => {
    const path = await open();
    expect((await manage(path, "PauseSubscription")).fault).to.equal(undefined);
    move("gate", true);
    await clock.advance(11 * 60_000);
    expect(consumer.heard).to.deep.equal([]);
    await manage(path, "ResumeSubscription");
    expect(told(await next(0))).to.deep.equal(["MotionAlarm Initialized gate true"]);
  });

  it("are sent anew after SetSynchronizationPoint, and not fetched", async () => {
    const path = await open();
    move("gate", true);
    await next(0);
    await client.call("tev", "SetSynchronizationPoint", "", false, path);
    expect(told(await next(1))).to.deep.equal(["MotionAlarm Initialized gate true"]);
    const pull = "<tev:Timeout>PT0S</tev:Timeout><tev:MessageLimit>1</tev:MessageLimit>";
    const reply = await client.call("tev", "PullMessages", pull, false, path);
    expect(reply.fault?.subcodes.at(-1)).to.equal("UnableToGetMessagesFault");
  });

  it("are tried again where they are not taken, and the subscriber is given up at the sixth failure in a row", async () => {
    const path = await open();
    consumer.answer = 503;
    move("gate", true);
    const times: number[] = [];
    const start = clock.monotonic();
    for (let number = 0; number < 6; number += 1) {
      // In small steps: time goes on while a request is on its way.
      expect(told(await next(number, 10))).to.deep.equal(["MotionAlarm Initialized gate true"]);
      times.push(Math.round((clock.monotonic() - start) / 1000));
    }
    expect(times).to.deep.equal([0, 1, 6, 21, 51, 111]);
    while (!site.audited.some(({ action }) => action === "end-subscribe")) await clock.advance(10);
    expect(site.audited.at(-1)).to.deep.include({ outcome: "failed" });
    expect((await manage(path, "Unsubscribe")).fault?.subcodes.at(-1)).to.equal("ResourceUnknownFault");
    move("gate", false);
    await clock.advance(120_000);
    expect(consumer.heard).to.have.length(6);
  });

  it("are forgiven failures once one is taken", async () => {
    await open();
    for (let round = 0; round < 3; round += 1) {
      consumer.answer = 500;
      move("gate", round % 2 === 0);
      for (let number = 0; number < 4; number += 1) await next(round * 5 + number);
      consumer.answer = 204;
      await next(round * 5 + 4);
    }
    expect(site.audited.some(({ action }) => action === "end-subscribe")).to.equal(false);
  });

  it("do not follow a subscriber to where it points", async () => {
    await open();
    consumer.answer = 307;
    move("gate", true);
    await next(0);
    await next(1);
    expect(consumer.heard.map(({ path }) => path)).to.deep.equal(["/told?by=viaduct", "/told?by=viaduct"]);
  });

  it("wait for one who does not answer ten seconds, and keep the newest meanwhile", async () => {
    await open();
    consumer.answer = undefined;
    move("gate", true);
    await next(0);
    for (let count = 0; count < 2000; count += 1) move("yard", count % 2 === 0);
    consumer.answer = 200;
    await clock.advance(9000);
    expect(consumer.heard).to.have.length(1);
    expect(told(await next(1))).to.deep.equal(["MotionAlarm Initialized gate true"]);
    const rest: string[] = [];
    while (rest.length < 500) rest.push(...told(await next(consumer.heard.length)));
    expect(rest).to.have.length(500);
    expect(rest.at(-1)).to.equal("MotionAlarm Changed yard false");
  });

  it("are no more than the account may know when they are sent, and end when it is changed", async () => {
    const events = (...cameras: string[]): Grant => ({ right: "events", cameras: new Set(cameras), interfaces: "any" });
    const { name, secret } = await site.account([events("gate")]);
    await open(MOTION, new OnvifClient(site, { name, secret }));
    move("yard", true);
    move("gate", true);
    expect(told(await next(0))).to.deep.equal(["MotionAlarm Initialized gate true"]);
    consumer.answer = 500;
    move("gate", false);
    await next(1);
    consumer.answer = 200;
    const id = site.accounts.list().find((one) => one.name === name)?.id ?? "";
    await site.accounts.change(id, { grants: [events("yard")] });
    await clock.advance(10_000);
    expect(consumer.heard).to.have.length(2);
  });

  it("end in the hour in which the right to them does", async () => {
    const until = later(clock.now(), MINUTE);
    const { name, secret } = await site.account([{ right: "events", cameras: "any", interfaces: "any", until }]);
    await open(MOTION, new OnvifClient(site, { name, secret }));
    move("gate", true);
    await next(0);
    consumer.answer = 500;
    move("gate", false);
    await next(1);
    consumer.answer = 200;
    clock.setWall(until);
    await clock.advance(10_000);
    expect(consumer.heard).to.have.length(2);
  });

  it("go to the address that was checked, whatever its name means later", async () => {
    const reply = await subscribe(`http://rebound.test:${consumer.port}/told`);
    expect(reply.fault).to.equal(undefined);
    move("gate", true);
    expect((await next(0)).host).to.equal(`rebound.test:${consumer.port}`);
    move("gate", false);
    await next(1);
    expect(texts((await subscribe(`http://rebound.test:${consumer.port}/told`)).element, "Text")[0]).to.include(
      "clientSide.notifications",
    );
  });

  const refused: readonly string[] = [
    "http://10.9.9.9/",
    "http://camera.test/",
    "http://127.0.77.1/",
    "http://unknown.test/",
    "http://0x7f.0.77.1/",
    "http://169.254.169.254/latest",
    "http://user:pass@127.0.0.1/",
    "ftp://127.0.0.1/",
    "http://www.w3.org/2005/08/addressing/anonymous",
    "127.0.0.1",
    "",
    `http://127.0.0.1/${"a".repeat(1100)}`,
  ];
  for (const address of refused)
    it(`are not sent to ${address.slice(0, 60) || "nowhere"}, and why is not told`, async () => {
      const reply = await subscribe(address);
      expect(reply.fault?.subcodes).to.deep.equal(["InvalidArgVal", "SubscribeCreationFailedFault"]);
      expect(texts(reply.element, "Text")).to.deep.equal([
        "No events are sent to this address: see clientSide.notifications in the settings of the bridge",
      ]);
      expect(valid(reply.body)).to.deep.equal([]);
    });

  it("are not sent along with what a client wants in the header", async () => {
    const reply = await client.call(
      "wsnt",
      "Subscribe",
      `<wsnt:ConsumerReference><wsa:Address>${here()}</wsa:Address><wsa:ReferenceParameters><a xmlns="urn:x">1</a></wsa:ReferenceParameters></wsnt:ConsumerReference>`,
    );
    expect(reply.fault?.subcodes.at(-1)).to.equal("SubscribeCreationFailedFault");
    expect(valid(reply.body)).to.deep.equal([]);
  });

  it("go to no more subscribers of one account than it says", async () => {
    const reply = await client.call("tev", "GetServiceCapabilities");
    const most = Number(/MaxNotificationProducers="(\d+)"/.exec(reply.body)?.[1]);
    expect(reply.body).to.include('WSPausableSubscriptionManagerInterfaceSupport="true"');
    for (let count = 0; count < most; count += 1) await open();
    expect((await subscribe(here())).fault?.subcodes).to.deep.equal(["Action", "SubscribeCreationFailedFault"]);
    expect((await client.call("tev", "CreatePullPointSubscription")).fault).to.equal(undefined);
  });

  it("have no pull point that could be paused", async () => {
    const made = await client.call("tev", "CreatePullPointSubscription");
    const path = new URL(texts(made.element, "Address")[0] ?? "").pathname;
    for (const [operation, fault] of [
      ["PauseSubscription", "PauseFailedFault"],
      ["ResumeSubscription", "ResumeFailedFault"],
    ] as const) {
      const reply = await manage(path, operation);
      expect(reply.fault?.subcodes.at(-1)).to.equal(fault);
      expect(valid(reply.body)).to.deep.equal([]);
    }
  });

  describe("inside TLS", () => {
    let folder: string;
    let secure: TestConsumer;
    let cert: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "viaduct-consumer-"));
      const identity = await loadIdentity(folder, ["vms.test"], systemClock);
      secure = await startConsumer({ identity });
      ({ cert } = identity);
    });
    after(async () => {
      await secure.close();
      await rm(folder, { recursive: true, force: true });
    });
    const rows: readonly (readonly [
      name: string,
      ours: () => Partial<ConsumerOptions>,
      host: string,
      taken: boolean,
    ])[] = [
      ["the authority is known and the name fits", () => ({ ca: cert, plainText: false }), "vms.test", true],
      ["the authority is known and the address fits", () => ({ ca: cert, plainText: false }), "127.0.0.1", true],
      ["the name is another", () => ({ ca: cert }), "rebound.test", false],
      ["the authority is not known", () => ({}), "vms.test", false],
    ];
    for (const [name, ours, host, taken] of rows)
      it(`are ${taken ? "" : "not "}sent where ${name}`, async () => {
        await site.close();
        await consumer.close();
        await begin(ours());
        const before = secure.heard.length;
        expect((await subscribe(`https://${host}:${secure.port}/`)).fault).to.equal(undefined);
        move("gate", true);
        if (taken) while (secure.heard.length === before) await clock.advance(10);
        else while (!site.audited.some(({ action }) => action === "end-subscribe")) await clock.advance(1000);
        expect(secure.heard.length - before).to.equal(taken ? 1 : 0);
      });

    it("are sent in clear only where that was switched on", async () => {
      await site.close();
      await consumer.close();
      await begin({ plainText: false });
      expect((await subscribe(here())).fault?.subcodes.at(-1)).to.equal("SubscribeCreationFailedFault");
    });
  });
});
