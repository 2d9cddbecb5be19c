import { expect } from "chai";
import * as fc from "fast-check";
import { Fault } from "../../base/fault.ts";
import { createDepacketizer } from "../../media/depacketizer.ts";
import { frameOf, jpegFile, MARKER, segmentsOf } from "../../media/jpeg-file.ts";
import { STANDARD_HUFFMAN, tablesOfQuality } from "../../media/jpeg-tables.ts";
import { createPacketizer, type Packetizer } from "../../media/packetizer.ts";
import { readRtp } from "../../media/rtp.ts";
import type { Sample, SampleFormat } from "../../media/sample.ts";
import { group, hex, sampleOf, track, Wire } from "./codec-fixture.ts";

const FORMAT: SampleFormat = { codec: "JPEG", width: 640, height: 480 };
const wire = (): Wire => new Wire(createDepacketizer(track("JPEG")));
const packetizer = (): Packetizer =>
  createPacketizer(FORMAT, { payloadType: 26, ssrc: 1, sequence: 0, clockRateHz: 90_000 });

interface Fields {
  readonly offset?: number;
  readonly type?: number;
  readonly q?: number;
  readonly width?: number;
  readonly height?: number;
}

/** A payload behind the main header (RFC 2435 3.1). */
function payload(fields: Fields, ...parts: readonly Buffer[]): Buffer {
  const { offset = 0, type = 1, q = 50, width = 80, height = 60 } = fields;
  return Buffer.concat([
    Buffer.of(0, offset >> 16, (offset >> 8) & 0xff, offset & 0xff, type, q, width, height),
    ...parts,
  ]);
}

const SCAN = Buffer.from("the scan of a picture");
const plain = { width: 640, height: 480, sampling: 0x22, tables: tablesOfQuality(50), restartInterval: 0 };
const tables = [Buffer.alloc(64, 7), Buffer.alloc(64, 9)] as const;
const inBand = (...all: readonly Buffer[]): Buffer => {
  const precision = all.reduce((bits, table, index) => bits | (table.length > 64 ? 1 << index : 0), 0);
  const bytes = Buffer.concat(all);
  return Buffer.concat([Buffer.of(0, precision, bytes.length >> 8, bytes.length & 0xff), bytes]);
};
const only = (samples: readonly Sample[]): Buffer | undefined => (samples.length === 1 ? samples[0]?.data : undefined);

describe("a JPEG file", () => {
  it("is made of its parts, and found again in them", () => {
    const file = jpegFile({ ...plain, restartInterval: 40 }, [SCAN]);
    const { segments, end } = segmentsOf(file);
    const { app0, dqt, sof0, dht, dri, sos } = MARKER;
    expect(segments.map((one) => one.marker)).to.deep.equal([app0, dqt, dqt, sof0, dht, dht, dht, dht, dri, sos]);
    expect(frameOf(segments)).to.deep.include({ width: 640, height: 480, depth: 8 });
    expect(file.subarray(end)).to.deep.equal(Buffer.concat([SCAN, hex("ffd9")]));
    expect(jpegFile(plain, [SCAN, hex("ffd9")]).subarray(-3)).to.deep.equal(hex("65ffd9"));
  });

  it("has Huffman tables with as many values as codes", () => {
    for (const table of STANDARD_HUFFMAN)
      expect(table.length - 17).to.equal(table.subarray(1, 17).reduce((sum, count) => sum + count, 0));
  });

  it("has quantization tables by quality", () => {
    expect(tablesOfQuality(50)[0].subarray(0, 4)).to.deep.equal(Buffer.of(16, 11, 12, 14));
    expect(tablesOfQuality(99)[1].subarray(0, 4)).to.deep.equal(Buffer.of(1, 1, 1, 1));
    expect(tablesOfQuality(25)[0].subarray(0, 4)).to.deep.equal(Buffer.of(32, 22, 24, 28));
    expect(tablesOfQuality(1)[0][63]).to.equal(255);
  });

  it("that is garbage is a fault and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, prefixed) => {
        try {
          frameOf(segmentsOf(Buffer.concat([hex(prefixed ? "ffd8ffc0" : ""), bytes])).segments);
        } catch (error) {
          expect(error).to.be.instanceOf(Fault);
        }
      }),
    );
  });
});

