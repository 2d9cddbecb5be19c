import { expect } from "chai";
import * as fc from "fast-check";
import { Fault } from "../../base/fault.ts";
import { aacConfig, readAacConfig, readAdts } from "../../media/aac.ts";
import { createDepacketizer } from "../../media/depacketizer.ts";
import type { Sample } from "../../media/sample.ts";
import { AT, hex, track, Wire } from "./codec-fixture.ts";

const FMTP = "streamtype=5;mode=AAC-hbr;config=1190;SizeLength=13;IndexLength=3;IndexDeltaLength=3";
const aac = (fmtp = FMTP): Wire =>
  new Wire(createDepacketizer(track("MPEG4-GENERIC", fmtp, { clockRateHz: 48_000, channels: 2 })));
const datas = (samples: readonly Sample[]): readonly string[] => samples.map((one) => one.data.toString("latin1"));

/** AU headers with a size of 13 bits and an index of 3, then the units, or a part of them. */
function packet(sizes: readonly number[], body: string): Buffer {
  const head = Buffer.alloc(2 + sizes.length * 2);
  head.writeUInt16BE(sizes.length * 16);
  for (const [index, size] of sizes.entries()) head.writeUInt16BE(size << 3, 2 + index * 2);
  return Buffer.concat([head, Buffer.from(body, "latin1")]);
}

/** An ADTS frame of AAC-LC, 48 kHz, stereo (ISO/IEC 13818-7 6.2). */
function adts(body: string): Buffer {
  const length = body.length + 7;
  const head = Buffer.of(
    0xff,
    0xf1,
    0x4c,
    0x80 | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  );
  return Buffer.concat([head, Buffer.from(body, "latin1")]);
}

describe("an AudioSpecificConfig", () => {
  const table: readonly (readonly [
    config: string,
    objectType: number,
    rate: number,
    core: number,
    channels: number,
    frame: number,
  ])[] = [
    ["1190", 2, 48_000, 48_000, 2, 1024],
    ["1408", 2, 16_000, 16_000, 1, 1024],
    ["1588", 2, 8000, 8000, 1, 1024],
    ["1194", 2, 48_000, 48_000, 2, 960],
    ["2b11 8800", 5, 48_000, 24_000, 2, 1024],
  ];
  for (const [config, objectType, sampleRateHz, coreRateHz, channels, frameSamples] of table)
    it(`${config} is read`, () =>
      expect(readAacConfig(hex(config))).to.deep.equal({
        objectType,
        sampleRateHz,
        coreRateHz,
        channels,
        frameSamples,
      }));

  it("is written as it is read", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.oneof(fc.constantFrom(48_000, 44_100, 8000, 7350), fc.integer({ min: 1, max: 200_000 })),
        fc.constantFrom(1, 2, 6, 8),
        (objectType, sampleRateHz, channels) => {
          expect(readAacConfig(aacConfig(objectType, sampleRateHz, channels))).to.deep.equal({
            objectType,
            sampleRateHz,
            coreRateHz: sampleRateHz,
            channels,
            frameSamples: 1024,
          });
        },
      ),
    );
    expect(aacConfig(2, 48_000, 2).toString("hex")).to.equal("1190");
  });

  it("that is cut off is a fault", () => {
    expect(() => readAacConfig(hex("11"))).to.throw(Fault);
    expect(() => readAacConfig(hex("16f0"))).to.throw(Fault);
  });
});

describe("a depacketizer for AAC", () => {
  it("takes packets with one unit or several, each at its time", () => {
    const wire = aac();
    const samples = wire.send(1000, [packet([3, 2, 4], "abcdefghi")]);
    expect(datas(samples)).to.deep.equal(["abc", "de", "fghi"]);
    expect(samples.map((one) => one.rtpTime)).to.deep.equal([1000, 2024, 3048]);
    expect(samples.map((one) => Math.round((one.at - AT) * 1000))).to.deep.equal([0, 21_333, 42_667]);
    expect(samples[0]?.format).to.deep.equal({
      codec: "MPEG4-GENERIC",
      sampleRateHz: 48_000,
      channels: 2,
      config: hex("1190"),
    });
    expect(wire.send(4072, [packet([1], "x")])[0]?.format).to.equal(samples[0]?.format);
  });

  it("counts in the track's clock where the core has half of its rate", () => {
    const samples = aac(FMTP.replace("1190", "2b118800")).send(0, [packet([1, 1], "ab")]);
    expect(samples.map((one) => one.rtpTime)).to.deep.equal([0, 2048]);
  });

  it("puts a fragmented unit together, in one group or several", () => {
    const wire = aac();
    expect(datas(wire.send(0, [packet([6], "ab"), packet([6], "cd"), packet([6], "ef")]))).to.deep.equal(["abcdef"]);
    wire.send(1024, [{ payload: packet([4], "ab"), marker: false }]);
    expect(datas(wire.send(1024, [packet([4], "cd")]))).to.deep.equal(["abcd"]);
  });

  it("leaves out a unit of which a fragment is missing", () => {
    const wire = aac();
    wire.send(0, [packet([6], "ab")]);
    wire.sequence = (wire.sequence + 1) & 0xffff;
    expect(wire.send(0, [packet([6], "ef")])).to.deep.equal([]);
    const [next] = wire.send(1024, [packet([2], "ok")]);
    expect(next).to.deep.include({ data: Buffer.from("ok"), discontinuity: true });
  });

  it("knows headers of 16 bits where the description does not tell, or tells other ones", () => {
    for (const fmtp of [
      "config=1190",
      "mode=AAC-hbr;config=1190;SizeLength=13",
      "mode=AAC-hbr;config=1190;sizelength=13;indexlength=0",
      "mode=AAC-hbr;sizelength=x",
    ])
      expect(datas(aac(fmtp).send(0, [packet([3, 2], "abcde")])), fmtp).to.deep.equal(["abc", "de"]);
  });

  it("takes ADTS frames, bare or behind AU headers, and finds the format in them", () => {
    for (const payload of [
      Buffer.concat([adts("abc"), adts("de")]),
      packet([10, 9], Buffer.concat([adts("abc"), adts("de")]).toString("latin1")),
    ]) {
      const samples = aac("mode=AAC-hbr").send(0, [payload]);
      expect(datas(samples)).to.deep.equal(["abc", "de"]);
      expect(samples[0]?.format).to.deep.include({ config: hex("1190"), sampleRateHz: 48_000, channels: 2 });
    }
  });

  it("supposes AAC-LC of the track's rate where nothing is told", () => {
    for (const fmtp of ["", "config=", "config=zz", "config=ffff"])
      expect(aac(fmtp).send(0, [packet([1], "a")])[0]?.format).to.deep.include({ config: hex("1190"), channels: 2 });
  });

  it("reads no ADTS header into other bytes", () => {
    expect(readAdts(adts("abc"))).to.deep.equal({
      objectType: 2,
      sampleRateHz: 48_000,
      channels: 2,
      headerBytes: 7,
      frameBytes: 10,
    });
    for (const bytes of ["", "fff14c80", "ffe14c80000000", "fff1fc80000000", "fff14c80001ffc"])
      expect(readAdts(hex(bytes)), bytes).to.equal(undefined);
  });
});
