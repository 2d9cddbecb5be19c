import { expect } from "chai";
import * as fc from "fast-check";
import { BPictures } from "../../media/b-pictures.ts";
import type { Track } from "../../media/track.ts";
import { group, H265_SETS, hex, track } from "./codec-fixture.ts";

const base64 = (...sets: readonly Buffer[]): string => sets.map((set) => set.toString("base64")).join(",");
const { vps, sps, pps } = H265_SETS;
const H264 = track("H264");
const H265 = track("H265", `sprop-vps=${base64(vps)};sprop-sps=${base64(sps)};sprop-pps=${base64(pps)}`);
const MPEG4 = track("MP4V-ES");

/** One packet. */
function packet(payload: Buffer): Buffer {
  return Buffer.concat([hex("80e0 0001 00000000 00000001"), payload]);
}

const has = (of: Track, ...payloads: readonly Buffer[]): boolean =>
  new BPictures(of).has(group(0, payloads.map(packet)));

/** Slices of H.264: header, then first_mb_in_slice 0 (bit 1) and slice_type (ue). Of H.265: header, first slice (1), parameter set 0 (1), slice_type. */
const ROWS: readonly (readonly [what: string, of: Track, payloads: readonly string[], is: boolean])[] = [
  ["H.264, B (type 1)", H264, ["01 a0"], true],
  ["H.264, B throughout (type 6)", H264, ["01 9c"], true],
  ["H.264, P", H264, ["01 c0"], false],
  ["H.264, I", H264, ["01 b0"], false],
  ["H.264, B that others refer to", H264, ["21 a0"], false],
  ["H.264, B behind its delimiter", H264, ["09 50", "01 a0"], true],
  ["H.264, B behind its delimiter, in one packet", H264, ["18 0002 0950 0002 01a0"], true],
  ["H.264, B in fragments", H264, ["1c 81 a0", "1c 01 c0"], true],
  ["H.264, P in fragments, the first of them lost", H264, ["1c 01 a0"], false],
  ["H.264, cut off", H264, ["01"], false],
  ["H.265, B (TRAIL_N)", H265, ["0001 e0"], true],
  ["H.265, B that others refer to (TRAIL_R)", H265, ["0201 e0"], false],
  ["H.265, P (TRAIL_N)", H265, ["0001 d0"], false],
  ["H.265, B (RASL_N)", H265, ["1001 e0"], true],
  ["H.265, B in fragments", H265, ["6201 80 e0"], true],
  ["H.265, B of a higher layer than there is", H265, ["0002 e0"], false],
  ["H.265, B by a parameter set that is not described", H265, ["0001 a0"], false],
  ["H.265, B, described without parameter sets", track("H265"), ["0001 e0"], false],
  ["H.265, not the first slice of its picture", H265, ["0001 70"], false],
  ["MPEG-4, B", MPEG4, ["000001b6 80"], true],
  ["MPEG-4, P", MPEG4, ["000001b6 40"], false],
  ["MPEG-4, the rest of a picture", MPEG4, ["ffff", "000001b6 80"], true],
  ["JPEG", track("JPEG"), ["01 a0"], false],
  ["nothing", H264, [], false],
];

describe("a B picture that no other picture needs", () => {
  for (const [what, of, payloads, is] of ROWS)
    it(`is ${is ? "found" : "not seen"} in ${what}`, () => {
      expect(has(of, ...payloads.map(hex))).to.equal(is);
    });

  it("is looked for in whatever comes, and nothing is thrown", () => {
    const payload = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(H264, H265, MPEG4), fc.array(payload, { maxLength: 4 }), (of, payloads) => {
        expect(has(of, ...payloads.map((one) => Buffer.from(one)))).to.be.a("boolean");
      }),
    );
  });

  it("is looked for by whatever a description has for parameter sets", () => {
    const bytes = fc.uint8Array({ maxLength: 12 }).map((one) => Buffer.from(one));
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        const sets = [Buffer.concat([hex("4401"), one]), Buffer.concat([hex("4201"), other])];
        const of = track("H265", `sprop-pps=${base64(...sets.slice(0, 1))};sprop-sps=${base64(...sets.slice(1))}`);
        expect(has(of, hex("0001 e0"))).to.be.a("boolean");
      }),
    );
  });
});
