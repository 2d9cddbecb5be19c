import { expect } from "chai";
import { Fault, isFault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { unixMillis } from "../../base/units.ts";
import { EventBus } from "../../bridge/event-bus.ts";
import { EventKeeper, notificationOf } from "../../bridge/event-keeper.ts";
import type { EventKind } from "../../bridge/event-kind.ts";
import { Journal, type KeptEvent } from "../../recorder/journal.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("the keeper of events", () => {
  let clock: VirtualClock;
  let bus: EventBus;
  beforeEach(() => {
    clock = new VirtualClock();
    bus = new EventBus(clock, silentLog());
  });

  const publish = (kind: EventKind | undefined, camera: string | undefined, value: string, property = true): void =>
    bus.publish({
      camera,
      kind,
      topic: ["VideoSource", "MotionAlarm"],
      source: [["Source", camera ?? ""]],
      data: [["State", value]],
      property,
    });

  it("enters once a second what cameras told, as it was told, and the rest when it ends", async () => {
    const journal = await Journal.open(":memory:");
    const keeper = new EventKeeper({ bus, journal, clock, log: silentLog() });
    const kept = async (): Promise<readonly KeptEvent[]> =>
      journal.events(["gate"], { from: unixMillis(0), to: unixMillis(clock.now() * 2) });
    publish("motion", "gate", "true");
    expect(await kept()).to.deep.equal([]);
    await clock.advance(1000);
    await keeper.flush();
    publish("motion", "gate", "false");
    publish(undefined, "gate", "x", false);
    await keeper.close();
    publish("motion", "gate", "true");
    expect(clock.pending).to.equal(0);
    const told = (await kept()).map(notificationOf).map(({ operation, data }) => [operation, data[0]?.[1]]);
    expect(told).to.deep.equal([
      ["Initialized", "true"],
      ["Changed", "false"],
      [undefined, "x"],
    ]);
    await journal.close();
  });

  it("keeps nothing of the bridge itself, nor what recordings tell by themselves", async () => {
    const entered: KeptEvent[] = [];
    const journal = {
      whileAnswering: <T>(work: Promise<T>): Promise<T> => work,
      newest: async (): Promise<number> => 0,
      enter: async (events: readonly KeptEvent[]): Promise<number> => {
        entered.push(...events);
        return 0;
      },
    };
    const keeper = new EventKeeper({ bus, journal, clock, log: silentLog() });
    publish("log-in-failed", undefined, "x", false);
    publish("recording", "gate", "true");
    publish("configuration", "gate", "x", false);
    await keeper.close();
    expect(entered).to.deep.equal([]);
  });

  it("says which the last event was that was heard so far, though others are heard before that one is entered", async () => {
    const journal = await Journal.open(":memory:");
    const keeper = new EventKeeper({ bus, journal, clock, log: silentLog() });
    expect(await keeper.newest()).to.equal(0);
    for (const value of ["1", "2", "3"]) publish(undefined, "gate", value, false);
    const newest = keeper.newest();
    publish(undefined, "gate", "4", false);
    void keeper.flush();
    const upTo = await newest;
    const before = await journal.events(["gate"], { from: unixMillis(0), to: unixMillis(clock.now() * 2), upTo });
    expect(before.map((kept) => notificationOf(kept).data[0]?.[1])).to.deep.equal(["1", "2", "3"]);
    await keeper.close();
    await journal.close();
  });

  it("goes on where events cannot be entered, and holds no more than so many in memory", async () => {
    const sizes: number[] = [];
    const journal = {
      whileAnswering: <T>(work: Promise<T>): Promise<T> => work,
      newest: async (): Promise<number> => 0,
      enter: async (events: readonly KeptEvent[]): Promise<number> => {
        sizes.push(events.length);
        throw new Error("no room");
      },
    };
    const keeper = new EventKeeper({ bus, journal, clock, log: silentLog() });
    for (let index = 0; index < 6000; index += 1) publish(undefined, "gate", String(index), false);
    await clock.advance(1000);
    publish(undefined, "gate", "one more", false);
    await keeper.close();
    expect(sizes).to.deep.equal([5000, 1]);
  });

  it("waits, within the same bound, for a journal that gives no answer; who asks for the newest is told so, and so is the end", async () => {
    const sizes: number[] = [];
    const answer = Promise.withResolvers<void>();
    const silence = Promise.withResolvers<never>();
    silence.promise.catch(() => undefined);
    const journal = {
      whileAnswering: <T>(work: Promise<T>): Promise<T> => Promise.race([work, silence.promise]),
      newest: async (): Promise<number> => 0,
      enter: async (events: readonly KeptEvent[]): Promise<number> => {
        await answer.promise;
        sizes.push(events.length);
        return 0;
      },
    };
    const keeper = new EventKeeper({ bus, journal, clock, log: silentLog() });
    for (let second = 0; second < 10; second += 1) {
      for (let index = 0; index < 600; index += 1) publish(undefined, "gate", String(index), false);
      await clock.advance(1000);
    }
    const asked = Array.from({ length: 200 }, () => keeper.newest().catch((error: unknown) => error));
    silence.reject(new Fault("unavailable", "it gives no answer"));
    for (const one of await Promise.all(asked)) expect(isFault(one, "unavailable")).to.equal(true);
    await keeper.close();
    expect(sizes).to.deep.equal([]);
    answer.resolve();
    await keeper.flush();
    expect(sizes).to.deep.equal([600, 4400]);
  });

  it("holds no more than that where the newest is asked for again and again meanwhile", async () => {
    let entered = 0;
    const answer = Promise.withResolvers<void>();
    const journal = {
      whileAnswering: <T>(work: Promise<T>): Promise<T> => work,
      newest: async (): Promise<number> => entered,
      enter: async (events: readonly KeptEvent[]): Promise<number> => {
        await answer.promise;
        entered += events.length;
        return 0;
      },
    };
    const keeper = new EventKeeper({ bus, journal, clock, log: silentLog() });
    const asked: Promise<number>[] = [];
    for (let round = 0; round < 10; round += 1) {
      for (let index = 0; index < 600; index += 1) publish(undefined, "gate", String(index), false);
      asked.push(keeper.newest());
    }
    answer.resolve();
    expect(await Promise.all(asked)).to.deep.equal([600, 1200, 1800, 2400, 3000, 3600, 4200, 4800, 5000, 5000]);
    publish(undefined, "gate", "one more", false);
    await keeper.close();
    expect(entered).to.equal(5001);
  });
});
