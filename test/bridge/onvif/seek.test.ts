import { expect } from "chai";
import type { Grant } from "../../../auth/principal.ts";
import { Fault } from "../../../base/fault.ts";
import { DAY, HOUR, isoOf, later, MINUTE, SECOND, type UnixMillis, unixMillis } from "../../../base/units.ts";
import { readNotification } from "../../../wsdl/notification.ts";
import { officialFolder, officialValidator } from "../../support/official-schemas.ts";
import { OnvifClient, type Reply, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const DIALECT = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet";
const MOTION = `<tev:Filter><wsnt:TopicExpression Dialect="${DIALECT}">tns1:VideoSource/MotionAlarm</wsnt:TopicExpression></tev:Filter>`;
const BEGIN = `<tev:Filter><wsnt:TopicExpression Dialect="${DIALECT}">tns1:EventBuffer/Begin</wsnt:TopicExpression></tev:Filter>`;
const CHANGED = "<tev:SubscriptionPolicy><tev:ChangedOnly/></tev:SubscriptionPolicy>";

describe("Seek", () => {
  let clock: VirtualClock;
  let site: OnvifTestSite;
  let client: OnvifClient;
  const valid = officialValidator();
  const grant = (right: Grant["right"], more: Partial<Grant> = {}): Grant => ({
    right,
    cameras: "any",
    interfaces: "any",
    ...more,
  });
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

  const ago = (ms: number): UnixMillis => later(clock.now(), -ms);
  /** Keeps an event: of `camera`, so long ago, with the value `data`. */
  const keep = (camera: string, agoMs: number, data: string, topic = "MotionAlarm"): Promise<number> => {
    const notification = {
      at: ago(agoMs),
      topic: ["VideoSource", topic],
      operation: "Changed",
      source: [["Source", camera]],
      data: [["State", data]],
    };
    const content = JSON.stringify(notification);
    return site.journal.enter([{ camera, at: ago(agoMs), kind: "motion", about: topic, property: true, content }]);
  };
  const move = (camera: string, state: string, at?: UnixMillis): void =>
    site.bus.publish({
      camera,
      kind: "motion",
      topic: ["VideoSource", "MotionAlarm"],
      source: [["Source", camera]],
      data: [["State", state]],
      property: true,
      ...(at === undefined ? {} : { at }),
    });

  async function create(content = MOTION, by = client): Promise<string> {
    const reply = await by.call("tev", "CreatePullPointSubscription", content);
    expect(reply.fault).to.equal(undefined);
    return new URL(texts(reply.element, "Address")[0] ?? "").pathname;
  }
  const pull = (path: string, { timeout = "PT0S", limit = 100, by = client } = {}): Promise<Reply> =>
    by.call(
      "tev",
      "PullMessages",
      `<tev:Timeout>${timeout}</tev:Timeout><tev:MessageLimit>${limit}</tev:MessageLimit>`,
      false,
      path,
    );
  async function seek(path: string, at: UnixMillis, { reverse = "", by = client } = {}): Promise<void> {
    const wish = `<tev:UtcTime>${isoOf(at)}</tev:UtcTime>${reverse === "" ? "" : `<tev:Reverse>${reverse}</tev:Reverse>`}`;
    const reply = await by.call("tev", "Seek", wish, false, path);
    expect(reply.fault).to.equal(undefined);
    expect(valid(reply.body)).to.deep.equal([]);
  }
  /** `gate true`, or `Begin` with its instant. */
  function words(reply: Reply): readonly string[] {
    expect(reply.fault).to.equal(undefined);
    expect(valid(reply.body)).to.deep.equal([]);
    return reply.element.children
      .filter(({ name }) => name === "NotificationMessage")
      .map((element) => {
        const read = readNotification(element, clock.now());
        if (read?.topic.join("/") === "EventBuffer/Begin") return `Begin ${isoOf(read.at)}`;
        return `${read?.source[0]?.[1]} ${read?.data[0]?.[1]}`;
      });
  }

  it("is held against the official schemas", function () {
    officialFolder(this);
  });

  describe("in what was kept", () => {
    beforeEach(async () => {
      // Not in the order of time: a camera's clock, or its network, may be late.
      await keep("gate", 3 * HOUR, "3");
      await keep("yard", 5 * HOUR, "5");
      await keep("yard", HOUR, "1");
      await keep("gate", 4 * HOUR, "4");
      await keep("gate", 2 * HOUR, "lost", "SignalLoss");
    });

    const table: readonly (readonly [name: string, hoursAgo: number, reverse: string, told: readonly string[]])[] = [
      ["from an instant on, itself included", 3, "", ["gate 3", "yard 1"]],
      ["from an instant on, by name", 4, "false", ["gate 4", "gate 3", "yard 1"]],
      ["from before the beginning on", 6, "", ["yard 5", "gate 4", "gate 3", "yard 1"]],
      ["back from an instant, itself included", 4, "true", ["gate 4", "yard 5"]],
      ["back from now", 0, "1", ["yard 1", "gate 3", "gate 4", "yard 5"]],
      ["back from the future", -1000, "true", ["yard 1", "gate 3", "gate 4", "yard 5"]],
      ["back from before the beginning", 6, "true", []],
      ["from the future on", -1000, "", []],
    ];
    for (const [name, hours, reverse, told] of table)
      it(`tells ${name}, strictly in the order of time`, async () => {
        const path = await create();
        await seek(path, ago(hours * HOUR), { reverse });
        const all: string[] = [];
        for (let count = 0; count <= told.length; count += 1) all.push(...words(await pull(path, { limit: 1 })));
        expect(all).to.deep.equal(told);
      });

    const begins: readonly (readonly [name: string, hoursAgo: number, reverse: string, begin: boolean])[] = [
      ["from before it on", 6, "", true],
      ["from it on", 5, "", true],
      ["from after it on", 4, "", false],
      ["back to it", 0, "true", true],
      ["back from before it", 6, "true", true],
    ];
    for (const [name, hours, reverse, begin] of begins)
      it(`says ${begin ? "once" : "nothing of"} where the buffer begins, read ${name}`, async () => {
        const path = await create(BEGIN);
        await seek(path, ago(hours * HOUR), { reverse });
        const told = [...words(await pull(path)), ...words(await pull(path))];
        expect(told).to.deep.equal(begin ? [`Begin ${isoOf(ago(5 * HOUR))}`] : []);
      });

    it("says where the buffer begins first going forward, last going back, and nowhere else", async () => {
      const path = await create("");
      await seek(path, ago(9 * HOUR));
      const two = async (): Promise<readonly string[]> => [...words(await pull(path)), ...words(await pull(path))];
      const forward = await two();
      await seek(path, clock.now(), { reverse: "true" });
      expect(await two()).to.deep.equal(forward.toReversed());
      expect(forward.map((one) => one.startsWith("Begin"))).to.deep.equal([true, false, false, false, false, false]);
    });

    it("flushes what waits, tells no initial states, not even after a synchronization point", async () => {
      const path = await create();
      move("gate", "before");
      await seek(path, ago(30 * MINUTE));
      await client.call("tev", "SetSynchronizationPoint", "", false, path);
      expect(words(await pull(path))).to.deep.equal(["gate before"]);
      await seek(path, later(clock.now(), 1));
      expect(words(await pull(path))).to.deep.equal([]);
    });

    it("goes on with what happens after the past going forward, each once, and with nothing going back", async () => {
      const [forward, back] = [await create(), await create()];
      move("gate", "a", ago(2));
      for (const path of [forward, back]) await seek(path, ago(HOUR), { reverse: String(path === back) });
      // It is entered while the past is read, and is older than the Seek, as what comes late from a camera is.
      move("gate", "b", ago(1));
      await clock.advance(1000);
      expect(words(await pull(forward, { limit: 1 }))).to.deep.equal(["yard 1"]);
      move("gate", "c");
      const told = words(await pull(forward)).concat(words(await pull(forward)));
      expect(told).to.deep.equal(["gate a", "gate b", "gate c"]);
      expect(words(await pull(back))).to.deep.equal(["yard 1", "gate 3", "gate 4", "yard 5"]);
      expect(words(await pull(back))).to.deep.equal([]);
      await seek(back, clock.now());
      move("gate", "d");
      expect(words(await pull(back)).concat(words(await pull(back)))).to.deep.equal(["gate c", "gate d"]);
    });

    it("goes on where it was once the journal answers again, with nothing missing", async () => {
      const path = await create();
      await seek(path, ago(6 * HOUR));
      const { journal } = site;
      const refuse = async (): Promise<never> => {
        throw new Fault("unavailable", "it gives no answer");
      };
      for (const asked of ["beginnings", "events"] as const) {
        const answers = journal[asked];
        journal[asked] = refuse;
        expect((await pull(path)).fault, asked).to.not.equal(undefined);
        journal[asked] = answers as typeof refuse;
      }
      expect(words(await pull(path))).to.deep.equal(["yard 5", "gate 4", "gate 3", "yard 1"]);
    });

    /** Has something happen in the moment before the journal tells a Seek what is newest, or that it cannot. */
    function meanwhile(happens: () => void, refusal?: Fault): void {
      const { journal } = site;
      const newest = journal.newest.bind(journal);
      journal.newest = async () => {
        const found = await newest();
        happens();
        journal.newest = newest;
        if (refusal !== undefined) throw refusal;
        return found;
      };
    }

    it("leaves everything as it was where it fails, also where it went back before", async () => {
      const [path, back] = [await create(), await create()];
      await seek(back, ago(4 * HOUR), { reverse: "true" });
      move("gate", "before");
      for (const at of [path, back]) {
        meanwhile(
          () => move("gate", at === path ? "meanwhile" : "later"),
          new Fault("unavailable", "it gives no answer"),
        );
        const wish = `<tev:UtcTime>${isoOf(ago(HOUR))}</tev:UtcTime>`;
        expect((await client.call("tev", "Seek", wish, false, at)).fault).to.not.equal(undefined);
      }
      expect(words(await pull(path))).to.deep.equal(["gate before", "gate meanwhile", "gate later"]);
      expect(words(await pull(back))).to.deep.equal(["gate 4", "yard 5"]);
      expect(words(await pull(back))).to.deep.equal([]);
      await client.call("tev", "SetSynchronizationPoint", "", false, path);
      expect(words(await pull(path))).to.deep.equal(["gate later"]);
    });

    for (const reverse of ["false", "true"])
      it(`tells once each what happens while it is answered, where reverse was ${reverse} before`, async () => {
        const path = await create();
        await seek(path, ago(30 * MINUTE), { reverse });
        move("gate", "a");
        meanwhile(() => move("gate", "b"));
        await seek(path, clock.now());
        move("gate", "c");
        expect(words(await pull(path)).concat(words(await pull(path)))).to.deep.equal(["gate a", "gate b", "gate c"]);
      });

    it("wakes a request that waits, and has it wait on where there is nothing", async () => {
      const path = await create();
      const waiting = pull(path, { timeout: "PT1M" });
      while (clock.pending < 4) await clock.advance(0);
      await seek(path, ago(90 * MINUTE));
      expect(words(await waiting)).to.deep.equal(["yard 1"]);
      const empty = pull(path, { timeout: "PT1M" });
      while (clock.pending < 4) await clock.advance(0);
      expect((await pull(path)).fault?.subcodes.at(-1)).to.equal("UnableToGetMessagesFault");
      await clock.advance(59_999);
      await seek(path, clock.now(), { reverse: "true" });
      expect(words(await empty)).to.have.length(4);
      const back = pull(path, { timeout: "PT10S" });
      while (clock.pending < 4) await clock.advance(0);
      move("gate", "now");
      await clock.advance(10_000);
      expect(words(await back)).to.deep.equal([]);
    });

    it("leaves out what ChangedOnly leaves out", async () => {
      move("gate", "first");
      const path = await create(MOTION + CHANGED);
      await seek(path, ago(30 * MINUTE));
      move("gate", "second");
      expect(words(await pull(path)).concat(words(await pull(path)))).to.deep.equal(["gate second"]);
    });

    it("tells an account of the cameras, and back to the age, that its rights reach at that moment", async () => {
      const gate = { cameras: new Set(["gate"]) };
      const cases: readonly (readonly [string, readonly Grant[], readonly string[]])[] = [
        ["one camera", [grant("events", gate), grant("search", gate)], ["gate 4", "gate 3"]],
        ["an age", [grant("events"), grant("search", { maxAgeMs: 3.5 * HOUR })], ["gate 3", "yard 1"]],
        ["by playback", [grant("events"), grant("playback", { maxAgeMs: 2 * HOUR })], ["yard 1"]],
        ["no past", [grant("events")], []],
        ["no events", [grant("search"), grant("live")], []],
        ["no more, since a second", [grant("events", { until: later(clock.now(), SECOND) }), grant("search")], []],
      ];
      for (const [name, grants, told] of cases) {
        const by = await as(...grants);
        const path = await create(MOTION, by);
        await seek(path, ago(9 * DAY), { by });
        if (name === "no more, since a second") await clock.advance(SECOND);
        const all = words(await pull(path, { by })).concat(words(await pull(path, { by })));
        expect(all, name).to.deep.equal(told);
      }
    });

    it("begins for an account where it may know of anything, and says nothing of others", async () => {
      const by = await as(grant("events"), grant("search", { maxAgeMs: 2 * HOUR }));
      const path = await create(BEGIN, by);
      await seek(path, ago(9 * DAY), { by });
      expect(words(await pull(path, { by }))).to.deep.equal([`Begin ${isoOf(ago(2 * HOUR))}`]);
      const other = await as(grant("search"));
      const empty = await create(BEGIN, other);
      await seek(empty, ago(9 * DAY), { by: other });
      expect(words(await pull(empty, { by: other }))).to.deep.equal([`Begin ${isoOf(clock.now())}`]);
    });
  });

  it("reads on through what nobody asked for, a page at a time, with turns of the loop for others", async () => {
    const quiet = "x".repeat(10);
    for (let hour = 1; hour <= 30; hour += 1)
      await site.journal.enter(
        Array.from({ length: 900 }, (_, index) => ({
          camera: "gate",
          at: ago(hour * HOUR - index),
          kind: undefined,
          about: quiet,
          property: false,
          content: JSON.stringify({ at: ago(hour * HOUR - index), topic: ["Monitoring"], source: [], data: [] }),
        })),
      );
    await keep("gate", 2, "at last");
    const path = await create();
    await seek(path, unixMillis(0));
    let turns = 0;
    let over = false;
    const count = (): void => {
      turns += 1;
      if (!over) setImmediate(count);
    };
    setImmediate(count);
    expect(words(await pull(path))).to.deep.equal(["gate at last"]);
    over = true;
    expect(turns).to.be.greaterThan(270);
  });

  it("is refused where messages are sent, and where there is no such subscription of the account", async () => {
    const path = await create();
    const wish = `<tev:UtcTime>${isoOf(clock.now())}</tev:UtcTime>`;
    const stranger = new OnvifClient(site, await site.account());
    for (const [by, at] of [
      [stranger, path],
      [client, "/onvif/subscription/none"],
    ] as const)
      expect((await by.call("tev", "Seek", wish, false, at)).fault?.subcodes.at(-1)).to.equal("ResourceUnknownFault");
    for (const broken of ["", "<tev:UtcTime>yesterday</tev:UtcTime>", `${wish}<tev:Reverse>maybe</tev:Reverse>`])
      expect((await client.call("tev", "Seek", broken, false, path)).fault?.subcodes[0], broken).to.match(/^Invalid/);
    const capabilities = await client.call("tev", "GetServiceCapabilities");
    expect(capabilities.body).to.include('PersistentNotificationStorage="true"');
  });
});
