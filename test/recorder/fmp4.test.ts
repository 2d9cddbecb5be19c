import { expect } from "chai";
import * as fc from "fast-check";
import { Fault } from "../../base/fault.ts";
import type { SampleFormat } from "../../media/sample.ts";
import { bodyAt, boxesIn } from "../../recorder/box.ts";
import { fragment, initSegment } from "../../recorder/fmp4.ts";
import { readMoof, readMovie } from "../../recorder/fmp4-read.ts";
import { H264, METADATA, PCMU } from "../support/recorder-samples.ts";

const FORMATS: readonly SampleFormat[] = [
  H264,
  { codec: "H265", width: 3840, height: 2160, config: Buffer.alloc(23, 1) },
  { codec: "JPEG", width: 640, height: 480 },
  { codec: "MP4V-ES", width: 320, height: 240, config: Buffer.alloc(200, 2) },
  PCMU,
  { codec: "OPUS", sampleRateHz: 48_000, channels: 2 },
  { codec: "PCMA", sampleRateHz: 16_000, channels: 2 },
  { codec: "MPEG4-GENERIC", sampleRateHz: 48_000, channels: 2, config: Buffer.from("1190", "hex") },
  METADATA,
];

const sample = fc.record({
  data: fc.uint8Array({ minLength: 0, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  durationTicks: fc.integer({ min: 1, max: 0xffffffff }),
  key: fc.boolean(),
  compositionOffsetTicks: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  discontinuity: fc.boolean(),
});

const run = fc.record({
  baseTimeTicks: fc.bigInt({ min: 0n, max: 2n ** 50n }),
  samples: fc.array(sample, { maxLength: 12 }),
});

describe("an MP4 init segment", () => {
  for (const format of FORMATS)
    it(`says how to decode ${format.codec}`, () => {
      const bytes = initSegment([{ id: 7, timescale: 90_000, format }]);
      expect(boxesIn(bytes).map((one) => one.type)).to.deep.equal(["ftyp", "moov"]);
      expect(readMovie(bodyAt(bytes, "moov"))).to.deep.equal([{ id: 7, timescale: 90_000, format }]);
    });

  it("is not read where it is made of boxes without end, each of which would cost many times its bytes", () => {
    const empty = Buffer.from("0000000866726565", "hex");
    const boxes = (count: number): Buffer => Buffer.alloc(count * empty.length, empty);
    expect(boxesIn(boxes(10_000))).to.have.length(10_000);
    expect(() => boxesIn(boxes(10_001))).to.throw(Fault, "more than 10000 boxes");
  });

  it("holds several tracks in their order", () => {
    const tracks = FORMATS.map((format, index) => ({ id: index + 1, timescale: 8000 + index, format }));
    expect(readMovie(bodyAt(initSegment(tracks), "moov"))).to.deep.equal(tracks);
  });

  it("reads garbage as a Fault and nothing else", () => {
    const good = bodyAt(initSegment([{ id: 1, timescale: 90_000, format: H264 }]), "moov");
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, cut) => {
        const bad = Buffer.from(good);
        bad[at] = value;
        expectFaultOrNothing(() => readMovie(bad.subarray(0, cut)));
      }),
    );
  });
});

describe("an MP4 fragment", () => {
  it("gives back every sample with its exact times, wherever it stands", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.array(run, { minLength: 1, maxLength: 4 }), (sequence, runs) => {
        const tracks = runs.map((one, index) => ({ id: index + 1, ...one }));
        const bytes = Buffer.concat(fragment({ sequence, tracks }));
        const [moof, mdat] = boxesIn(bytes);
        expect([moof?.type, mdat?.type, boxesIn(bytes).length]).to.deep.equal(["moof", "mdat", 2]);
        const read = readMoof(moof?.body ?? Buffer.alloc(0));
        const wanted = tracks
          .filter((track) => track.samples.length > 0)
          .map((track) => {
            let ticks = Number(track.baseTimeTicks);
            const samples = track.samples.map((one) => {
              const decodeTicks = ticks;
              ticks += one.durationTicks;
              return { ...one, decodeTicks, presentTicks: decodeTicks + one.compositionOffsetTicks };
            });
            return { id: track.id, samples };
          });
        const found = read.map(({ trackId, samples }) => ({
          id: trackId,
          samples: samples.map((one) => ({
            data: bytes.subarray(one.offset, one.offset + one.size),
            durationTicks: one.durationTicks,
            key: one.key,
            compositionOffsetTicks: one.presentTicks - one.decodeTicks,
            discontinuity: one.discontinuity,
            decodeTicks: one.decodeTicks,
            presentTicks: one.presentTicks,
          })),
        }));
        expect(found).to.deep.equal(wanted);
      }),
      { numRuns: 60 },
    );
  });

  it("does not copy samples", () => {
    const data = Buffer.alloc(1000);
    const buffers = fragment({
      sequence: 1,
      tracks: [{ id: 1, baseTimeTicks: 0n, samples: [{ data, durationTicks: 1, key: true }] }],
    });
    expect(buffers[1]).to.equal(data);
  });

  it("reads garbage as a Fault and nothing else", () => {
    const samples = [{ data: Buffer.alloc(9), durationTicks: 1, key: true }];
    const good = bodyAt(
      Buffer.concat(fragment({ sequence: 1, tracks: [{ id: 1, baseTimeTicks: 0n, samples }] })),
      "moof",
    );
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, cut) => {
        const bad = Buffer.from(good);
        bad[at] = value;
        expectFaultOrNothing(() => readMoof(bad.subarray(0, cut)));
      }),
    );
  });
});

function expectFaultOrNothing(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    expect(error).to.be.instanceOf(Fault);
  }
}
