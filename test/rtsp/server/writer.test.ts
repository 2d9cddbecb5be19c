import { Writable } from "node:stream";
import { expect } from "chai";
import { FramedPackets } from "../../../media/framed-packets.ts";
import { PacketGroup } from "../../../media/group.ts";
import { ReusedMemory } from "../../../media/reused-memory.ts";
import type { Carrier } from "../../../rtsp/server/carrier.ts";
import type { Lane } from "../../../rtsp/server/lane.ts";
import { InterleavedSink } from "../../../rtsp/server/sink.ts";
import { GroupWriter } from "../../../rtsp/server/writer.ts";
import { START } from "../../media/receiver-fixture.ts";
import { RunningClock } from "../../support/virtual-clock.ts";
import { groupOf, VIDEO } from "./stage.ts";

const LANES: ReadonlyMap<number, Lane> = new Map([[0, { index: 0, track: VIDEO, pair: [0, 1] }]]);
const KILOBYTE = 1024;

/** A client that takes one write at a time, when it is told to. */
class Taker {
  readonly numbers: number[] = [];
  #taken: (() => void) | undefined;
  readonly carrier = new Writable({
    highWaterMark: 16 * KILOBYTE,
    write: (chunk: Buffer, _encoding, done) => {
      // Groups go out on channel 0, reports on 1.
      if (chunk[1] === 0) this.numbers.push(chunk.readUInt32BE(16));
      this.#taken = done;
    },
  }) as unknown as Carrier & Writable;

  async take(writes: number): Promise<void> {
    for (let count = 0; count < writes; count += 1) {
      const taken = this.#taken;
      this.#taken = undefined;
      taken?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe("what is written to one reader", () => {
  let taker: Taker;
  let writer: GroupWriter;
  let dropped = 0;

  beforeEach(() => {
    taker = new Taker();
    dropped = 0;
    writer = new GroupWriter({
      sink: new InterleavedSink(taker.carrier),
      lanes: LANES,
      clock: new RunningClock(START),
      reports: true,
      dropped: () => {
        dropped += 1;
      },
    });
  });

  it("waits where it is shared, not in the socket, and comes in order", async () => {
    const groups = Array.from({ length: 50 }, (_, number) => groupOf(number, { bytes: 50 * KILOBYTE }));
    writer.headStart(groups.slice(0, 40));
    for (const group of groups.slice(40)) writer.offer(group);
    expect(taker.carrier.writableLength).to.be.lessThan(320 * KILOBYTE);
    await taker.take(60);
    expect(taker.numbers).to.deep.equal(groups.map((_, number) => number));
    expect(dropped).to.equal(0);
    expect(taker.carrier.listenerCount("drain")).to.equal(0);
  });

  it("is forgotten when it stops, for a client that asks to play again and again without reading", async () => {
    const groups = Array.from({ length: 40 }, (_, number) => groupOf(number, { bytes: 50 * KILOBYTE }));
    writer.headStart(groups);
    writer.stop();
    await taker.take(60);
    expect(taker.numbers).to.have.length.lessThan(10);
    expect(taker.carrier.listenerCount("drain")).to.equal(0);
  });

  it("is dropped beyond a bound, and goes on with a key frame when there is room", async () => {
    for (let number = 0; number < 100; number += 1) writer.offer(groupOf(number, { bytes: 50 * KILOBYTE }));
    expect(dropped).to.be.greaterThan(50);
    await taker.take(60);
    for (let number = 105; number < 115; number += 1) writer.offer(groupOf(number));
    await taker.take(20);
    expect(taker.numbers.slice(0, 100 - (dropped - 5))).to.deep.equal(
      Array.from({ length: 100 - (dropped - 5) }, (_, number) => number),
    );
    expect(taker.numbers.at(-5)).to.equal(110);
  });

  it("gives a group's memory back once its bytes are gone, and never that of one that has waited", async () => {
    const memory = new ReusedMemory();
    const given: number[] = [];
    const give = memory.give.bind(memory);
    memory.give = (bytes) => {
      given.push(bytes.byteOffset);
      give(bytes);
    };
    const offsets: number[] = [];
    for (let number = 0; number < 12; number += 1) {
      const group = groupOf(number, { bytes: 50 * KILOBYTE });
      const bytes = memory.take(group.byteLength);
      group.bytes.copy(bytes);
      offsets.push(bytes.byteOffset);
      const lent = new PacketGroup(group, new FramedPackets(bytes, 1), memory);
      writer.offer(lent);
      lent.release();
    }
    // The first is with the client, who has not taken it; five fit into the sink, and the others wait where all share them.
    expect(given).to.deep.equal([]);
    await taker.take(30);
    expect(taker.numbers).to.have.length(12);
    expect(given).to.deep.equal(offsets.slice(0, 6));
  });
});