describe("a depacketizer for JPEG", () => {
  it("makes a file of fragments, with tables by quality", () => {
    const [sample] = wire().send(5, [payload({}, SCAN.subarray(0, 5)), payload({ offset: 5 }, SCAN.subarray(5))]);
    expect(sample).to.deep.include({ key: true, data: jpegFile(plain, [SCAN]), format: FORMAT });
  });

  const files: readonly (readonly [what: string, first: Buffer, picture: Parameters<typeof jpegFile>[0]])[] = [
    ["4:2:2", payload({ type: 0 }, SCAN), { ...plain, sampling: 0x21 }],
    ["tables in the packet", payload({ q: 255 }, inBand(...tables), SCAN), { ...plain, tables }],
    [
      "tables of 16 bits",
      payload({ q: 200 }, inBand(Buffer.alloc(128, 1), tables[1]), SCAN),
      { ...plain, tables: [Buffer.alloc(128, 1), tables[1]] },
    ],
    ["one table for all", payload({ q: 255 }, inBand(tables[0]), SCAN), { ...plain, tables: [tables[0]] }],
    ["restart markers", payload({ type: 65 }, hex("0028ffff"), SCAN), { ...plain, restartInterval: 40 }],
    [
      "restart markers and tables",
      payload({ type: 64, q: 255 }, hex("0028ffff"), inBand(...tables), SCAN),
      { ...plain, sampling: 0x21, restartInterval: 40, tables },
    ],
    ["a quality out of range", payload({ q: 120 }, SCAN), { ...plain, tables: tablesOfQuality(99) }],
  ];
  for (const [what, first, picture] of files)
    it(`understands ${what}`, () => expect(only(wire().send(0, [first]))).to.deep.equal(jpegFile(picture, [SCAN])));

  it("remembers the tables of a quality from 128 to 254, and those alone", () => {
    const camera = wire();
    camera.send(0, [payload({ q: 128 }, inBand(...tables), SCAN)]);
    expect(only(camera.send(1, [payload({ q: 128 }, inBand(), SCAN)]))).to.deep.equal(
      jpegFile({ ...plain, tables }, [SCAN]),
    );
    camera.send(2, [payload({ q: 255 }, inBand(...tables), SCAN)]);
    expect(camera.send(3, [payload({ q: 255 }, inBand(), SCAN)])).to.deep.equal([]);
    expect(camera.send(4, [payload({ q: 128 }, inBand(), SCAN)])[0]).to.deep.include({ discontinuity: true });
  });

  it("takes size and tables of larger pictures out of ONVIF's header extension, also behind the replay extension", () => {
    const sof = "ffc0 0011 08 0870 0f00 03 012200 021101 031101";
    const dqt = `ffdb 0043 00 ${"05".repeat(64)} ffdb 0043 01 ${"06".repeat(64)}`;
    const words = hex(`${dqt}${sof}ffff`);
    const padded = Buffer.concat([words, Buffer.alloc((4 - (words.length % 4)) % 4, 0xff)]);
    const count = (extra: number): Buffer => Buffer.of(0, padded.length / 4 + extra);
    for (const extension of [
      Buffer.concat([hex("ffd8"), count(0), padded]),
      Buffer.concat([hex("abac"), count(4), Buffer.alloc(12), hex("ffd8ffff"), padded]),
    ]) {
      const packet = Buffer.concat([
        hex("909a0001 00000007 00000001"),
        extension,
        payload({ width: 0, height: 0 }, SCAN),
      ]);
      const [sample] = createDepacketizer(track("JPEG"))?.push(group(7, [packet])) ?? [];
      expect(sample?.format).to.deep.equal({ codec: "JPEG", width: 3840, height: 2160 });
      const { segments } = segmentsOf(sample?.data ?? Buffer.alloc(0));
      expect(segments.filter((one) => one.marker === MARKER.dqt).map((one) => one.body[1])).to.deep.equal([5, 6]);
      expect(segments.filter((one) => one.marker === MARKER.dht)).to.have.length(4);
    }
  });

  it("takes a whole file where the scan belongs as it is", () => {
    const file = jpegFile({ ...plain, width: 320, height: 240 }, [SCAN]);
    const [sample] = wire().send(0, [payload({ width: 0, height: 0 }, file)]);
    expect(sample).to.deep.include({ data: file, format: { codec: "JPEG", width: 320, height: 240 } });
  });

  it("leaves out what is not whole or makes no sense, and says so with the next picture", () => {
    const table: readonly (readonly Buffer[])[] = [
      [payload({ offset: 5 }, SCAN)],
      [payload({}, SCAN), payload({ offset: 4 }, SCAN)],
      [payload({ q: 0 }, SCAN)],
      [payload({ type: 5 }, SCAN)],
      [payload({ type: 200 }, SCAN)],
      [payload({ width: 0 }, SCAN)],
      [payload({ q: 255 }, hex("0000ffff"), SCAN)],
      [payload({ type: 64 })],
      [hex("00")],
    ];
    for (const [index, pieces] of table.entries()) {
      const camera = wire();
      camera.send(0, [payload({}, SCAN)]);
      expect(camera.send(1, pieces), `case ${index}`).to.deep.equal([]);
      expect(camera.send(2, [payload({}, SCAN)])[0], `case ${index}`).to.deep.include({ discontinuity: true });
    }
  });

  it("makes another format where the size changes, and no other", () => {
    const camera = wire();
    const formats = [80, 80, 40].map((width, index) => camera.send(index, [payload({ width }, SCAN)])[0]?.format);
    expect(formats[1]).to.equal(formats[0]);
    expect(formats[2]).to.deep.equal({ codec: "JPEG", width: 320, height: 480 });
  });
});

