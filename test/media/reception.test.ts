import { expect } from "chai";
import { unixMillis } from "../../base/units.ts";
import { ReceptionCounter } from "../../media/reception.ts";
import { writeRtpHeader } from "../../media/rtp.ts";

/** Sends packets by sequence number, one each 40 ms, `late` ms late. */
function receive(
  counter: ReceptionCounter,
  sequences: readonly number[],
  o: { readonly ssrc?: number; readonly late?: (index: number) => number } = {},
): void {
  sequences.forEach((sequence, index) => {
    const packet = Buffer.alloc(12);
    writeRtpHeader(packet, {
      marker: false,
      payloadType: 96,
      sequence: sequence & 0xffff,
      timestamp: (sequence * 3600) >>> 0,
      ssrc: o.ssrc ?? 1,
    });
    counter.rtp(packet, unixMillis(Date.UTC(2026, 0, 1) + sequence * 40 + (o.late?.(index) ?? 0)));
  });
}

const NOW = unixMillis(Date.UTC(2026, 0, 1));

describe("what is reported of the reception", () => {
  it("is nothing before the first packet", () => {
    expect(new ReceptionCounter(90_000).take(NOW)).to.equal(undefined);
  });

  it("counts losses, in all and since the report before", () => {
    const counter = new ReceptionCounter(90_000);
    receive(counter, [10, 11, 14, 15]);
    expect(counter.take(NOW)).to.deep.include({ ssrc: 1, highestSequence: 15, lost: 2, lostFraction: 1 / 3 });
    receive(counter, [16, 17]);
    expect(counter.take(NOW)).to.deep.include({ highestSequence: 17, lost: 2, lostFraction: 0 });
    expect(counter.take(NOW)).to.deep.include({ lostFraction: 0 });
  });

  it("counts cycles of the sequence number, and what comes twice", () => {
    const counter = new ReceptionCounter(90_000);
    receive(counter, [65_534, 65_535, 65_536, 65_537, 65_537]);
    expect(counter.take(NOW)).to.deep.include({ highestSequence: 0x1_0001, lost: -1, lostFraction: 0 });
  });

  it("has no jitter where packets come evenly, and some where they do not", () => {
    const [even, uneven] = [new ReceptionCounter(90_000), new ReceptionCounter(90_000)];
    const sequences = Array.from({ length: 200 }, (_, index) => index);
    receive(even, sequences, { late: () => 500 });
    receive(uneven, sequences, { late: (index) => (index % 2) * 10 });
    expect(even.take(NOW)?.jitterTicks).to.be.at.most(1);
    // 10 ms between one and the next, in ticks of 90 kHz.
    expect(uneven.take(NOW)?.jitterTicks).to.be.closeTo(900, 10);
  });

  it("begins anew with another source", () => {
    const counter = new ReceptionCounter(90_000);
    receive(counter, [1, 5]);
    receive(counter, [1000, 1001], { ssrc: 2 });
    expect(counter.take(NOW)).to.deep.include({ ssrc: 2, highestSequence: 1001, lost: 0 });
  });

  it("passes over what is too short", () => {
    const counter = new ReceptionCounter(90_000);
    counter.rtp(Buffer.alloc(11), NOW);
    counter.rtcp(Buffer.from([0x80, 200]), NOW);
    expect(counter.take(NOW)).to.equal(undefined);
  });
});
