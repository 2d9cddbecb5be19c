import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer, type Server } from "node:tls";
import { expect } from "chai";
import * as fc from "fast-check";
import { silentLog } from "../../../base/log.ts";
import { SECOND } from "../../../base/units.ts";
import type { PacketGroup } from "../../../media/group.ts";
import { Hub } from "../../../media/hub.ts";
import { serverTlsOptions } from "../../../net/tls.ts";
import { Cohorts } from "../../../rtsp/server/cohorts.ts";
import { StreamCarrier } from "../../../rtsp/server/stream-carrier.ts";
import { START } from "../../media/receiver-fixture.ts";
import { testIdentity } from "../../support/onvif-users.ts";
import { RunningClock } from "../../support/virtual-clock.ts";
import { AUDIO, groupOf, VIDEO } from "./stage.ts";
import { Watcher } from "./watcher.ts";

const KILOBYTE = 1024;
const MEGABYTE = 1024 * KILOBYTE;

interface Ends {
  readonly near: Socket;
  readonly far: Socket;
}

describe("over TLS", () => {
  let server: Server;
  let all: Ends[];
  before(async () => {
    server = createServer(serverTlsOptions(await testIdentity())).listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => server.close());
  beforeEach(() => {
    all = [];
  });
  afterEach(() => {
    for (const { near, far } of all) for (const socket of [near, far]) socket.destroy();
  });

  const pair = async (): Promise<Ends> => {
    const { port } = server.address() as AddressInfo;
    const far = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    const [near] = (await once(server, "secureConnection")) as [Socket];
    for (const socket of [near, far]) socket.on("error", () => undefined);
    all.push({ near, far });
    return { near, far };
  };

  describe("a carrier by way of the stream", () => {
    /** One group for several, as a cohort sends it. Who was not sent it. */
    const sendTogether = (carriers: readonly StreamCarrier[], group: PacketGroup): readonly StreamCarrier[] => {
      const fds = Int32Array.from(carriers, (one) => (one.admits() ? (one.descriptor ?? -1) : -1));
      const taken = new Int32Array(fds.length);
      const whole = carriers[0]?.sendToAll(carriers, fds, group.bytes, group, taken);
      return carriers.filter((_, index) => taken[index] !== whole);
    };

    it("lets nothing overtake, whatever goes to many and whatever to one, and however slowly it is taken", async () => {
      const step = fc.record({
        bytes: fc.integer({ min: 4, max: 60 * KILOBYTE }),
        how: fc.constantFrom("many", "one", "corked"),
        turns: fc.integer({ min: 0, max: 2 }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
          const ends = [await pair(), await pair(), await pair()];
          const carriers = ends.map(({ near }) => new StreamCarrier(near));
          const received = ends.map(() => [] as Buffer[]);
          for (const [index, { far }] of ends.entries()) {
            far.on("data", (bytes: Buffer) => {
              received[index]?.push(bytes);
              far.pause();
              setImmediate(() => far.resume());
            });
          }
          const sent: Buffer[] = [];
          for (const [index, { bytes, how, turns }] of steps.entries()) {
            const group = groupOf(index, { bytes });
            sent.push(group.bytes);
            if (how === "corked") for (const one of carriers) one.cork();
            for (const one of how === "one" ? carriers : sendTogether(carriers, group)) one.write(group.bytes);
            if (how === "corked") for (const one of carriers) one.uncork();
            for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
          }
          const ended = ends.map(({ far }) => once(far, "end"));
          for (const one of carriers) one.end(Buffer.from("."));
          await Promise.all(ended);
          const whole = Buffer.concat([...sent, Buffer.from(".")]);
          for (const one of received) expect(Buffer.concat(one).equals(whole)).to.equal(true);
        }),
        { numRuns: 20 },
      );
    });

    it("holds a group until the last of those who are sent it has it, or is gone", async () => {
      const ends = [await pair(), await pair(), await pair()];
      const carriers = ends.map(({ near }) => new StreamCarrier(near));
      const [quick, slow, gone] = ends as [Ends, Ends, Ends];
      for (const { far } of [slow, gone]) far.pause();
      quick.far.resume();
      const group = groupOf(0, { bytes: 60 * KILOBYTE });
      let held = 0;
      const told = new Promise<void>((resolve) => {
        group.hold = () => {
          held += 1;
          return () => {
            held -= 1;
            resolve();
          };
        };
      });
      // Behind more than the system takes.
      for (const one of carriers) one.write(Buffer.alloc(16 * MEGABYTE));
      const taken = new Int32Array(3);
      carriers[0]?.sendToAll(carriers, Int32Array.of(1, 1, 1), group.bytes, group, taken);
      expect([...taken]).to.deep.equal([group.byteLength, group.byteLength, group.byteLength]);
      while ((carriers[0]?.writableLength ?? 0) > 0) await new Promise((resolve) => setImmediate(resolve));
      gone.near.destroy();
      await once(gone.near, "close");
      expect(held).to.equal(1);
      slow.far.resume();
      await told;
      expect([carriers[1]?.writableLength, held]).to.deep.equal([0, 0]);
    });

    it("admits what comes while little waits, and nothing while much does, inside of what is gathered, and at its end", async () => {
      const { near, far } = await pair();
      const carrier = new StreamCarrier(near);
      expect([carrier.isFree, carrier.admits()]).to.deep.equal([true, true]);
      carrier.cork();
      expect([carrier.isFree, carrier.admits()]).to.deep.equal([false, false]);
      carrier.uncork();
      far.pause();
      carrier.write(Buffer.alloc(200 * KILOBYTE));
      expect([carrier.writableLength, carrier.admits()]).to.deep.equal([200 * KILOBYTE, true]);
      carrier.write(Buffer.alloc(16 * MEGABYTE));
      expect([carrier.isFree, carrier.admits()]).to.deep.equal([false, false]);
      const drained = once(near, "drain");
      far.resume();
      await drained;
      expect(carrier.admits()).to.equal(true);
      carrier.end(Buffer.from("."));
      expect([carrier.isFree, carrier.admits()]).to.deep.equal([false, false]);
      near.destroy();
      expect([carrier.isFree, carrier.admits(), carrier.descriptor]).to.deep.equal([false, false, undefined]);
    });
  });

  describe("readers in step", () => {
    let clock: RunningClock;
    let hub: Hub;
    let cohorts: Cohorts;
    /** The readers that were given a group themselves, by the group's number. */
    let given: Map<number, Watcher[]>;
    let watchers: Watcher[];

    beforeEach(() => {
      clock = new RunningClock(START);
      hub = new Hub({ clock, log: silentLog() });
      hub.describe([VIDEO, AUDIO], [100, 101]);
      cohorts = new Cohorts(clock);
      given = new Map();
      watchers = [];
    });
    afterEach(() => {
      for (const { player } of watchers) player.stop();
      expect(hub.readers).to.equal(0);
    });

    const watch = async (count: number, o: { apart?: boolean; tracks?: number } = {}): Promise<Watcher[]> => {
      const { apart = false, tracks = 1 } = o;
      const made: Watcher[] = [];
      while (made.length < count) {
        const ends = await pair();
        const carrier = new StreamCarrier(ends.near);
        const one = new Watcher({ ...ends, carrier, hub, clock, tracks, cohorts: apart ? undefined : cohorts });
        const deliver = one.player.deliver.bind(one.player);
        one.player.deliver = (group) => {
          const number = group.packets[0]?.readUInt32BE(12) ?? -1;
          given.set(number, [...(given.get(number) ?? []), one]);
          deliver(group);
        };
        one.player.run();
        made.push(one);
      }
      watchers.push(...made);
      return made;
    };
    const publish = (from: number, to: number, bytes = 8): void => {
      for (let number = from; number < to; number += 1) hub.publish(groupOf(number, { bytes }));
    };
    const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, number) => number);
    const isGiven = (number: number): number => given.get(number)?.length ?? 0;

    it("are not looked at from the second group on, and get each in order, sound among pictures, also several in one turn", async () => {
      const both = await watch(20, { tracks: 2 });
      publish(0, 1);
      hub.publish(groupOf(1000, { track: 1 }));
      expect([isGiven(0), isGiven(1000)]).to.deep.equal([20, 20]);
      for (let number = 1; number < 40; number += 1) {
        publish(number, number + 1, 3000);
        hub.publish(groupOf(1000 + number, { track: 1 }));
        if (number % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(given.size, "given to nobody").to.equal(2);
      for (const one of both) {
        await one.end();
        expect(one.numbers()).to.deep.equal(upTo(40));
        expect(one.numbers(2)).to.deep.equal(upTo(40).map((number) => number + 1000));
        expect([one.packets(1).length, one.packets(3).length], "reports").to.deep.equal([1, 1]);
      }
    });

    it("are told by reports what they were sent, as if each had been sent it alone, and so is whoever asks", async () => {
      const [early, apart] = [await watch(2), await watch(1, { apart: true })];
      for (let number = 0; number < 91; number += 1) {
        publish(number, number + 1, 100);
        if (number % 30 === 29) await clock.advance(3 * SECOND);
      }
      expect(early[0]?.player.sent).to.deep.equal(apart[0]?.player.sent);
      expect([isGiven(45), isGiven(60)], "a report goes before the second one").to.deep.equal([1, 3]);
      for (const one of watchers) await one.end();
      for (const channel of [0, 1]) {
        const alone = apart[0]?.packets(channel);
        expect(alone).to.have.length(channel === 0 ? 91 : 2);
        for (const one of early) expect(one.packets(channel)).to.deep.equal(alone);
      }
    });

    it("go on when one of them is too slow: it misses groups until there is room at a key frame, and is in step again", async () => {
      const [slow, ...others] = (await watch(4)) as [Watcher, ...Watcher[]];
      slow.far.pause();
      let number = 0;
      for (; slow.dropped < 20; number += 1) {
        publish(number, number + 1, 60 * KILOBYTE);
        for (const other of others) await other.until(number);
      }
      expect(given.get(number - 1)).to.deep.equal([slow]);
      const drained = once(slow.near, "drain");
      slow.far.resume();
      await drained;
      // What it was sent is on its way until it is read, and fills the system's own room.
      await slow.until(number - slow.dropped - 1);
      const next = Math.ceil(number / 10) * 10;
      publish(next, next + 5);
      expect([isGiven(next), isGiven(next + 1), isGiven(next + 4)]).to.deep.equal([1, 0, 0]);
      await slow.until(next + 4);
      const numbers = slow.numbers();
      expect(numbers.slice(-5)).to.deep.equal([0, 1, 2, 3, 4].map((more) => next + more));
      expect(numbers.slice(0, -5), "none twice, none out of order").to.deep.equal(upTo(numbers.length - 5));
      for (const other of others) {
        await other.until(next + 4);
        expect(other.dropped).to.equal(0);
        expect(other.numbers().slice(0, number)).to.deep.equal(upTo(number));
      }
    });

    it("are sent nothing once they have left or hung up, and the others lack nothing", async () => {
      const [gone, closed, ...others] = (await watch(5)) as [Watcher, Watcher, ...Watcher[]];
      publish(0, 5);
      gone.player.stop();
      closed.near.destroy();
      publish(5, 9);
      for (const one of others) {
        await one.until(8);
        expect(one.numbers()).to.deep.equal(upTo(9));
      }
      await gone.end();
      expect(gone.numbers()).to.deep.equal(upTo(5));
      expect([gone.player.sent.bytes, closed.failures]).to.deep.equal([5 * 24, []]);
    });
  });
});
