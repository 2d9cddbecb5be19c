import { expect } from "chai";
import * as fc from "fast-check";
import { Fault } from "../../base/fault.ts";
import { createDepacketizer } from "../../media/depacketizer.ts";
import { avcConfig } from "../../media/h264-config.ts";
import { hevcConfig } from "../../media/h265-config.ts";
import { createPacketizer, type Packetizer } from "../../media/packetizer.ts";
import { readRtp } from "../../media/rtp.ts";
import type { Sample, SampleFormat } from "../../media/sample.ts";
import { group, H264_SETS, H265_SETS, hex, inSample, sampleOf } from "./codec-fixture.ts";

const H264: SampleFormat = { codec: "H264", width: 1920, height: 1080, config: avcConfig(H264_SETS) };
const H265: SampleFormat = { codec: "H265", width: 1920, height: 1080, config: hevcConfig(H265_SETS) };
const AAC: SampleFormat = { codec: "MPEG4-GENERIC", sampleRateHz: 48_000, channels: 2, config: hex("1190") };
const PCMU: SampleFormat = { codec: "PCMU", sampleRateHz: 8000, channels: 1 };
const METADATA: SampleFormat = { codec: "VND.ONVIF.METADATA" };

function packetizer(format: SampleFormat, sequence = 65_534, clockRateHz = 90_000): Packetizer {
  return createPacketizer(format, { payloadType: 97, ssrc: 0xfedcba98, sequence, clockRateHz });
}

/** Marker, then the payload in hexadecimal digits. */
const printed = (packets: readonly Buffer[]): readonly string[] =>
  packets.map((packet) => {
    const { marker, payload } = readRtp(packet);
    return `${marker ? "M " : ""}${payload.toString("hex")}`;
  });

/** What every packetizer promises of its packets. */
function checkPackets(packets: readonly Buffer[], rtpTime: number, sequence: number): void {
  for (const [index, packet] of packets.entries()) {
    expect(packet.length).to.be.at.most(1400);
    const rtp = readRtp(packet);
    expect(rtp).to.deep.include({
      payloadType: 97,
      ssrc: 0xfedcba98,
      timestamp: rtpTime,
      sequence: (sequence + index) & 0xffff,
    });
    expect(rtp.marker).to.equal(index === packets.length - 1);
  }
}

const printedSample = (key: boolean, ...nals: readonly Buffer[]): readonly string[] =>
  printed(packetizer(H264).packets(sampleOf(inSample(...nals), H264, { key }), 0).list);

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

const bytes = (max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: 1, maxLength: max }).map((one) => Buffer.from(one));

describe("a packetizer for H.264", () => {
  const { sps, pps } = H264_SETS;

  it("describes its track by the format", () => {
    expect(packetizer(H264).track).to.deep.equal({
      kind: "video",
      codec: "H264",
      encoding: "H264",
      payloadType: 97,
      clockRateHz: 90_000,
      channels: 1,
      fmtp: `packetization-mode=1;profile-level-id=42C028;sprop-parameter-sets=${sps.toString("base64")},${pps.toString("base64")}`,
    });
  });

  it("joins what is no slice, fragments what is large, and leaves the rest as it is", () => {
    const large = Buffer.concat([hex("65"), Buffer.alloc(2000, 0xab)]);
    const packets = packetizer(H264).packets(
      sampleOf(inSample(hex("09f0"), sps, pps, hex("6588"), large), H264, { key: true }),
      5,
    ).list;
    expect(printed(packets)).to.deep.equal([
      `78000209f00019${sps.toString("hex")}0004${pps.toString("hex")}`,
      "6588",
      `7c85${"ab".repeat(1386)}`,
      `M 7c45${"ab".repeat(614)}`,
    ]);
    checkPackets(packets, 5, 65_534);
  });

  it("puts parameter sets before a key sample that lacks one, behind the delimiter, and before no other", () => {
    const sets = `0019${sps.toString("hex")}0004${pps.toString("hex")}`;
    expect(printedSample(true, hex("6588"))).to.deep.equal([`78${sets}`, "M 6588"]);
    expect(printedSample(true, hex("09f0"), hex("6588"))).to.deep.equal([`78000209f0${sets}`, "M 6588"]);
    expect(printedSample(true, sps, hex("6588"))[0]).to.equal(`78${sets}0019${sps.toString("hex")}`);
    expect(printedSample(false, hex("419a"))).to.deep.equal(["M 419a"]);
  });

  it("goes on counting where another one stopped", () => {
    const first = packetizer(H264, 65_535);
    first.packets(sampleOf(inSample(hex("419a")), H264), 0);
    expect(first.nextSequence).to.equal(0);
    expect(first.ssrc).to.equal(0xfedcba98);
  });

  it("makes nothing of an empty sample, and refuses a broken one without counting on", () => {
    const made = packetizer(H264, 7);
    expect(made.packets(sampleOf(Buffer.alloc(0), H264), 0).list).to.deep.equal([]);
    expect(made.packets(sampleOf(inSample(hex("1c85"), hex("00")), H264), 0).list).to.deep.equal([]);
    for (const broken of ["00", "00000002 41", "ffffffff 419a"])
      expect(() => made.packets(sampleOf(hex(broken), H264), 0).list).to.throw(Fault, "does not end");
    expect(made.nextSequence).to.equal(7);
    expect(() => packetizer({ ...H264, config: hex("01") })).to.throw(Fault);
  });
});

