import { expect } from "chai";
import * as fc from "fast-check";
import { EvenSound } from "../../media/even-sound.ts";
import type { Track } from "../../media/track.ts";

const PCMU: Track = {
  kind: "audio",
  codec: "PCMU",
  encoding: "PCMU",
  payloadType: 0,
  clockRateHz: 8000,
  channels: 1,
  fmtp: "",
};
const AAC: Track = {
  ...PCMU,
  codec: "MPEG4-GENERIC",
  encoding: "mpeg4-generic",
  payloadType: 97,
  clockRateHz: 16_000,
  fmtp: "mode=AAC-hbr;config=1408;sizelength=13;indexlength=3;indexdeltalength=3",
};
const G711 = Buffer.alloc(160);
/** One access unit of ten bytes behind its header. */
const UNIT = Buffer.concat([Buffer.of(0, 16, 0, 80), Buffer.alloc(10)]);

/** What is made of stamps, and whether they were called uneven. */
function placed(track: Track, payload: Buffer, stamps: readonly number[], gaps: readonly number[] = []) {
  let uneven = false;
  const even = new EvenSound(track, () => {
    uneven = true;
  });
  const times = stamps.map((stamp, index) => even.place(stamp >>> 0, payload, gaps.includes(index)));
  return { times, uneven };
}
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

describe("timestamps of sound", () => {
  it("stay as they are, to the tick, where they are even, over the wrap", () => {
    const stamps = range(100).map((index) => (0xffff_0000 + index * 1024) >>> 0);
    expect(placed(AAC, UNIT, stamps)).to.deep.equal({ times: stamps, uneven: false });
  });

  it("are evened where a camera stamps when it comes round to it", () => {
    const stamps = range(400).map((index) => index * 1024 + (index % 2 === 1 ? -371 : 0));
    const { times, uneven } = placed(AAC, UNIT, stamps);
    expect(uneven).to.equal(true);
    for (const [index, time] of times.entries()) {
      if (index > 0) expect(time - (times[index - 1] ?? 0), `step ${index}`).to.be.within(1017, 1031);
      expect(Math.abs(time - index * 1024), `never far from the camera's clock, at ${index}`).to.be.below(400);
    }
  });

  it("follow a clock that is slightly other than the samples say", () => {
    const stamps = range(5000).map((index) => Math.round(index * 160 * 1.0005));
    const { times } = placed(PCMU, G711, stamps);
    for (const [index, time] of times.entries()) expect(Math.abs(time - (stamps[index] ?? 0))).to.be.below(10);
  });

  it("go on from the camera's where something is missing, and where it was silent", () => {
    const stamps = [0, 160, 320, 640, 800, 16_000, 16_160];
    expect(placed(PCMU, G711, stamps, [3]).times).to.deep.equal(stamps);
  });

  it("are left alone where counting does not count what the camera sends", () => {
    // Every packet says that it is one access unit, and is two.
    const stamps = range(60).map((index) => index * 4096);
    expect(placed(AAC, UNIT, stamps)).to.deep.equal({ times: stamps, uneven: false });
  });

  it("are left alone in what cannot be counted: ADTS, fragments, rubbish", () => {
    for (const payload of [Buffer.from("fff1604000bffc21", "hex"), Buffer.alloc(0), Buffer.of(0, 17, 1, 1, 1)]) {
      const stamps = [5, 9000, 9001, 12];
      expect(placed(AAC, payload, stamps).times).to.deep.equal(stamps);
    }
  });

  it("are 32 bits, and within 120 ms of the camera's, whatever it stamps", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff_ffff), { maxLength: 50 }), (stamps) => {
        for (const [index, time] of placed(PCMU, G711, stamps).times.entries()) {
          expect(time).to.be.within(0, 0xffff_ffff);
          expect(Math.abs((time - (stamps[index] ?? 0)) | 0)).to.be.at.most(960);
        }
      }),
    );
  });
});
