import { expect } from "chai";
import * as fc from "fast-check";
import { Fault } from "../../base/fault.ts";
import { BitReader, withoutEmulationPrevention } from "../../media/bits.ts";
import { h264FmtpUnits, h264Track, h264Units, pickH264 } from "../../media/h264.ts";
import { avcConfig, h264Size, readAvcConfig } from "../../media/h264-config.ts";
import { h265FmtpUnits, h265Track, h265Units, pickH265 } from "../../media/h265.ts";
import { h265Size, hevcConfig, readHevcConfig } from "../../media/h265-config.ts";
import { splitStartCodes } from "../../media/nal.ts";
import { H264_CODEC, H265_CODEC } from "../../media/nal-codec.ts";
import { SCAN, scanPayload } from "../../media/payload-scan.ts";
import { aggregated, H264_SETS, H265_SETS, hex, SMALL_SPS, track } from "./codec-fixture.ts";

const base64 = (nal: Buffer): string => nal.toString("base64");
const { sps, pps } = H264_SETS;

interface SpsOptions {
  readonly profile: number;
  readonly chroma: number;
  readonly separate: boolean;
  readonly lists: readonly (readonly number[] | null)[];
  readonly order: number;
  readonly cycle: readonly number[];
  readonly blocks: readonly [number, number];
  readonly frames: boolean;
  readonly crop: readonly [number, number, number, number] | null;
}

const ue = (value: number): string => (value + 1).toString(2).padStart(2 * (value + 1).toString(2).length - 1, "0");
const se = (value: number): string => ue(value > 0 ? 2 * value - 1 : -2 * value);

/** A sequence parameter set field by field as ITU-T H.264 7.3.2.1.1 lists them, and the size that it says. */
function writeSps(o: SpsOptions): { readonly bytes: Buffer; readonly width: number; readonly height: number } {
  const high = o.profile >= 100;
  const chroma = high ? o.chroma : 1;
  let bits = `${o.profile.toString(2).padStart(8, "0")}${"0".repeat(8)}00101000${ue(0)}`;
  if (high) {
    bits += `${ue(chroma) + (chroma === 3 ? Number(o.separate) : "") + ue(2) + ue(0)}0${o.lists.length > 0 ? "1" : "0"}`;
    if (o.lists.length > 0)
      for (let list = 0; list < (chroma === 3 ? 12 : 8); list += 1) {
        const deltas = o.lists[list];
        bits += deltas ? "1" : "0";
        let scale = 8;
        for (const delta of deltas?.slice(0, list < 6 ? 16 : 64) ?? []) {
          bits += se(delta);
          scale = (scale + delta + 256) % 256;
          // From a zero on, the rest is as the value before and not written.
          if (scale === 0) break;
        }
      }
  }
  bits += ue(4) + ue(o.order);
  if (o.order === 0) bits += ue(2);
  if (o.order === 1) bits += `1${se(-3)}${se(7)}${ue(o.cycle.length)}${o.cycle.map(se).join("")}`;
  const [across, down] = o.blocks;
  bits += `${ue(4)}0${ue(across - 1)}${ue(down - 1)}${o.frames ? "1" : "00"}1`;
  bits += o.crop === null ? "0" : `1${o.crop.map(ue).join("")}`;
  bits += "01";
  const plain = Buffer.from(
    bits
      .padEnd(Math.ceil(bits.length / 8) * 8, "0")
      .match(/.{8}/g)
      ?.map((one) => Number.parseInt(one, 2)) ?? [],
  );
  const [left, right, top, bottom] = o.crop ?? [0, 0, 0, 0];
  const [unitX, unitY] = [
    [1, 1],
    [2, 2],
    [2, 1],
    [1, 1],
  ][chroma] ?? [1, 1];
  const fields = o.frames ? 1 : 2;
  return {
    bytes: Buffer.concat([Buffer.of(0x67), withEmulationPrevention(plain)]),
    width: across * 16 - (left + right) * (unitX ?? 1),
    height: down * 16 * fields - (top + bottom) * (unitY ?? 1) * fields,
  };
}

