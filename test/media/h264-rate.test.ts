import { expect } from "chai";
import * as fc from "fast-check";
import { BitReader } from "../../media/bits.ts";
import { h264FrameRate, h264Size } from "../../media/h264-config.ts";
import { h264Rate } from "../../media/h264-rate.ts";
import { H264_SETS, hex, SMALL_SPS } from "./codec-fixture.ts";

const word = (value: number): string => value.toString(2).padStart(32, "0");
const bits = (text: string): BitReader =>
  new BitReader(Buffer.from((text.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, "0"), 2))));
const timing = (unitsInTick: number, scale: number): string => `1${word(unitsInTick)}${word(scale)}`;

describe("the frame rate of H.264", () => {
  it("is what x264 was told", () => {
    expect(h264FrameRate(H264_SETS.sps)).to.equal(5);
    expect(h264FrameRate(SMALL_SPS)).to.equal(25);
    const ntsc = hex("67f4000d919b28283f6022000007d20001d4c01e28532c");
    expect(h264FrameRate(ntsc)).to.be.closeTo(30_000 / 1001, 1e-9);
  });

  const said: readonly (readonly [string, string, number | undefined])[] = [
    ["nothing", "0", undefined],
    ["no timing", "100000", undefined],
    ["timing alone", `10000${timing(1, 50)}`, 25],
    ["a known aspect ratio", `1100000001000${timing(1, 50)}`, 25],
    ["an aspect ratio in numbers", `1111111111${word(0x10001)}000${timing(1, 50)}`, 25],
    ["overscan", `101100${timing(1, 50)}`, 25],
    ["a video format", `1001010100${timing(1, 50)}`, 25],
    ["colors", `10010101${"1".padEnd(25, "0")}0${timing(1, 50)}`, 25],
    ["the place of chroma samples", `100011010${timing(1, 50)}`, 25],
    ["a division by nothing", `10000${timing(0, 50)}`, undefined],
    ["no time at all", `10000${timing(1, 0)}`, undefined],
    ["a thousand frames a second", `10000${timing(1, 2000)}`, undefined],
    ["half of it", `10000${timing(1, 50)}`.slice(0, 40), undefined],
  ];
  for (const [what, text, rate] of said)
    it(`is ${rate ?? "unknown"} where ${what} is said`, () => {
      expect(h264Rate(bits(text))).to.equal(rate);
    });

  it("never stands in the way of the picture's size", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (end) => {
        const sps = Buffer.concat([SMALL_SPS.subarray(0, 8), end]);
        let size: unknown;
        try {
          size = h264Size(sps);
        } catch {
          return;
        }
        expect(size).to.have.keys("width", "height");
        const rate = h264FrameRate(sps);
        expect(rate === undefined || (rate >= 0.1 && rate <= 480)).to.equal(true);
      }),
    );
  });
});
