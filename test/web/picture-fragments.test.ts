import { expect } from "chai";
import * as fc from "fast-check";
import { unixMillis } from "../../base/units.ts";
import type { Sample, SampleFormat } from "../../media/sample.ts";
import { boxesIn } from "../../recorder/box.ts";
import { readMoof } from "../../recorder/fmp4-read.ts";
import { type PictureFragment, PictureFragments } from "../../web/picture-fragments.ts";
import { H264 } from "../support/recorder-samples.ts";

const OTHER_H264: SampleFormat = { ...H264, width: 640 };
const BEGIN = 1_764_000_000_000;

/** A picture that is seen `number` twenty-fifths of a second after the beginning. */
function picture(number: number, more: Partial<Sample> = {}): Sample {
  return {
    at: unixMillis(BEGIN + number * 40),
    quality: "camera",
    rtpTime: 0,
    key: number === 0,
    discontinuity: false,
    data: Buffer.of(number & 0xff),
    format: H264,
    ...more,
  };
}

/** Numbers of pictures as they are decoded and as they are seen, and for how long each lasts, in twenty-fifths of a second. */
function readBack({ bytes }: PictureFragment): readonly (readonly [decode: number, seen: number, lasts: number])[] {
  const moof = boxesIn(bytes).find(({ type }) => type === "moof");
  const [run] = moof === undefined ? [] : readMoof(moof.body);
  const numberOf = (ticks: number): number => (ticks / 90 - BEGIN) / 40;
  return (run?.samples ?? []).map(({ decodeTicks, presentTicks, durationTicks }) => [
    numberOf(decodeTicks),
    numberOf(presentTicks),
    durationTicks / 3600,
  ]);
}

function fragmentsOf(samples: readonly Sample[]): readonly PictureFragment[] {
  const fragments = new PictureFragments();
  const made = samples.map((sample) => fragments.push(sample));
  return [...made, fragments.flush()].filter((one) => one !== undefined);
}

describe("pictures in fragments", () => {
  it("have the times of their capture, and last until the next one, also over the end of a fragment", () => {
    const made = fragmentsOf(Array.from({ length: 25 }, (_, number) => picture(number)));
    expect(made.map(({ at }) => at.length)).to.deep.equal([10, 10, 5]);
    expect(made.flatMap(readBack)).to.deep.equal(Array.from({ length: 25 }, (_, number) => [number, number, 1]));
    expect(made.flatMap(({ at }) => at)).to.deep.equal(Array.from({ length: 25 }, (_, number) => BEGIN + number * 40));
  });

  it("stay with those that are decoded after them and seen before them", () => {
    const order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11, 15, 13, 14];
    const made = fragmentsOf(order.map((number) => picture(number)));
    expect(made.flatMap(readBack).map(([, seen]) => seen)).to.deep.equal(order);
    for (const { at } of made) expect(at).to.deep.equal([...at].sort((a, b) => a - b));
    for (const fragment of made) {
      const decode = readBack(fragment).map(([ticks]) => ticks);
      expect(decode).to.deep.equal([...decode].sort((a, b) => a - b));
    }
  });

  it("do not last over a gap, nor into another format", () => {
    const late = picture(1000, { discontinuity: true, key: true });
    const other = picture(1001, { format: OTHER_H264, key: true });
    const made = fragmentsOf([picture(0), picture(1), late, other]);
    expect(made.map(readBack)).to.deep.equal([
      [
        [0, 0, 1],
        [1, 1, 1],
      ],
      [[1000, 1000, 1]],
      [[1001, 1001, 1]],
    ]);
    expect(made.map(({ format }) => format)).to.deep.equal([H264, H264, OTHER_H264]);
  });

  it("are shown alone until an instant, and two seconds at most", () => {
    const fragments = new PictureFragments();
    expect(readBack(fragments.still(picture(0), BEGIN + 400))).to.deep.equal([[0, 0, 10]]);
    expect(readBack(fragments.still(picture(0), BEGIN + 9000))).to.deep.equal([[0, 0, 50]]);
  });

  it("are all there, once, whatever their order and distance", () => {
    const steps = fc.array(fc.record({ step: fc.integer({ min: -3, max: 40 }), discontinuity: fc.boolean() }));
    fc.assert(
      fc.property(steps, (all) => {
        let number = 10;
        const samples = all.map(({ step, discontinuity }) => {
          number = Math.max(0, number + step);
          return picture(number, { discontinuity });
        });
        const made = fragmentsOf(samples);
        expect(made.flatMap(readBack).map(([, seen]) => BEGIN + seen * 40)).to.deep.equal(samples.map(({ at }) => at));
        for (const [, , lasts] of made.flatMap(readBack)) expect(lasts).to.be.within(0, 50);
      }),
    );
  });
});
