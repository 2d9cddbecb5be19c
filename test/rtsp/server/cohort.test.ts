import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { constants } from "node:os";
import { expect } from "chai";
import * as fc from "fast-check";
import { silentLog } from "../../../base/log.ts";
import { SECOND } from "../../../base/units.ts";
import { EVENT_TRACK } from "../../../bridge/client-side/event-track.ts";
import { ExtendedSource, type ExtraTrack } from "../../../media/extended-source.ts";
import { FramedPackets } from "../../../media/framed-packets.ts";
import { PacketGroup } from "../../../media/group.ts";
import { Hub } from "../../../media/hub.ts";
import { ReusedMemory } from "../../../media/reused-memory.ts";
import type { NativeSender } from "../../../net/native.ts";
import { Cohort } from "../../../rtsp/server/cohort.ts";
import { Cohorts } from "../../../rtsp/server/cohorts.ts";
import { DirectCarrier } from "../../../rtsp/server/direct-carrier.ts";
import { START } from "../../media/receiver-fixture.ts";
import { native } from "../../support/native.ts";
import { RunningClock } from "../../support/virtual-clock.ts";
import { AUDIO, groupOf, VIDEO } from "./stage.ts";
import { Watcher } from "./watcher.ts";

const { EAGAIN, EBADF } = constants.errno;
const KILOBYTE = 1024;