function withEmulationPrevention(bytes: Buffer): Buffer {
  const out: number[] = [];
  for (const byte of bytes) {
    if (byte <= 3 && out.length > 1 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3);
    out.push(byte);
  }
  return Buffer.from(out);
}

/** Either a value or a Fault `invalid`, nothing else. */
function faultOnly(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    expect(error).to.be.instanceOf(Fault).with.property("kind", "invalid");
  }
}

const words = (flags: number): string =>
  Object.entries(SCAN)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name)
    .join(" ");

describe("a bit reader", () => {
  it("reads Exp-Golomb codes", () => {
    // 1 010 011 00100 00101 00110 00111 0001000 (ITU-T H.264 table 9-2), each once unsigned and once signed.
    const bits = hex("a642 98e2 0480".slice(0, 9));
    const reader = new BitReader(bits);
    expect([0, 1, 2, 3, 4, 5, 6].map(() => reader.ue())).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
    const signed = new BitReader(bits);
    expect([0, 1, 2, 3, 4, 5, 6].map(() => signed.se())).to.deep.equal([0, 1, -1, 2, -2, 3, -3]);
  });

  it("refuses to read beyond the end, and codes that never end", () => {
    expect(() => new BitReader(hex("ff")).bits(9)).to.throw(Fault);
    expect(() => new BitReader(Buffer.alloc(20)).ue()).to.throw(Fault, "Exp-Golomb");
  });

  it("takes out what keeps start codes away", () => {
    expect(withoutEmulationPrevention(hex("000003 01 000003 000003 00 03")).toString("hex")).to.equal(
      "0000010000000000 03".replaceAll(" ", ""),
    );
  });
});

describe("a sequence parameter set", () => {
  const h264: readonly (readonly [what: string, sps: string, width: number, height: number])[] = [
    ["cropped to 1080 lines", sps.toString("hex"), 1920, 1080],
    ["of baseline", SMALL_SPS.toString("hex"), 320, 240],
    ["of High 4:2:2, 10 bits, interlaced", "677a0016b6cd940a463c4466022000000300200000030143e28532c0", 642, 362],
  ];
  for (const [what, bytes, width, height] of h264)
    it(`of H.264 ${what} says the size of the picture`, () =>
      expect(h264Size(hex(bytes))).to.deep.equal({ width, height }));

  it("of H.264 says the size whatever comes before it: colors, scaling lists, picture order", () => {
    const anything = fc.record({
      profile: fc.constantFrom(66, 77, 100, 110, 122, 244),
      chroma: fc.integer({ min: 0, max: 3 }),
      separate: fc.boolean(),
      lists: fc.array(fc.option(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 64, maxLength: 64 }))),
      order: fc.integer({ min: 0, max: 2 }),
      cycle: fc.array(fc.integer({ min: -300, max: 300 }), { maxLength: 5 }),
      blocks: fc.tuple(fc.integer({ min: 2, max: 500 }), fc.integer({ min: 2, max: 500 })),
      frames: fc.boolean(),
      crop: fc.option(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3))),
    });
    fc.assert(
      fc.property(anything, (o) => {
        const { bytes, width, height } = writeSps(o);
        expect(h264Size(bytes)).to.deep.equal({ width, height });
      }),
    );
  });

  it("of H.265 says the size of the picture", () => {
    expect(h265Size(H265_SETS.sps)).to.deep.equal({ width: 1920, height: 1080 });
  });

  it("that is cut off or garbage is a fault and nothing else", () => {
    for (let length = 0; length < 9; length += 1) {
      expect(() => h264Size(sps.subarray(0, length)), `H.264, ${length}`).to.throw(Fault);
      expect(() => h265Size(H265_SETS.sps.subarray(0, length)), `H.265, ${length}`).to.throw(Fault);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        faultOnly(() => h264Size(Buffer.from(bytes)));
        faultOnly(() => h265Size(Buffer.from(bytes)));
        faultOnly(() => readAvcConfig(Buffer.from(bytes)));
        faultOnly(() => readHevcConfig(Buffer.from(bytes)));
      }),
    );
  });
});