describe("a packetizer for JPEG", () => {
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 255 }).map((side) => side * 8),
    fc.integer({ min: 1, max: 9000 }),
  );

  it("makes packets that come back as the same picture, of any size", () => {
    const scan = fc
      .uint8Array({ minLength: 1, maxLength: 6000 })
      .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 255 ? 254 : byte))));
    const picture = fc.record({
      width: sizes,
      height: sizes,
      sampling: fc.constantFrom(0x21, 0x22),
      tables: fc.constantFrom(tables, tablesOfQuality(80), [Buffer.alloc(128, 3), tables[1]]),
      restartInterval: fc.constantFrom(0, 0, 12),
    });
    fc.assert(
      fc.property(picture, scan, (o, bytes) => {
        const file = jpegFile(o, [bytes]);
        const made = packetizer();
        const packets = made.packets(sampleOf(file, FORMAT), 9).list;
        for (const [index, packet] of packets.entries()) {
          expect(packet.length).to.be.at.most(1400);
          expect(readRtp(packet)).to.deep.include({
            marker: index === packets.length - 1,
            sequence: index,
            timestamp: 9,
          });
        }
        const [sample] = createDepacketizer(made.track)?.push(group(9, packets)) ?? [];
        const { segments, end } = segmentsOf(sample?.data ?? Buffer.alloc(0));
        expect(frameOf(segments)).to.deep.equal(frameOf(segmentsOf(file).segments));
        expect(sample?.data.subarray(end)).to.deep.equal(Buffer.concat([bytes, hex("ffd9")]));
        const bodies = (all: typeof segments): readonly Buffer[] =>
          all.filter((one) => one.marker === MARKER.dqt || one.marker === MARKER.dri).map((one) => one.body);
        expect(bodies(segments)).to.deep.equal(bodies(segmentsOf(file).segments));
      }),
      { numRuns: 100 },
    );
  });

  it("leaves out what stands behind the end of the image", () => {
    const file = Buffer.concat([jpegFile(plain, [SCAN]), Buffer.from("junk")]);
    const [packet = Buffer.alloc(0), ...others] = packetizer().packets(sampleOf(file, FORMAT), 0).list;
    expect(others).to.deep.equal([]);
    expect(readRtp(packet).payload.subarray(-SCAN.length)).to.deep.equal(SCAN);
  });

  const refused: readonly (readonly [what: string, file: Buffer, words: string])[] = [
    ["progressive ones", change(jpegFile(plain, [SCAN]), "ffc00011", "ffc20011"), "baseline"],
    ["4:4:4", change(jpegFile(plain, [SCAN]), "01220002", "01110002"), "sampled"],
    [
      "gray ones",
      jpegFile({ ...plain, given: [{ marker: MARKER.sof0, body: hex("08 01e0 0280 01 011100") }] }, [SCAN]),
      "sampled",
    ],
    ["those with three tables", change(jpegFile(plain, [SCAN]), "031101", "031100"), "two quantization tables"],
    [
      "those with Huffman tables of their own",
      change(jpegFile(plain, [SCAN]), "ffc4001f000001", "ffc4001f000002"),
      "Huffman",
    ],
    ["those without tables", change(jpegFile(plain, [SCAN]), "ffdb", "ffee"), "quantization"],
    ["those that are cut off", jpegFile(plain, [SCAN]).subarray(0, 100), "cut off"],
    ["what is no JPEG", SCAN, "marker"],
    ["nothing", Buffer.alloc(0), "no JPEG"],
  ];
  for (const [what, file, words] of refused)
    it(`refuses ${what}, and counts on from where it was`, () => {
      const made = packetizer();
      expect(() => made.packets(sampleOf(file, FORMAT), 0).list)
        .to.throw(Fault, words)
        .with.property("kind", "invalid");
      expect(made.nextSequence).to.equal(0);
    });
});

function change(file: Buffer, from: string, to: string): Buffer {
  const text = file.toString("hex");
  if (!text.includes(from)) throw new Error(`no ${from} in the file`);
  return Buffer.from(text.replaceAll(from, to), "hex");
}