describe("a packetizer for H.265", () => {
  it("joins parameter sets and fragments slices", () => {
    const large = Buffer.concat([hex("2601"), Buffer.alloc(1500, 0xab)]);
    const packets = packetizer(H265).packets(sampleOf(inSample(large), H265, { key: true }), 9).list;
    const { vps, sps, pps } = H265_SETS;
    const joined = [vps, sps, pps]
      .map((nal) => nal.length.toString(16).padStart(4, "0") + nal.toString("hex"))
      .join("");
    expect(printed(packets)).to.deep.equal([
      `6001${joined}`,
      `620193${"ab".repeat(1385)}`,
      `M 620153${"ab".repeat(115)}`,
    ]);
    checkPackets(packets, 9, 65_534);
  });
});

describe("what a packetizer makes", () => {
  /** Sizes around the one at which fragments begin, and others. */
  const size = fc.oneof(
    fc.integer({ min: 2, max: 40 }),
    fc.integer({ min: 1380, max: 1400 }),
    fc.integer({ min: 2, max: 6000 }),
  );
  const nals = (types: readonly number[], header: (type: number) => Buffer) =>
    fc
      .array(fc.record({ type: fc.constantFrom(...types), size, fill: fc.integer({ min: 1, max: 255 }) }), {
        minLength: 1,
        maxLength: 12,
      })
      .map((all) =>
        all.map(({ type, size, fill }) => {
          const nal = Buffer.alloc(size, fill);
          header(type).copy(nal);
          return nal;
        }),
      );
  const h264Nals = nals(
    range(1, 24).filter((type) => type !== 7 && type !== 8),
    (type) => Buffer.of(0x60 | type),
  );
  const h265Nals = nals(
    range(0, 48).filter((type) => type < 32 || type > 34),
    (type) => Buffer.of(type << 1, 1),
  );
  const table = [
    ["H.264", H264, h264Nals, hex("4180"), hex("6588"), H264_SETS],
    ["H.265", H265, h265Nals, hex("020180"), hex("260180"), H265_SETS],
  ] as const;

  for (const [name, format, units, slice, idr, sets] of table) {
    it(`comes back as it was: ${name}`, () => {
      fc.assert(
        fc.property(units, fc.boolean(), fc.nat(0xffff), fc.nat(0xffffffff), (others, key, sequence, rtpTime) => {
          const data = inSample(...(key ? Object.values(sets) : []), ...others, key ? idr : slice);
          const made = packetizer(format, sequence);
          const packets = made.packets(sampleOf(data, format, { key }), rtpTime).list;
          checkPackets(packets, rtpTime, sequence);
          const samples = createDepacketizer(made.track)?.push(group(rtpTime, packets)) ?? [];
          expect(samples).to.have.length(1);
          expect(samples[0]?.data.equals(data)).to.equal(true);
          expect(samples[0]?.format).to.deep.equal(format);
        }),
        { numRuns: 150 },
      );
    });

    it(`comes back as it was in whatever groups it is sent, or is left out where a packet is lost: ${name}`, () => {
      fc.assert(
        fc.property(
          units,
          fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
          fc.option(fc.nat(40)),
          (others, cuts, loss) => {
            const data = inSample(...Object.values(sets), idr, ...others.map((nal) => Buffer.concat([idr, nal])));
            const made = packetizer(format);
            const packets = made.packets(sampleOf(data, format, { key: true }), 0).list;
            const next = made.packets(sampleOf(inSample(slice), format), 3600).list;
            const depacketizer = createDepacketizer(made.track);
            const got: Sample[] = [];
            let part: Buffer[] = [];
            for (const [index, packet] of packets.entries()) {
              if (index !== loss) part.push(packet);
              if (cuts[index % cuts.length] === true || index === packets.length - 1) {
                got.push(...(depacketizer?.push(group(0, part)) ?? []));
                part = [];
              }
            }
            got.push(...(depacketizer?.push(group(3600, next)) ?? []));
            const whole = loss === null || loss >= packets.length;
            // A stream that begins behind its first packets may still have a whole picture: only the parameter sets are gone.
            if (loss !== 0)
              expect(got.map((one) => one.data.equals(data))).to.deep.equal(whole ? [true, false] : [false]);
            if (loss !== 0) expect(got.at(-1)?.discontinuity).to.equal(!whole);
            expect(got.at(-1)?.data.equals(inSample(slice))).to.equal(true);
          },
        ),
        { numRuns: 150 },
      );
    });

    it(`changes under way, but nothing throws: ${name}`, () => {
      const change = fc.record({ packet: fc.nat(30), at: fc.nat(1399), to: fc.nat(255), cut: fc.option(fc.nat(1399)) });
      fc.assert(
        fc.property(units, fc.array(change, { maxLength: 8 }), (others, changes) => {
          const made = packetizer(format);
          const packets = [...made.packets(sampleOf(inSample(...others, idr), format, { key: true }), 0).list];
          for (const { packet, at, to, cut } of changes) {
            const index = packet % packets.length;
            const target = packets[index];
            if (target === undefined) continue;
            if (at < target.length) target[at] = to;
            if (cut !== null) packets[index] = target.subarray(0, cut);
          }
          const depacketizer = createDepacketizer(made.track);
          depacketizer?.push(group(0, packets));
          depacketizer?.push(group(1, made.packets(sampleOf(inSample(slice), format), 1).list));
          depacketizer?.flush();
        }),
        { numRuns: 100 },
      );
    });
  }

  const plain: readonly (readonly [string, SampleFormat, number, fc.Arbitrary<Buffer>])[] = [
    ["AAC", AAC, 48_000, bytes(8191)],
    ["metadata", METADATA, 90_000, bytes(5000).map((one) => Buffer.concat([Buffer.from("<"), one]))],
  ];
  for (const [name, format, clockRateHz, data] of plain)
    it(`comes back as it was: ${name}`, () => {
      fc.assert(
        fc.property(data, (one) => {
          const made = packetizer(format, 0, clockRateHz);
          const packets = made.packets(sampleOf(one, format), 77).list;
          checkPackets(packets, 77, 0);
          const samples = createDepacketizer(made.track)?.push(group(77, packets)) ?? [];
          expect(samples.map((sample) => sample.data.equals(one))).to.deep.equal([true]);
          expect(samples[0]?.format).to.deep.equal(format);
        }),
        { numRuns: 60 },
      );
    });
});