describe("a decoder configuration", () => {
  const more = hex("6859ce0fc8");

  it("of H.264 holds the parameter sets, and says profile and level", () => {
    const config = avcConfig({ sps, pps, morePps: [more] });
    expect(config.subarray(0, 6).toString("hex")).to.equal("0142c028ffe1");
    expect(readAvcConfig(config)).to.deep.equal({ sps, pps, morePps: [more] });
    expect(readAvcConfig(avcConfig({ sps, pps }))).to.deep.equal({ sps, pps });
  });

  it("of H.264 High profiles ends with how colors are coded", () => {
    const high = hex("677a0016b6cd940a463c4466022000000300200000030143e28532c0");
    expect(avcConfig({ sps: high, pps }).subarray(-4).toString("hex")).to.equal("fefafa00");
    expect(readAvcConfig(avcConfig({ sps: high, pps }))).to.deep.equal({ sps: high, pps });
  });

  it("of H.265 holds the parameter sets, profile and level without emulation prevention, and layers", () => {
    const config = hevcConfig({ ...H265_SETS, morePps: [hex("44016059")] });
    expect(config.subarray(0, 23).toString("hex")).to.equal(
      "01 016000000090000000000078 f000fcfdf8f8 0000 0f 03".replaceAll(" ", ""),
    );
    expect(readHevcConfig(config)).to.deep.equal({ ...H265_SETS, morePps: [hex("44016059")] });
  });

  it("without parameter sets is refused", () => {
    expect(() => readAvcConfig(hex("0142c028ffe0"))).to.throw(Fault);
    expect(() => readHevcConfig(Buffer.alloc(23))).to.throw(Fault);
  });
});

describe("parameter sets in a description", () => {
  const both = `${base64(sps)},${base64(pps)}`;
  const prefixed = (nal: Buffer): string => base64(Buffer.concat([hex("00000001"), nal]));
  const table: readonly (readonly [what: string, fmtp: string, found: Partial<typeof H264_SETS>])[] = [
    ["as the RFC says", `packetization-mode=1; sprop-parameter-sets=${both}`, { sps, pps }],
    ["with another case", `Sprop-Parameter-Sets=${both}`, { sps, pps }],
    ["with spaces and an empty entry", `sprop-parameter-sets= ${base64(sps)} ,, ${base64(pps)} `, { sps, pps }],
    ["with start codes", `sprop-parameter-sets=${prefixed(sps)},${prefixed(pps)}`, { sps, pps }],
    [
      "as one byte stream",
      `sprop-parameter-sets=${base64(Buffer.concat([hex("000001"), sps, hex("000001"), pps]))}`,
      { sps, pps },
    ],
    ["in the wrong order", `sprop-parameter-sets=${base64(pps)},${base64(sps)}`, { sps, pps }],
    ["missing", "packetization-mode=1", {}],
    ["empty", "sprop-parameter-sets=", {}],
    ["only an SPS", `sprop-parameter-sets=${base64(sps)}`, { sps }],
    ["garbage", "sprop-parameter-sets=%%%,!", {}],
    [
      "far too long",
      `sprop-parameter-sets=${base64(Buffer.concat([sps, Buffer.alloc(9000, 1)]))},${base64(pps)}`,
      { pps },
    ],
  ];
  for (const [what, fmtp, found] of table)
    it(`gives ${Object.keys(found).join(" and ") || "nothing"}: ${what}`, () =>
      expect(pickH264(h264FmtpUnits(fmtp))).to.deep.equal(found));

  it("of H.265 stand each in a parameter of its own", () => {
    const { vps, sps, pps } = H265_SETS;
    const all = `sprop-vps=${base64(vps)};sprop-sps=${base64(sps)};sprop-pps=${base64(pps)}`;
    expect(pickH265(h265FmtpUnits(all))).to.deep.equal(H265_SETS);
    expect(pickH265(h265FmtpUnits(all.replace("sprop-sps", "sprop-xxx")))).to.deep.equal({ vps, pps });
    expect(pickH265(h265FmtpUnits(""))).to.deep.equal({});
  });

  it("replace what the camera claimed, profile too, and leave the rest", () => {
    const claimed = track("H264", "profile-level-id=276400;packetization-mode=0;x=1;sprop-parameter-sets=AAAA");
    const told = h264Track(claimed, H264_SETS);
    expect(told.fmtp).to.equal(`x=1;packetization-mode=0;profile-level-id=42C028;sprop-parameter-sets=${both}`);
    expect(pickH264(h264FmtpUnits(told.fmtp))).to.deep.equal(H264_SETS);
    expect(pickH265(h265FmtpUnits(h265Track(track("H265", "sprop-pps=;tier-flag=0"), H265_SETS).fmtp))).to.deep.equal(
      H265_SETS,
    );
  });
});

