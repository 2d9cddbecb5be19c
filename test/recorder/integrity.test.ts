import { expect } from "chai";
import * as fc from "fast-check";
import { Fault } from "../../base/fault.ts";
import { boxesIn } from "../../recorder/box.ts";
import {
  assertSafeId,
  FRAGMENT_BOX_BYTES,
  fragmentBox,
  PRFT_BYTES,
  prft,
  readFragmentBox,
  readPrft,
  readSegmentBox,
  segmentBox,
} from "../../recorder/integrity.ts";
import { segmentPath } from "../../recorder/naming.ts";

const us = fc.integer({ min: 0, max: Date.UTC(2036, 0, 1) * 1000 });
const link = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

describe("the recorder's own boxes", () => {
  it("keep what a segment says of itself", () => {
    const header = fc.record({ camera: id, stream: id, zeroUs: us, arrivalTime: fc.boolean(), previous: link });
    fc.assert(
      fc.property(header, (one) => {
        expect(readSegmentBox(boxesIn(segmentBox(one))[0]?.body ?? Buffer.alloc(0))).to.deep.equal(one);
      }),
    );
  });

  it("keep what a fragment says of itself, in a fixed number of bytes", () => {
    const header = fc.record({
      sequence: fc.integer({ min: 1, max: 0xffffffff }),
      key: fc.boolean(),
      arrivalTime: fc.boolean(),
      startUs: us,
      endUs: us,
      length: fc.integer({ min: 0, max: 0xffffffff }),
      hash: link,
      previous: link,
    });
    fc.assert(
      fc.property(header, (one) => {
        const bytes = fragmentBox(one);
        expect(bytes.length).to.equal(FRAGMENT_BOX_BYTES);
        expect(readFragmentBox(bytes)).to.deep.equal(one);
      }),
    );
  });

  it("keep an instant to the microsecond in NTP form", () => {
    const reference = fc.record({
      trackId: fc.integer({ min: 1, max: 16 }),
      mediaTicks: fc.nat(),
      us: fc.integer({ min: 0, max: Date.UTC(2036, 0, 1) * 1000 }),
    });
    fc.assert(
      fc.property(reference, (one) => {
        const bytes = prft(one);
        expect(bytes.length).to.equal(PRFT_BYTES);
        expect(readPrft(boxesIn(bytes)[0]?.body ?? Buffer.alloc(0))).to.deep.equal(one);
      }),
      { numRuns: 500 },
    );
  });

  it("are refused when they are of a newer version, another type, or cut", () => {
    const fields = { sequence: 1, key: true, arrivalTime: false, startUs: 0, endUs: 0, length: 0 };
    const good = fragmentBox({ ...fields, hash: Buffer.alloc(32), previous: Buffer.alloc(32) });
    for (const [at, value] of [
      [24, 2],
      [9, 0],
      [4, 0],
      [3, 0],
    ] as const) {
      const bad = Buffer.from(good);
      bad[at] = value;
      expect(() => readFragmentBox(bad), `byte ${at}`).to.throw(Fault);
    }
    for (let length = 0; length < good.length; length += 1)
      expect(() => readFragmentBox(good.subarray(0, length))).to.throw(Fault);
  });
});

describe("names in the archive", () => {
  it("are made of the UTC of the beginning", () => {
    const start = Date.UTC(2026, 10, 24, 13, 5, 9, 120) * 1000 + 999;
    expect(segmentPath("front-door", start, 3)).to.equal("front-door/2026-11-24/13/05-09.120Z-3.mp4");
  });

  for (const bad of ["", "..", "a/b", "a b", "a\0", "ä", "x".repeat(65)])
    it(`are not made of ${JSON.stringify(bad)}`, () => {
      expect(() => assertSafeId(bad)).to.throw(Fault);
    });
});