describe("a packetizer for audio and metadata", () => {
  it("describes AAC as RFC 3640 wants it", () => {
    expect(packetizer(AAC, 0, 48_000).track).to.deep.include({
      kind: "audio",
      channels: 2,
      fmtp: "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1190",
    });
  });

  it("sends one AAC unit a packet behind its header", () => {
    expect(printed(packetizer(AAC).packets(sampleOf(hex("abcdef"), AAC), 0).list)).to.deep.equal(["M 00100018abcdef"]);
    expect(() => packetizer(AAC).packets(sampleOf(Buffer.alloc(8192), AAC), 0).list).to.throw(Fault, "8192");
  });

  it("cuts long G.711 between samples, each packet at its time and without marker", () => {
    const stereo: SampleFormat = { ...PCMU, channels: 2 };
    const packets = packetizer(stereo, 0, 8000)
      .packets(sampleOf(Buffer.alloc(3000, 1), stereo), 1000)
      .list.map(readRtp);
    expect(packets.map((one) => [one.timestamp, one.payload.length, one.marker])).to.deep.equal([
      [1000, 1388, false],
      [1694, 1388, false],
      [2388, 224, false],
    ]);
    expect(printed(packetizer(PCMU).packets(sampleOf(Buffer.alloc(2, 5), PCMU), 0).list)).to.deep.equal(["0505"]);
  });

  it("sends Opus in one piece, described with two channels whatever is heard", () => {
    const opus: SampleFormat = { codec: "OPUS", sampleRateHz: 48_000, channels: 1 };
    const long = packetizer(opus, 0, 48_000)
      .packets(sampleOf(Buffer.alloc(3000, 1), opus), 0)
      .list.map(readRtp);
    expect(long.map(({ payload, marker }) => [payload.length, marker])).to.deep.equal([[3000, false]]);
    expect(packetizer(opus).track).to.deep.include({ encoding: "opus", channels: 2, fmtp: "" });
    expect(packetizer({ ...opus, channels: 2 }).track.fmtp).to.equal("sprop-stereo=1;stereo=1");
  });

  it("cuts MPEG-4 Visual anywhere, with the marker at the end, and describes it by its headers", () => {
    const config = hex("000001b003000001b58913000001000000012000c48d8800cd0a041e1463");
    const mpeg4: SampleFormat = { codec: "MP4V-ES", width: 320, height: 240, config };
    const packets = packetizer(mpeg4)
      .packets(sampleOf(Buffer.alloc(2000, 1), mpeg4), 9)
      .list.map(readRtp);
    expect(packets.map(({ payload, marker, timestamp }) => [payload.length, marker, timestamp])).to.deep.equal([
      [1388, false, 9],
      [612, true, 9],
    ]);
    const fmtp = `profile-level-id=3;config=${config.toString("hex").toUpperCase()}`;
    expect(packetizer(mpeg4).track).to.deep.include({ kind: "video", encoding: "MP4V-ES", fmtp });
  });

  it("names metadata as ONVIF does", () => {
    expect(packetizer(METADATA).track).to.deep.include({ kind: "metadata", encoding: "vnd.onvif.metadata", fmtp: "" });
  });
});