describe("an RTP payload", () => {
  const slice = hex("419a00");
  const idr = hex("658880");
  const stream = Buffer.concat([sps, hex("00000001"), pps, hex("000001"), idr]);
  const h264: readonly (readonly [what: string, payload: Buffer, kinds: string])[] = [
    ["a slice", slice, "content first"],
    ["an IDR slice", idr, "content random first"],
    ["an SPS", sps, "parameterSets"],
    ["a SEI", hex("0605ff"), ""],
    ["a STAP-A with parameter sets", aggregated(hex("78"), sps, pps), "parameterSets"],
    ["a STAP-A with a whole key frame", aggregated(hex("78"), sps, pps, idr), "content random parameterSets first"],
    ["the start of a fragmented IDR slice", hex("7c8588"), "content random first"],
    ["the middle of a fragmented IDR slice", hex("7c0588"), "content random continues"],
    ["the start of a fragmented slice", hex("5c8188"), "content first"],
    ["a key frame as a byte stream", Buffer.concat([hex("00000001"), stream]), "content random parameterSets first"],
    ["a key frame that says it is an SPS", stream, "content random parameterSets first"],
    [
      "the fragment of a key frame that says it is an SPS",
      Buffer.concat([hex("7c87"), stream.subarray(1)]),
      "content random parameterSets first",
    ],
    ["of a type that RTP does not know", hex("7f00"), "content"],
    ["empty", Buffer.alloc(0), ""],
  ];
  const h265: typeof h264 = [
    ["a slice", hex("020180"), "content first"],
    ["an IDR slice", hex("260180"), "content random first"],
    ["a CRA slice", hex("2a0180"), "content random first"],
    ["a VPS", H265_SETS.vps, "parameterSets"],
    ["a SEI", hex("4e0105"), ""],
    [
      "an aggregation of a key frame",
      aggregated(hex("6001"), H265_SETS.sps, H265_SETS.pps, hex("260180")),
      "content random parameterSets first",
    ],
    ["the start of a fragmented IDR slice", hex("62019380"), "content random first"],
    ["the middle of a fragmented slice", hex("62010180"), "content continues"],
  ];
  for (const [what, payload, kinds] of h264)
    it(`of H.264, ${what}: ${kinds || "nothing of the kind"}`, () =>
      expect(words(scanPayload(H264_CODEC, payload, 0, payload.length))).to.equal(kinds));
  for (const [what, payload, kinds] of h265)
    it(`of H.265, ${what}: ${kinds || "nothing of the kind"}`, () =>
      expect(words(scanPayload(H265_CODEC, payload, 0, payload.length))).to.equal(kinds));

  it("gives its parameter sets away", () => {
    expect(pickH264(h264Units(aggregated(hex("78"), sps, pps, idr)))).to.deep.equal({ sps, pps });
    expect(pickH264(h264Units(pps))).to.deep.equal({ pps });
    expect(pickH264(h264Units(stream))).to.deep.equal({ sps, pps });
    expect(pickH265(h265Units(aggregated(hex("6001"), H265_SETS.vps, H265_SETS.sps, H265_SETS.pps)))).to.deep.equal(
      H265_SETS,
    );
    expect(pickH265(h265Units(hex("020180")))).to.deep.equal({});
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const payload = Buffer.from(bytes);
        for (const look of [h264Units, h265Units, splitStartCodes]) look(payload);
        for (const codec of [H264_CODEC, H265_CODEC]) scanPayload(codec, payload, 0, payload.length);
      }),
    );
  });
});
