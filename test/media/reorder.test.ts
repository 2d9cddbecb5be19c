import { expect } from "chai";
import * as fc from "fast-check";
import { Reorder } from "../../media/reorder.ts";
import { writeRtpHeader } from "../../media/rtp.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

/** A reorder buffer, and the sequence numbers that it hands on; of other sources with their SSRC. */
class Bench {
  readonly clock = new VirtualClock();
  readonly seen: string[] = [];
  readonly reorder = new Reorder({
    clock: this.clock,
    deliver: (packet) => {
      const ssrc = packet.readUInt32BE(8);
      this.seen.push(`${ssrc === 1 ? "" : `${ssrc}:`}${packet.readUInt16BE(2)}`);
    },
  });

  push(sequences: readonly number[], ssrc = 1, bytes = 20): this {
    for (const sequence of sequences) {
      const packet = Buffer.alloc(bytes);
      writeRtpHeader(packet, { marker: false, payloadType: 96, sequence, timestamp: 0, ssrc });
      this.reorder.push(packet, this.clock.now());
    }
    return this;
  }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe("the reorder buffer", () => {
  const cases: readonly (readonly [what: string, pushed: readonly number[], seen: readonly number[]])[] = [
    ["lets through at once what comes in order", [5, 6, 7], [5, 6, 7]],
    ["swaps neighbours back", [1, 3, 2, 5, 4, 6], [1, 2, 3, 4, 5, 6]],
    ["sorts over the wrap", [65_534, 0, 65_535, 2, 1], [65_534, 65_535, 0, 1, 2]],
    ["waits for what is missing", [1, 3, 4], [1]],
    ["drops what comes twice, waiting or not", [1, 1, 3, 3, 2, 2, 4], [1, 2, 3, 4]],
    ["passes over a stray of another numbering", [1, 2, 40_000, 3], [1, 2, 3]],
    ["follows a camera that numbers anew", [50_000, 50_001, 7, 8, 9, 10], [50_000, 50_001, 8, 9, 10]],
    ["follows one that leaps ahead", [1, 9000, 9001, 9002], [1, 9001, 9002]],
  ];
  for (const [what, pushed, seen] of cases)
    it(what, () => {
      const bench = new Bench().push(pushed);
      expect(bench.seen).to.deep.equal(seen.map(String));
      bench.reorder.flush();
      expect(bench.clock.pending, "timers that were left").to.equal(0);
    });

  it("gives up a missing packet in time, counts it when it comes late, and waits for the next one anew", async () => {
    const bench = new Bench().push([1, 3]);
    await bench.clock.advance(60);
    bench.push([5]);
    await bench.clock.advance(39);
    expect(bench.seen).to.deep.equal(["1"]);
    await bench.clock.advance(1);
    expect(bench.seen).to.deep.equal(["1", "3"]);
    bench.push([2]);
    await bench.clock.advance(60);
    expect(bench.seen).to.deep.equal(["1", "3", "5"]);
    expect(bench.reorder.disorder).to.deep.equal({ late: 1, repeated: 0 });
    expect(bench.clock.pending).to.equal(0);
  });

  it("does not count the time that the program was held up in: what came then is read when it goes on", async () => {
    const bench = new Bench().push([1, 3]);
    bench.clock.holdUp(5000);
    await bench.clock.advance(10);
    bench.push([2]);
    expect(bench.seen).to.deep.equal(["1", "2", "3"]);
    bench.push([5]);
    await bench.clock.advance(60);
    bench.clock.holdUp(5000);
    await bench.clock.advance(29);
    expect(bench.seen).to.deep.equal(["1", "2", "3"]);
    await bench.clock.advance(1);
    expect(bench.seen).to.deep.equal(["1", "2", "3", "5"]);
    expect(bench.reorder.disorder).to.deep.equal({ late: 0, repeated: 0 });
    expect(bench.clock.pending).to.equal(0);
  });

  it("never holds more than 500 packets", () => {
    const bench = new Bench().push([1, ...range(3, 503)]);
    expect(bench.seen).to.have.length(1);
    bench.push([503]);
    expect(bench.seen).to.deep.equal([1, ...range(3, 504)].map(String));
  });

  it("never holds more than 4 MiB", () => {
    const bench = new Bench().push([1, ...range(3, 67)], 1, 65_000);
    expect(bench.seen).to.have.length(1);
    bench.push([67], 1, 65_000);
    expect(bench.seen).to.have.length(66);
  });

  it("hands on what waits where another source takes over", () => {
    const bench = new Bench().push([1, 3]).push([70, 71], 2).push([4]);
    expect(bench.seen).to.deep.equal(["1", "3", "2:70", "2:71", "4"]);
  });

  it("hands on what waits when nothing more comes, and passes over what is too short", () => {
    const bench = new Bench().push([1, 3, 6]);
    bench.reorder.push(Buffer.from([0x80]), bench.clock.now());
    bench.reorder.flush();
    expect(bench.seen).to.deep.equal(["1", "3", "6"]);
    expect(bench.clock.pending).to.equal(0);
  });

  it("makes every order of up to eight neighbours right, but for what comes before the first", () => {
    const shuffled = fc.array(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }), { maxLength: 20 });
    fc.assert(
      fc.property(shuffled, fc.integer({ min: 0, max: 65_535 }), (blocks, first) => {
        const sent = [0, ...blocks.flatMap((block, index) => block.map((offset) => 1 + index * 8 + offset))];
        const bench = new Bench().push(sent.map((offset) => (first + offset) & 0xffff));
        const right = range(0, sent.length).map((offset) => `${(first + offset) & 0xffff}`);
        expect(bench.seen).to.deep.equal(right);
        expect(bench.reorder.disorder).to.deep.equal({ late: 0, repeated: 0 });
      }),
    );
  });

  it("hands on each packet once, and in order, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 300 }), (sequences) => {
        const bench = new Bench().push(sequences.map((sequence) => sequence % 90));
        bench.reorder.flush();
        const seen = bench.seen.map(Number);
        expect(seen).to.deep.equal([...new Set(seen)].toSorted((a, b) => a - b));
      }),
    );
  });
});
