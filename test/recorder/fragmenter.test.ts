import { expect } from "chai";
import * as fc from "fast-check";
import { unixMillis } from "../../base/units.ts";
import type { Sample } from "../../media/sample.ts";
import { Fragmenter, type FragmentSink, type ReadyFragment, type SegmentPlan } from "../../recorder/fragmenter.ts";
import type { GapReason } from "../../recorder/gap.ts";
import {
  AUDIO_TRACK,
  audioSample,
  H264,
  indexIn,
  METADATA,
  METADATA_TRACK,
  PCMU,
  START_MS,
  VIDEO_TRACK,
  videoSample,
} from "../support/recorder-samples.ts";

class Sink implements FragmentSink {
  readonly fragments: ReadyFragment[] = [];
  readonly ends: { readonly plan: SegmentPlan; readonly gap: GapReason | undefined }[] = [];
  refuse = false;

  fragment(fragment: ReadyFragment): boolean {
    if (this.refuse) return false;
    this.fragments.push(fragment);
    return true;
  }

  end(plan: SegmentPlan, gap: GapReason | undefined): void {
    this.ends.push({ plan, gap });
  }

  get plans(): readonly SegmentPlan[] {
    return [...new Set(this.fragments.map((one) => one.plan))];
  }

  /** Sample counts of the fragments' first tracks. */
  get counts(): readonly number[] {
    return this.fragments.map((one) => one.runs[0]?.samples.length ?? 0);
  }

  get indices(): readonly number[] {
    return this.fragments.flatMap((one) =>
      one.runs
        .filter((run) => run.id === 1)
        .flatMap((run) => run.samples.map((sample) => indexIn(sample.data as Buffer))),
    );
  }
}

function start(segmentMs = 60_000): { sink: Sink; fragmenter: Fragmenter } {
  const sink = new Sink();
  const fragmenter = new Fragmenter(sink, { segmentMs, phaseMs: 0 });
  fragmenter.describe([VIDEO_TRACK, AUDIO_TRACK, METADATA_TRACK]);
  return { sink, fragmenter };
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, one) => from + one);

