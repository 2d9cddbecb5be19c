import { expect } from "chai";
import * as fc from "fast-check";
import { Fault } from "../../base/fault.ts";
import { TIME_QUALITIES } from "../../media/group.ts";
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
const time = fc.constantFrom(...TIME_QUALITIES);
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

describe("the recorder's own boxes", () => {
  it("keep what a segment says of itself", () => {
    const header = fc.record({
      camera: id,
      stream: id,
      zeroUs: us,
      time,
      cameraAheadMs: fc.option(fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }), { nil: undefined }),
      fetchedUs: fc.option(us, { nil: undefined }),
      previous: link,
    });
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
      time,
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

  it("say to a reader that knows the first flag alone whether the time is the camera's own", () => {
    const flags = TIME_QUALITIES.map((one) => {
      const fields = { sequence: 1, key: false, time: one, startUs: 0, endUs: 0, length: 0 } as const;
      return fragmentBox({ ...fields, hash: Buffer.alloc(32), previous: Buffer.alloc(32) }).readUIntBE(25, 3);
    });
    expect(TIME_QUALITIES).to.deep.equal(["camera", "corrected", "arrival", "jumped"]);
    expect(flags).to.deep.equal([0, 5, 1, 9]);
  });

  it("are read where an older version wrote them: no finer flags, and nothing behind the names", () => {
    // Flags 1: times by arrival. Camera "gate", stream "main", zero at 1 s.
    const body = `a5be6ecf20a64b1e9f3e0c8d1d6a7e510100000100000000000f4240${"00".repeat(32)}0467617465046d61696e`;
    expect(readSegmentBox(Buffer.from(body, "hex"))).to.deep.equal({
      camera: "gate",
      stream: "main",
      zeroUs: 1_000_000,
      time: "arrival",
      cameraAheadMs: undefined,
      fetchedUs: undefined,
      previous: Buffer.alloc(32),
    });
  });

  it("keep an offset of a camera's clock within 31 bits", () => {
    const names = { camera: "gate", stream: "main" } as const;
    const header = { ...names, zeroUs: 0, time: "arrival", fetchedUs: undefined, previous: Buffer.alloc(32) } as const;
    for (const [told, kept] of [
      [-1234.6, -1235],
      [-3e12, -(2 ** 31) + 1],
      [3e12, 2 ** 31 - 1],
    ] as const) {
      const bytes = segmentBox({ ...header, cameraAheadMs: told });
      expect(readSegmentBox(boxesIn(bytes)[0]?.body ?? Buffer.alloc(0)).cameraAheadMs).to.equal(kept);
    }
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
    const fields = { sequence: 1, key: true, time: "camera", startUs: 0, endUs: 0, length: 0 } as const;
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