describe("readers in step", () => {
  let sender: NativeSender;
  let server: Server;
  let clock: RunningClock;
  let hub: Hub;
  let cohorts: Cohorts;
  let watchers: Watcher[];
  /** How many readers each call of the system was for, and those that were for one of them. */
  let calls: (number | "one")[];
  /** What the system takes of a write, if not all. */
  let most: () => number;
  let sending: NativeSender;

  before(async function () {
    sender = native(this);
    server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => server?.close());

  beforeEach(() => {
    clock = new RunningClock(START);
    hub = new Hub({ clock, log: silentLog() });
    hub.describe([VIDEO, AUDIO], [100, 101]);
    cohorts = new Cohorts(clock);
    watchers = [];
    calls = [];
    most = () => Number.POSITIVE_INFINITY;
    const take = (fd: number, bytes: Uint8Array): number => {
      const count = most();
      return count < 0 ? count : sender.write(fd, bytes.subarray(0, count));
    };
    sending = {
      ...sender,
      write(fd, bytes) {
        calls.push("one");
        return take(fd, bytes);
      },
      writeAll(fds, bytes, taken) {
        calls.push(fds.filter((fd) => fd >= 0).length);
        for (const [index, fd] of fds.entries()) taken[index] = fd < 0 ? -EBADF : take(fd, bytes);
      },
    };
  });
  afterEach(() => {
    for (const { player, near, far } of watchers) {
      player.stop();
      near.destroy();
      far.destroy();
    }
    expect(hub.readers).to.equal(0);
  });

  const watch = async (count: number, o: { apart?: boolean; tracks?: number } = {}): Promise<readonly Watcher[]> => {
    const made: Watcher[] = [];
    while (made.length < count) {
      const far = connect((server.address() as AddressInfo).port, "127.0.0.1");
      const [near] = (await once(server, "connection")) as [Socket];
      for (const socket of [near, far]) socket.on("error", () => undefined);
      const { apart = false, tracks = 1 } = o;
      const carrier = new DirectCarrier(near, sending);
      made.push(new Watcher({ near, far, carrier, hub, clock, tracks, cohorts: apart ? undefined : cohorts }));
    }
    watchers.push(...made);
    return made;
  };
  const run = (all: readonly Watcher[]): void => {
    for (const { player } of all) player.run();
  };
  const publish = (from: number, to: number, bytes?: number): void => {
    for (let number = from; number < to; number += 1)
      hub.publish(groupOf(number, bytes === undefined ? {} : { bytes }));
  };
  const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, number) => number);

  it("are sent each group in one call, from the second on: a report goes before the first", async () => {
    const all = await watch(70);
    run(all);
    publish(0, 1);
    expect(calls).to.deep.equal(Array.from({ length: 140 }, () => "one"));
    calls = [];
    publish(1, 5);
    expect(calls).to.deep.equal([70, 70, 70, 70]);
    expect(hub.readers).to.equal(70);
    for (const one of all) {
      await one.until(4);
      expect(one.numbers()).to.deep.equal(upTo(5));
    }
  });

  it("are told by a report before the first group of each track, also where others of another track came long before", async () => {
    const all = await watch(3, { tracks: 2 });
    run(all);
    publish(0, 3);
    for (let number = 1000; number < 1003; number += 1) hub.publish(groupOf(number, { track: 1 }));
    for (const one of all) {
      await one.end();
      expect(one.numbers(2)).to.deep.equal([1000, 1001, 1002]);
      expect([one.packets(1).length, one.packets(3).length]).to.deep.equal([1, 1]);
    }
    expect(calls.filter((call) => call === 3).length, "the others in step").to.equal(4);
  });

  it("are told by reports what they were sent, as if each had been sent it alone, and so is whoever asks", async () => {
    const [early, apart] = [await watch(2), await watch(1, { apart: true })];
    run([...early, ...apart]);
    publish(0, 30, 100);
    await clock.advance(3 * SECOND);
    const late = await watch(1);
    run(late);
    publish(30, 60, 100);
    await clock.advance(3 * SECOND);
    publish(60, 90, 100);
    await clock.advance(3 * SECOND);
    publish(90, 91, 100);
    expect(early[0]?.player.sent).to.deep.equal(apart[0]?.player.sent);
    expect(late[0]?.player.sent.from).to.be.greaterThan(START);
    for (const one of watchers) await one.end();
    for (const channel of [0, 1]) {
      const alone = apart[0]?.packets(channel);
      expect(alone).to.have.length(channel === 0 ? 91 : 2);
      for (const one of early) expect(one.packets(channel)).to.deep.equal(alone);
    }
    const counted = late.flatMap((one) => one.packets(1)).map((report) => report.readUInt32BE(20));
    expect(counted, "since the key frame that it began with").to.deep.equal([0, 70]);
    expect(calls.filter((call) => call === 3).length, "in step nearly always").to.be.greaterThan(55);
  });

  it("get all bytes in order, however much the system takes of each, and are in step again behind that", async () => {
    const taken = fc.oneof(
      { weight: 3, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
      fc.constant(-EAGAIN),
      fc.integer({ min: 0, max: 60 * KILOBYTE }),
    );
    const step = fc.record({
      bytes: fc.integer({ min: 4, max: 60 * KILOBYTE }),
      taken: fc.array(taken, { minLength: 1, maxLength: 4 }),
      turns: fc.integer({ min: 0, max: 2 }),
      seconds: fc.integer({ min: 0, max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const all = await watch(3);
        run(all);
        for (const [index, { bytes, taken, turns, seconds }] of steps.entries()) {
          let turn = 0;
          most = () => taken[turn++ % taken.length] ?? 0;
          clock.holdUp(seconds * SECOND);
          hub.publish(groupOf(index, { bytes, key: index === 0 }));
          for (let count = 0; count < turns; count += 1) await new Promise((resolve) => setImmediate(resolve));
        }
        most = () => Number.POSITIVE_INFINITY;
        const sent = all.map(({ player }) => player.sent);
        await Promise.all(all.map((one) => one.end()));
        for (const one of all) {
          const packets = one.packets();
          expect(packets.length).to.equal(steps.length);
          for (const [index, packet] of packets.entries())
            expect(packet.equals(groupOf(index, { bytes: steps[index]?.bytes ?? 0 }).packets[0] ?? packet)).to.equal(
              true,
            );
        }
        const bytesEach = steps.reduce((sum, { bytes }) => sum + bytes + 16, 0);
        for (const { bytes } of sent) expect(bytes).to.equal(bytesEach);
        expect(all.every(({ dropped }) => dropped === 0)).to.equal(true);
        hub.lost();
      }),
      { numRuns: 30 },
    );
  });

  it("go on when one of them is too slow: it misses groups until there is room at a key frame, and is in step again", async () => {
    const all = await watch(3);
    run(all);
    const [slow, ...others] = all as [Watcher, ...Watcher[]];
    slow.far.pause();
    let number = 0;
    for (; slow.dropped < 20; number += 1) {
      hub.publish(groupOf(number, { bytes: 60 * KILOBYTE }));
      for (const other of others) await other.until(number);
    }
    expect(calls.filter((call) => call === 2).length).to.be.greaterThan(20);
    const drained = once(slow.near, "drain");
    slow.far.resume();
    await drained;
    // What it was sent is on its way until it is read, and fills the system's own room.
    await slow.until(number - slow.dropped - 1);
    const next = Math.ceil(number / 10) * 10;
    publish(next, next + 3);
    calls = [];
    publish(next + 3, next + 5);
    expect(calls).to.deep.equal([3, 3]);
    await slow.until(next + 4);
    expect(slow.numbers().slice(-5)).to.deep.equal([0, 1, 2, 3, 4].map((more) => next + more));
    for (const other of others) expect(other.dropped).to.equal(0);
  });

  it("are sent nothing once they have left, in the middle of a round too, and the others lack nothing", async () => {
    const all = await watch(5);
    const [first, gone, closed, ...others] = all;
    run(all);
    publish(0, 2);
    // Everybody's report is due: each is given the group itself, and the first of them has two others end.
    clock.holdUp(6 * SECOND);
    const { player } = first as Watcher;
    const deliver = player.deliver.bind(player);
    let given = 0;
    player.deliver = (group) => {
      given += 1;
      gone?.player.stop();
      closed?.near.destroy();
      deliver(group);
    };
    publish(2, 5);
    expect(given).to.equal(1);
    for (const one of [first, ...others]) {
      await one?.until(4);
      expect(one?.numbers()).to.deep.equal(upTo(5));
    }
    await gone?.end();
    expect(gone?.numbers()).to.deep.equal([0, 1]);
    expect([closed?.numbers().length, closed?.failures]).to.deep.equal([2, []]);
    expect(gone?.player.sent.bytes).to.equal(2 * 24);
  });

  it("lose one that throws, which is told, and nobody else", async () => {
    const all = await watch(3);
    run(all);
    publish(0, 2);
    const [bad, ...others] = all;
    const bug = new Error("bug");
    if (bad !== undefined)
      bad.player.deliver = () => {
        throw bug;
      };
    clock.holdUp(6 * SECOND);
    publish(2, 4);
    expect(bad?.failures).to.deep.equal([bug]);
    expect(hub.readers).to.equal(2);
    for (const one of others) {
      await one.until(3);
      expect(one.numbers()).to.deep.equal(upTo(4));
    }
  });

  it("are joined by others, who begin with what is kept for them, and with a key frame where nothing is", async () => {
    const [first] = await watch(1);
    run(first === undefined ? [] : [first]);
    publish(0, 14);
    const [second] = await watch(1);
    publish(14, 16);
    run(second === undefined ? [] : [second]);
    publish(16, 17);
    // Damaged: nothing is kept any more.
    hub.publish(groupOf(17, { discontinuity: true }));
    const [third] = await watch(1);
    run(third === undefined ? [] : [third]);
    publish(18, 24);
    for (const [one, from] of [
      [first, 0],
      [second, 10],
      [third, 20],
    ] as const) {
      await one?.until(23);
      expect(one?.numbers()).to.deep.equal(upTo(24).slice(from));
    }
    expect(calls.at(-1)).to.equal(3);
  });

  it("are told at once what a source tells those who come, and what happens while pictures wait for a key frame", () => {
    let tell: (group: PacketGroup) => void = () => undefined;
    let watched = 0;
    const events: ExtraTrack = {
      track: EVENT_TRACK,
      ssrc: 102,
      renew: () => undefined,
      // At once to the first one, who has it made.
      join(index, deliver) {
        if (watched === 0) {
          tell = deliver;
          deliver(groupOf(1, { track: index }));
        }
        watched += 1;
        return () => {
          watched -= 1;
        };
      },
    };
    const source = new ExtendedSource(hub, events);
    const channels = new Map([0, 2].map((index) => [index, index * 2]));
    const cohort = new Cohort({ source, clock, channels, ended: () => undefined });
    const join = (): { readonly given: (readonly [track: number, number: number])[]; readonly leave: () => void } => {
      const given: [number, number][] = [];
      const leave = cohort.join({
        deliver: (group) => void given.push([group.track, group.packets[0]?.readUInt32BE(12) ?? 0]),
        changed: () => undefined,
        direct: () => undefined,
        reportDueAt: () => clock.monotonic(),
        count: () => undefined,
        failed: () => undefined,
      });
      return { given, leave };
    };
    const early = join();
    publish(9, 11);
    // Damaged: nothing is kept any more.
    hub.publish(groupOf(11, { discontinuity: true }));
    const late = join();
    tell(groupOf(2, { track: 2 }));
    publish(12, 21);
    const all = [
      [2, 1],
      [0, 10],
      [0, 11],
      [2, 2],
      ...upTo(21)
        .slice(12)
        .map((number) => [0, number]),
    ];
    expect(early.given).to.deep.equal(all);
    expect(late.given).to.deep.equal([
      [2, 2],
      [0, 20],
    ]);
    for (const { leave } of [early, late]) leave();
    expect(watched).to.equal(0);
  });

  it("are those who have set up the same tracks", async () => {
    const [one, other, ...both] = [...(await watch(2)), ...(await watch(2, { tracks: 2 }))];
    run([one, other, ...both].flatMap((each) => each ?? []));
    for (let number = 0; number < 3; number += 1) {
      calls = [];
      hub.publish(groupOf(number));
      hub.publish(groupOf(number, { track: 1 }));
    }
    expect(calls).to.deep.equal([2, 2, 2]);
    // A track that is torn down while it plays is sent no more.
    const [narrowed, whole] = both;
    narrowed?.lanes.delete(1);
    narrowed?.player.lanesChanged();
    for (let number = 3; number < 5; number += 1) {
      hub.publish(groupOf(number));
      hub.publish(groupOf(number, { track: 1 }));
    }
    for (const [each, sound] of [
      [one, 0],
      [narrowed, 3],
      [whole, 5],
    ] as const) {
      await each?.end();
      expect([each?.numbers(0), each?.numbers(2)]).to.deep.equal([upTo(5), upTo(sound)]);
    }
  });

  it("leave a group's memory to be used again where all of it was taken, and keep it where something waits", async () => {
    const memory = new ReusedMemory();
    const used = new Set<ArrayBufferLike>();
    /** Four packets, so large together that they have a block of their own. */
    const publishReused = (number: number): void => {
      const packets = [0, 1, 2, 3].flatMap((one) => groupOf(number * 4 + one, { bytes: 50 * KILOBYTE }).packets);
      const framed = FramedPackets.of(packets, 0);
      const bytes = memory.take(framed.bytes.length);
      framed.bytes.copy(bytes);
      used.add(bytes.buffer);
      hub.publish(new PacketGroup(groupOf(number, { key: true }), new FramedPackets(bytes, 4), memory));
    };
    const all = await watch(2);
    run(all);
    for (let number = 0; number < 30; number += 1) {
      publishReused(number);
      for (const one of all) await one.until(number * 4 + 3);
    }
    expect(used.size, "blocks").to.be.lessThan(4);
    // What the system does not take now waits in Node.js.
    for (const { near } of all) near.cork();
    most = () => 7;
    publishReused(30);
    most = () => Number.POSITIVE_INFINITY;
    for (let number = 31; number < 36; number += 1) publishReused(number);
    for (const one of all) {
      one.near.uncork();
      await one.until(36 * 4 - 1);
      expect(one.numbers()).to.deep.equal(upTo(36 * 4));
      for (const packet of one.packets()) expect(new Set(packet.subarray(16)).size).to.equal(1);
    }
  });
});