describe("the fragmenter", () => {
  it("begins at a key frame and cuts at each next one", () => {
    const { sink, fragmenter } = start();
    for (const index of range(10, 80)) fragmenter.push(0, videoSample(index));
    fragmenter.end(undefined);
    expect(sink.counts).to.deep.equal([25, 25, 5]);
    expect(sink.fragments.map((one) => one.key)).to.deep.equal([true, true, true]);
    expect(sink.indices).to.deep.equal(range(25, 80));
    expect(sink.plans).to.have.length(1);
  });

  it("says how times are known, as of the worst of a fragment", () => {
    const { sink, fragmenter } = start();
    for (const index of range(0, 100)) {
      const quality = index < 30 ? "arrival" : index < 60 ? "corrected" : "camera";
      fragmenter.push(0, { ...videoSample(index), quality, cameraAheadMs: index });
    }
    fragmenter.end(undefined);
    expect(sink.fragments.map(({ time }) => time)).to.deep.equal(["arrival", "arrival", "corrected", "camera"]);
    expect(sink.plans.map(({ time, cameraAheadMs }) => [time, cameraAheadMs])).to.deep.equal([["arrival", 0]]);
  });

  it("begins a fragment where a clock has jumped, and a segment with the next key frame, and loses nothing", () => {
    const { sink, fragmenter } = start();
    for (const index of range(0, 60)) {
      const jump = index === 30;
      fragmenter.push(0, { ...videoSample(index), quality: jump ? "jumped" : "camera", discontinuity: jump });
    }
    fragmenter.end(undefined);
    expect(sink.counts).to.deep.equal([25, 5, 20, 10]);
    expect(sink.fragments.map(({ time }) => time)).to.deep.equal(["camera", "camera", "jumped", "camera"]);
    expect(sink.fragments.map(({ plan }) => sink.plans.indexOf(plan))).to.deep.equal([0, 0, 0, 1]);
    expect(sink.indices).to.deep.equal(range(0, 60));
  });

  it("cuts after 2 s where there is no key frame, and says that a decoder cannot begin there", () => {
    const { sink, fragmenter } = start();
    for (const index of range(0, 130)) fragmenter.push(0, videoSample(index, { gop: 200 }));
    fragmenter.end(undefined);
    expect(sink.counts).to.deep.equal([50, 50, 30]);
    expect(sink.fragments.map((one) => one.key)).to.deep.equal([true, false, false]);
  });

  it("puts several short groups of pictures into one fragment", () => {
    const { sink, fragmenter } = start();
    for (const index of range(0, 50)) fragmenter.push(0, videoSample(index, { gop: 1 }));
    fragmenter.end(undefined);
    expect(sink.counts).to.deep.equal([13, 13, 13, 11]);
  });

  it("counts times exactly, over the wrap of RTP time", () => {
    const { sink, fragmenter } = start();
    for (const index of range(0, 1000)) fragmenter.push(0, videoSample(index, { fps: 30, gop: 30 }));
    fragmenter.end(undefined);
    let expected = 0n;
    for (const { runs } of sink.fragments)
      for (const run of runs) {
        expect(run.baseTimeTicks).to.equal(expected);
        for (const sample of run.samples) expected += BigInt(sample.durationTicks);
      }
    expect(expected).to.equal(3_000_000n);
    expect(sink.fragments[1]?.runs[0]?.references).to.deep.equal([
      { mediaTicks: 90_000, us: (START_MS + 1000) * 1000 },
    ]);
  });

  it("notes the times of both ends of a fragment in which the clock was corrected", () => {
    const { sink, fragmenter } = start();
    const laggingMs = (index: number): number => (index < 10 ? 300 : 0);
    for (const index of range(0, 50)) fragmenter.push(0, videoSample(index, { startMs: START_MS + laggingMs(index) }));
    fragmenter.end(undefined);
    const [first, second] = sink.fragments.map(({ runs }) => runs[0]?.references);
    expect(first).to.deep.equal([
      { mediaTicks: 0, us: (START_MS + 300) * 1000 },
      { mediaTicks: 86_400, us: (START_MS + 960) * 1000 },
    ]);
    expect(second).to.deep.equal([{ mediaTicks: 90_000, us: (START_MS + 1000) * 1000 }]);
    expect(sink.fragments[0]?.endUs).to.equal((START_MS + 1000) * 1000);
  });

  it("keeps audio and metadata with the video, each in its own clock", () => {
    const { sink, fragmenter } = start();
    for (const index of range(0, 100)) {
      fragmenter.push(0, videoSample(index));
      fragmenter.push(1, audioSample(index * 2));
      fragmenter.push(1, audioSample(index * 2 + 1));
      if (index === 30)
        fragmenter.push(2, { ...videoSample(index), key: true, data: Buffer.from("<a/>"), format: METADATA });
    }
    fragmenter.end(undefined);
    expect(sink.plans).to.have.length(1);
    expect(sink.plans[0]?.tracks.map((one) => one.format.codec)).to.deep.equal(["H264", "PCMU", "VND.ONVIF.METADATA"]);
    expect(sink.fragments.map((one) => one.runs.map((run) => run.samples.length))).to.deep.equal([
      [25, 50],
      [25, 50, 1],
      [25, 50],
      [25, 50],
    ]);
    expect(sink.fragments[1]?.runs[1]?.baseTimeTicks).to.equal(8000n);
    expect(sink.fragments[3]?.endUs).to.equal((START_MS + 4000) * 1000);
  });

  it("gives B-frames a decoding order that only rises, and keeps their presentation times", () => {
    const order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11];
    const { sink, fragmenter } = start();
    for (const group of range(0, 3))
      for (const one of order) fragmenter.push(0, { ...videoSample(group * 13 + one), key: one === 0 });
    fragmenter.end(undefined);
    let last = -1;
    const presented: number[] = [];
    for (const { runs } of sink.fragments) {
      let ticks = Number(runs[0]?.baseTimeTicks);
      for (const sample of runs[0]?.samples ?? []) {
        expect(ticks).to.be.greaterThan(last);
        last = ticks;
        presented.push((ticks + (sample.compositionOffsetTicks ?? 0)) / 3600);
        ticks += sample.durationTicks;
      }
    }
    expect(presented).to.deep.equal(range(0, 3).flatMap((group) => order.map((one) => group * 13 + one)));
  });

  it("begins a new segment at the first key frame of a new interval of the clock", () => {
    const { sink, fragmenter } = start(10_000);
    for (const index of range(0, 25 * 25)) fragmenter.push(0, videoSample(index));
    fragmenter.end(undefined);
    expect(sink.plans.map((plan) => plan.zeroUs / 1000 - START_MS)).to.deep.equal([0, 10_000, 20_000]);
    expect(sink.ends.map((one) => one.gap)).to.deep.equal([undefined, undefined, undefined]);
    expect(sink.indices).to.deep.equal(range(0, 625));
  });

  it("begins a new segment when the picture changes its format", () => {
    const { sink, fragmenter } = start();
    const other = { ...H264, width: 640, height: 480 };
    for (const index of range(0, 100)) fragmenter.push(0, videoSample(index, index < 50 ? {} : { format: other }));
    fragmenter.end(undefined);
    expect(sink.plans.map((plan) => plan.tracks[0]?.format)).to.deep.equal([H264, other]);
    expect(sink.indices).to.deep.equal(range(0, 100));
  });

  it("begins twenty segments a minute at most, for a camera that changes its format with every key frame", () => {
    const { sink, fragmenter } = start();
    const other = { ...H264, width: 1280 };
    const push = (index: number): void =>
      fragmenter.push(0, videoSample(index, { gop: 1, format: index % 2 === 0 ? H264 : other }));
    // At 25 a second: two minutes of it, then a minute of peace.
    for (const index of range(0, 3000)) push(index);
    expect(sink.plans).to.have.length(40);
    expect(sink.ends.map(({ gap }) => gap?.why)).to.include("the camera changes its format again and again");
    for (const index of range(3000, 4500)) fragmenter.push(0, videoSample(index, { gop: 25 }));
    fragmenter.end(undefined);
    expect(sink.indices.at(-1)).to.equal(4499);
  });

  const reasons: readonly [string, Partial<Sample>, (index: number) => Partial<Sample>][] = [
    ["sound changes its format", {}, (index) => ({ format: { ...PCMU, channels: 1 + (index % 2) } })],
    ["the clock of the sound jumps", {}, (index) => ({ rtpTime: (index * 0x1000_0000) >>> 0 })],
    ["the clock of the picture jumps", { quality: "jumped" }, () => ({})],
  ];
  for (const [what, picture, sound] of reasons)
    it(`begins no more than these, and loses no picture, where ${what} again and again`, () => {
      const { sink, fragmenter } = start();
      for (const index of range(0, 3000)) {
        fragmenter.push(0, { ...videoSample(index), ...picture });
        fragmenter.push(1, { ...audioSample(index * 2), ...sound(index) });
      }
      fragmenter.end(undefined);
      expect(sink.plans).to.have.length(40);
      expect(sink.indices).to.deep.equal(range(0, 3000));
    });

  it("does not take an equal format for a new one", () => {
    const { sink, fragmenter } = start();
    for (const index of range(0, 60)) {
      const { config, height, width, codec } = H264;
      fragmenter.push(0, videoSample(index, { format: { config: Buffer.from(config), height, width, codec } }));
    }
    fragmenter.end(undefined);
    expect(sink.plans).to.have.length(1);
  });

  const interruptions: readonly [string, string | undefined, (sample: Sample) => Sample][] = [
    ["the capture time jumps ahead", "time jumped", (one) => ({ ...one, at: unixMillis(one.at + 5000) })],
    ["the capture time is set back", "time jumped", (one) => ({ ...one, at: unixMillis(one.at - 3_600_000) })],
    ["RTP time starts anew", "time jumped", (one) => ({ ...one, rtpTime: (one.rtpTime + 0x70000000) >>> 0 })],
  ];
  for (const [what, gap, change] of interruptions)
    it(`ends the segment where ${what}, and goes on at the next key frame`, () => {
      const { sink, fragmenter } = start();
      for (const index of range(0, 100)) {
        const sample = videoSample(index);
        fragmenter.push(0, index < 60 ? sample : change(sample));
      }
      fragmenter.end(undefined);
      expect(sink.ends.map((one) => one.gap?.why)).to.deep.equal([gap, undefined]);
      expect(sink.indices).to.deep.equal([...range(0, 60), ...range(75, 100)]);
    });

  it("goes on cutting after 2 s where RTP time was set back", () => {
    const { sink, fragmenter } = start();
    for (const index of range(0, 500)) {
      const sample = videoSample(index, { gop: 250 });
      fragmenter.push(0, index < 60 ? sample : { ...sample, rtpTime: (sample.rtpTime - 3600 * 90_000) >>> 0 });
    }
    fragmenter.end(undefined);
    expect(sink.fragments.map(({ startUs, endUs }) => (endUs - startUs) / 1_000_000)).to.deep.equal([
      2, 0.4, 2, 2, 2, 2, 2,
    ]);
  });

  it("makes of the times of a camera, however wild, such as a file can hold", () => {
    const fits = (ticks: number, least: number): boolean =>
      Number.isInteger(ticks) && ticks >= least && ticks < 2 ** 31;
    fc.assert(
      fc.property(
        fc.constantFrom(1000, 90_000, 999_999_999),
        fc.array(fc.nat(2 ** 31 - 1), { maxLength: 30 }),
        (hz, steps) => {
          const sink = new Sink();
          const fragmenter = new Fragmenter(sink, { segmentMs: 60_000, phaseMs: 0 });
          fragmenter.describe([
            { ...VIDEO_TRACK, clockRateHz: hz },
            { ...METADATA_TRACK, clockRateHz: hz },
          ]);
          let rtpTime = 0;
          for (const [index, step] of steps.entries()) {
            // Less than a second, which counts as the order of B pictures, or anything.
            rtpTime = (rtpTime + (index % 3 === 0 ? -0.9 * hz : 2 * step)) >>> 0;
            fragmenter.push(0, { ...videoSample(index), rtpTime });
            fragmenter.push(1, { ...audioSample(index), rtpTime: 2 * step, format: METADATA });
          }
          for (let index = 0; index < 100; index += 1) {
            rtpTime = (rtpTime - 0.9 * hz) >>> 0;
            fragmenter.push(0, { ...videoSample(steps.length + index), rtpTime });
          }
          fragmenter.end(undefined);
          // No sample lasts longer than ten seconds: what ends in the future would be kept for so long.
          const lastMs = videoSample(steps.length + 100).at + 10_000;
          for (const { endUs } of sink.fragments) expect(endUs / 1000).to.be.at.most(lastMs);
          for (const { runs } of sink.fragments)
            for (const { durationTicks, compositionOffsetTicks = 0 } of runs.flatMap(({ samples }) => samples)) {
              expect(fits(durationTicks, 0)).to.equal(true);
              expect(fits(compositionOffsetTicks, -(2 ** 31))).to.equal(true);
            }
        },
      ),
    );
  });

  it("goes on over a loss of less than a second, and keeps the mark", () => {
    const { sink, fragmenter } = start();
    for (const index of [...range(0, 30), ...range(40, 50)])
      fragmenter.push(0, { ...videoSample(index), discontinuity: index === 40 });
    fragmenter.end(undefined);
    const marks = sink.fragments.flatMap((one) => one.runs[0]?.samples.map((sample) => sample.discontinuity));
    expect(marks.indexOf(true)).to.equal(30);
    expect(sink.plans).to.have.length(1);
    expect(sink.fragments[1]?.runs[0]?.samples[4]?.durationTicks).to.equal(11 * 3600);
  });

  it("ends the segment over a loss of more than a second", () => {
    const { sink, fragmenter } = start();
    for (const index of [...range(0, 30), ...range(60, 90)])
      fragmenter.push(0, { ...videoSample(index), discontinuity: index === 60 });
    fragmenter.end(undefined);
    expect(sink.ends[0]?.gap).to.deep.equal({ cause: "network", why: "packets are missing" });
    expect(sink.indices).to.deep.equal([...range(0, 30), ...range(75, 90)]);
  });

  it("goes on with the next key frame after a refusal, in a new segment", () => {
    const { sink, fragmenter } = start();
    for (const index of range(0, 125)) {
      sink.refuse = index >= 50 && index < 75;
      fragmenter.push(0, videoSample(index));
    }
    fragmenter.end(undefined);
    expect(sink.indices).to.deep.equal([...range(0, 25), ...range(50, 125)]);
    expect(sink.plans).to.have.length(2);
  });

  it("records audio alone where there is no video", () => {
    const sink = new Sink();
    const fragmenter = new Fragmenter(sink, { segmentMs: 10_000, phaseMs: 0 });
    fragmenter.describe([undefined, AUDIO_TRACK]);
    for (const index of range(0, 600)) fragmenter.push(1, audioSample(index));
    fragmenter.end(undefined);
    expect(sink.counts).to.deep.equal([100, 100, 100, 100, 100, 100]);
    expect(sink.plans).to.have.length(2);
  });

  it("loses, repeats and reorders nothing behind the first key frame, whatever the rates are", () => {
    const shape = fc.record({
      fps: fc.constantFrom(1, 7, 25, 60),
      gop: fc.integer({ min: 1, max: 300 }),
      first: fc.nat(50),
      count: fc.integer({ min: 1, max: 600 }),
      bytes: fc.constantFrom(50, 200_000),
    });
    fc.assert(
      fc.property(shape, ({ fps, gop, first, count, bytes }) => {
        const { sink, fragmenter } = start();
        for (const index of range(first, first + count)) fragmenter.push(0, videoSample(index, { fps, gop, bytes }));
        fragmenter.end(undefined);
        const begin = Math.ceil(first / gop) * gop;
        expect(sink.indices).to.deep.equal(range(Math.min(begin, first + count), first + count));
        for (const one of sink.fragments) {
          expect(one.bytes).to.be.at.most(9 * 1024 * 1024);
          expect((one.endUs - one.startUs) / 1000).to.be.at.most(2000 + 1000 / fps);
        }
      }),
      { numRuns: 25 },
    );
  });
});
