import { expect } from "chai";
import * as fc from "fast-check";
import { PreRoll } from "../../bridge/camera-side/pre-roll.ts";
import { startsAt } from "../../media/start.ts";
import { MemoryBudget } from "../../recorder/memory-budget.ts";
import { GroupCamera, indexInGroup } from "../support/group-camera.ts";
import { VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";

const BUDGET = 64 * 1024 * 1024;

/** Pushes pictures, 25 a second with a key frame every second. */
function filled(lengthMs: number, count: number, o: { readonly budget?: MemoryBudget; readonly bytes?: number } = {}) {
  const preRoll = new PreRoll(o.budget ?? new MemoryBudget(BUDGET));
  preRoll.lengthMs = lengthMs;
  const camera = new GroupCamera();
  for (let index = 0; index < count; index += 1) {
    const group = camera.group(0, videoSample(index, { bytes: o.bytes ?? 400 }));
    preRoll.push(group, startsAt(group, [VIDEO_TRACK]));
  }
  return preRoll;
}

const indices = (preRoll: PreRoll): readonly number[] => preRoll.take().map(indexInGroup);

describe("a pre-roll", () => {
  it("goes back as far as was asked for, from a key frame on, whatever came", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 600 }), (lengthMs, count) => {
        const kept = indices(filled(lengthMs, count));
        const [first = 0] = kept;
        expect(first % 25).to.equal(0);
        expect(kept).to.deep.equal(Array.from({ length: count - first }, (_, index) => first + index));
        // What lasts to the newest key frame is enough; one stretch more would be too much.
        const newestKey = Math.floor((count - 1) / 25) * 25;
        expect((newestKey - first) * 40 >= lengthMs || first === 0).to.equal(true);
        if (first + 25 <= newestKey) expect((newestKey - first - 25) * 40).to.be.lessThan(lengthMs);
      }),
      { numRuns: 50 },
    ));

  it("is empty where none is wanted, and before the first key frame", () => {
    expect(indices(filled(0, 100))).to.deep.equal([]);
    const preRoll = new PreRoll(new MemoryBudget(BUDGET));
    preRoll.lengthMs = 5000;
    preRoll.push(new GroupCamera().group(0, videoSample(1)), false);
    expect(preRoll.bytes).to.equal(0);
  });

  it("keeps of what comes what it takes alone: the memory of everything else is used again", () => {
    for (const [lengthMs, from, expected] of [
      [0, 0, 0],
      [5000, 0, 40],
      // The key frame is missing.
      [5000, 1, 15],
    ] as const) {
      const preRoll = new PreRoll(new MemoryBudget(BUDGET));
      preRoll.lengthMs = lengthMs;
      const camera = new GroupCamera();
      let kept = 0;
      for (let index = from; index < 40; index += 1) {
        const group = camera.group(0, videoSample(index));
        group.keep = () => {
          kept += 1;
        };
        preRoll.push(group, startsAt(group, [VIDEO_TRACK]));
      }
      expect(kept).to.equal(expected);
    }
  });

  it("holds 16 MiB at most, the newest, from a key frame on", () => {
    const preRoll = filled(60_000, 400, { bytes: 100_000 });
    expect(preRoll.bytes).to.be.within(12 * 1024 * 1024, 16 * 1024 * 1024);
    const kept = indices(preRoll);
    expect((kept[0] ?? 1) % 25).to.equal(0);
    expect(kept.at(-1)).to.equal(399);
  });

  it("drops a stretch that is too large by itself, and begins with the next key frame", () => {
    const preRoll = filled(60_000, 26, { bytes: 1_000_000 });
    expect(indices(preRoll)).to.deep.equal([25]);
  });

  it("takes from what all have together, and gives it back", () => {
    const budget = new MemoryBudget(3_000_000);
    const first = filled(60_000, 100, { budget, bytes: 20_000 });
    const second = filled(60_000, 100, { budget, bytes: 20_000 });
    expect(first.bytes + second.bytes).to.be.at.most(3_000_000);
    expect(budget.take(3_000_000)).to.equal(false);
    first.clear();
    second.take();
    expect([first.bytes, second.bytes]).to.deep.equal([0, 0]);
    expect(budget.take(3_000_000)).to.equal(true);
  });
});
