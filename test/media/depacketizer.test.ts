import { expect } from "chai";
import * as fc from "fast-check";
import { createDepacketizer, createPackedDepacketizer, type Depacketizer } from "../../media/depacketizer.ts";
import { FramedPackets } from "../../media/framed-packets.ts";
import { PacketGroup } from "../../media/group.ts";
import { h264Track } from "../../media/h264.ts";
import { avcConfig } from "../../media/h264-config.ts";
import { hevcConfig } from "../../media/h265-config.ts";
import { copyBytes, releaseBytes, type SampleBytes } from "../../media/packed-bytes.ts";
import { ReusedMemory } from "../../media/reused-memory.ts";
import type { Sample } from "../../media/sample.ts";
import type { Codec } from "../../media/track.ts";
import { AT, aggregated, group, H264_SETS, H265_SETS, hex, inSample, SMALL_SPS, track, Wire } from "./codec-fixture.ts";

const { sps, pps } = H264_SETS;
const idr = hex("6588 84 00112233");
const slice = hex("419a 22 44556677");
/** A second slice of the same picture: its first macroblock is not 0. */
const rest = hex("4142 99 8899");
const described = h264Track(track("H264"), H264_SETS);

const h264 = (fmtp = ""): Wire => new Wire(createDepacketizer(track("H264", fmtp)));
const known = (): Wire => new Wire(createDepacketizer(described));
const metadata = (): Wire => new Wire(createDepacketizer(track("VND.ONVIF.METADATA")));
const unmarked = (payload: Buffer): { payload: Buffer; marker: boolean } => ({ payload, marker: false });
const lose = (wire: Wire): void => {
  wire.sequence = (wire.sequence + 1) & 0xffff;
};
const datas = (samples: readonly Sample[]): readonly Buffer[] => samples.map((one) => one.data);
const summary = (samples: readonly Sample[]): readonly string[] =>
  samples.map((one) => `${one.rtpTime}${one.key ? " key" : ""}${one.discontinuity ? " gap" : ""}`);

/** As one packet, or as fragments of so many bytes (RFC 6184 5.8). */
function fragmentsOf(nal: Buffer, bytes: number): readonly Buffer[] {
  if (nal.length <= bytes) return [nal];
  const header = nal.readUInt8(0);
  const pieces: Buffer[] = [];
  for (let at = 1; at < nal.length; at += bytes) {
    const ends = (at === 1 ? 0x80 : 0) | (at + bytes >= nal.length ? 0x40 : 0);
    pieces.push(Buffer.concat([Buffer.of((header & 0xe0) | 28, ends | (header & 0x1f)), nal.subarray(at, at + bytes)]));
  }
  return pieces;
}

describe("a depacketizer for H.264", () => {
  it("makes a sample of a group at once: single units, aggregations, fragments", () => {
    const [first, ...others] = [
      h264().send(100, [aggregated(hex("78"), sps, pps), hex("7c8588"), hex("7c058400"), hex("7c45112233")]),
    ].flat();
    expect(others).to.deep.equal([]);
    expect(first).to.deep.equal({
      at: AT,
      quality: "camera",
      cameraAheadMs: undefined,
      rtpTime: 100,
      key: true,
      discontinuity: false,
      data: inSample(sps, pps, idr),
      format: { codec: "H264", width: 1920, height: 1080, config: avcConfig(H264_SETS) },
    });
  });

  it("waits for parameter sets in the stream where the description has none", () => {
    for (const fmtp of [
      "",
      "sprop-parameter-sets=",
      `sprop-parameter-sets=${sps.toString("base64")}`,
      "sprop-parameter-sets=AAAA,!",
    ]) {
      const wire = h264(fmtp);
      expect(wire.send(0, [slice])).to.deep.equal([]);
      expect(summary(wire.send(3600, [sps, pps, idr]))).to.deep.equal(["3600 key"]);
      expect(summary(wire.send(7200, [slice]))).to.deep.equal(["7200"]);
    }
  });

  it("keeps the format's object until parameter sets change; those in the stream win", () => {
    const wire = known();
    const formats = [
      [idr],
      [sps, pps, idr],
      [pps, slice],
      [SMALL_SPS, pps, idr],
      [slice],
      [SMALL_SPS, idr],
      [sps, pps, idr],
    ]
      .flatMap((nals, index) => wire.send(index * 3600, nals))
      .map((one) => one.format);
    expect(formats.map((one) => "width" in one && one.width)).to.deep.equal([1920, 1920, 1920, 320, 320, 320, 1920]);
    const [first, second, third, small, ...others] = formats;
    expect(second).to.equal(first);
    expect(third).to.equal(first);
    expect(others.slice(0, 2).every((one) => one === small)).to.equal(true);
    expect(others[2]).to.not.equal(small);
  });

  it("collects several picture parameter sets, and forgets those of an older sequence", () => {
    const wire = h264();
    // Ids 0 and 1.
    const second = hex("685a0fc8");
    const formats = [
      [sps, pps, idr],
      [second, slice],
      [SMALL_SPS, pps, idr],
    ]
      .flatMap((nals, index) => wire.send(index, nals))
      .map((one) => one.format);
    expect(formats).to.deep.equal([
      { codec: "H264", width: 1920, height: 1080, config: avcConfig(H264_SETS) },
      { codec: "H264", width: 1920, height: 1080, config: avcConfig({ sps, pps, morePps: [second] }) },
      { codec: "H264", width: 320, height: 240, config: avcConfig({ sps: SMALL_SPS, pps }) },
    ]);
  });

  it("puts an access unit together wherever it is cut into groups, and markers in the middle do not matter", () => {
    const payloads = [sps, pps, hex("0605ff"), hex("7c8588"), hex("7c058400"), hex("7c45112233")];
    fc.assert(
      fc.property(fc.subarray([1, 2, 3, 4, 5]), fc.boolean(), (cuts, marked) => {
        const wire = known();
        const got: Sample[] = [];
        let from = 0;
        for (const to of [...cuts, payloads.length]) {
          // Not behind the picture's first bytes: a marker there would be taken for the end.
          const pieces = payloads.slice(from, to).map((payload, index) => ({
            payload,
            marker: to === payloads.length ? from + index === to - 1 : marked && from + index < 3,
          }));
          got.push(...wire.send(50, pieces));
          from = to;
        }
        expect(datas(got)).to.deep.equal([inSample(sps, pps, hex("0605ff"), idr)]);
      }),
    );
  });

  it("takes parameter sets with a time of their own for a part of the picture that follows", () => {
    const wire = h264();
    expect(wire.send(0, [sps])).to.deep.equal([]);
    expect(wire.send(10, [pps])).to.deep.equal([]);
    expect(datas(wire.send(3600, [idr]))).to.deep.equal([inSample(sps, pps, idr)]);
  });

  it("waits for the next access unit where a camera never sets the marker", () => {
    const wire = known();
    expect(wire.send(0, [unmarked(idr)])).to.deep.equal([]);
    expect(datas(wire.send(3600, [unmarked(slice), unmarked(rest)]))).to.deep.equal([inSample(idr)]);
    expect(datas(wire.send(7200, [unmarked(slice)]))).to.deep.equal([inSample(slice, rest)]);
    expect(datas(wire.depacketizer.flush())).to.deep.equal([inSample(slice)]);
    expect(wire.depacketizer.flush()).to.deep.equal([]);
  });

  it("learns from a camera that marks every slice to wait", () => {
    const wire = known();
    expect(datas(wire.send(0, [idr]))).to.deep.equal([inSample(idr)]);
    expect(wire.send(0, [rest])).to.deep.equal([]);
    expect(wire.send(3600, [slice])).to.deep.equal([]);
    expect(wire.send(3600, [rest])).to.deep.equal([]);
    const [next] = wire.send(7200, [slice]);
    expect(next).to.deep.include({ data: inSample(slice, rest), discontinuity: true, rtpTime: 3600 });
  });

  describe("leaves out what is not whole, and says so with the next sample", () => {
    const fragments = [hex("5c8122"), hex("5c0133"), hex("5c4144")];
    const table: readonly (readonly [what: string, send: (wire: Wire) => readonly Sample[]])[] = [
      [
        "the first fragment",
        (wire) => {
          lose(wire);
          return wire.send(1, fragments.slice(1));
        },
      ],
      [
        "a fragment in the middle",
        (wire) => {
          const got = wire.send(1, [{ payload: fragments[0] ?? slice, marker: false }]);
          lose(wire);
          return [...got, ...wire.send(1, fragments.slice(2))];
        },
      ],
      [
        "the end",
        (wire) => {
          const got = wire.send(1, [{ payload: fragments[0] ?? slice, marker: false }]);
          lose(wire);
          return got;
        },
      ],
      [
        "the picture's first slice",
        (wire) => {
          lose(wire);
          return wire.send(1, [rest]);
        },
      ],
      ["the picture's first slice, told by the receiver", (wire) => wire.send(1, [rest], { discontinuity: true })],
      [
        "a whole access unit",
        (wire) => {
          lose(wire);
          return [];
        },
      ],
      ["a packet that is none", (wire) => wire.depacketizer.push(group(1, [hex("00")]))],
      ["a fragment of nothing", (wire) => wire.send(1, fragments.slice(1))],
    ];
    for (const [what, send] of table)
      it(what, () => {
        const wire = known();
        expect(summary(wire.send(0, [idr]))).to.deep.equal(["0 key"]);
        expect(send(wire)).to.deep.equal([]);
        expect(summary(wire.send(2, [slice]))).to.deep.equal(["2 gap"]);
        expect(summary(wire.send(3, [slice]))).to.deep.equal(["3"]);
      });
  });

  it("ignores a packet that came twice", () => {
    const wire = known();
    wire.send(0, [idr]);
    wire.sequence -= 1;
    expect(wire.send(0, [idr])).to.deep.equal([]);
    expect(summary(wire.send(3600, [slice]))).to.deep.equal(["3600"]);
  });

  it("takes a fragmented unit without end for ended by the next one, and by the next access unit", () => {
    const wire = known();
    const start = hex("7c8588");
    expect(datas(wire.send(0, [start, hex("7c0511"), rest]))).to.deep.equal([inSample(hex("658811"), rest)]);
    expect(wire.send(1, [hex("5c819a")])).to.deep.equal([]);
    expect(datas(wire.send(2, [slice]))).to.deep.equal([inSample(hex("419a")), inSample(slice)]);
  });

  it("cuts a byte stream that stands where one unit belongs", () => {
    const stream = Buffer.concat([sps, hex("00000001"), pps, hex("000001"), idr]);
    for (const payloads of [
      [stream],
      [Buffer.concat([hex("00000001"), stream])],
      [Buffer.concat([hex("7c87"), stream.subarray(1, 20)]), Buffer.concat([hex("7c47"), stream.subarray(20)])],
    ])
      expect(datas(h264().send(0, payloads))).to.deep.equal([inSample(sps, pps, idr)]);
  });

  it("leaves out access units beyond its limits", () => {
    const wire = known();
    const large = Buffer.concat([idr, Buffer.alloc(60_000, 1)]);
    expect(
      wire.send(
        0,
        Array.from({ length: 300 }, () => large),
      ),
    ).to.deep.equal([]);
    expect(
      wire.send(
        1,
        Array.from({ length: 9000 }, () => rest),
      ),
    ).to.deep.equal([]);
    expect(summary(wire.send(2, [slice]))).to.deep.equal(["2 gap"]);
  });
});

describe("a depacketizer that leaves pictures in their packets", () => {
  /** Makes groups as a camera's come, and does nothing with them. */
  class Camera {
    #sent: PacketGroup | undefined;
    readonly wire = new Wire({
      push: (sent) => {
        this.#sent = sent;
        return [];
      },
      flush: () => [],
      holds: false,
    });
    group(...what: Parameters<Wire["send"]>): PacketGroup {
      this.wire.send(...what);
      return this.#sent as PacketGroup;
    }
  }
  /** The same in memory that is used again. */
  const lent = (memory: ReusedMemory, one: PacketGroup): PacketGroup => {
    const bytes = memory.take(one.byteLength);
    one.bytes.copy(bytes);
    return new PacketGroup(one, new FramedPackets(bytes, one.packetCount), memory);
  };
  const copyOf = (data: SampleBytes | undefined): Buffer => {
    const copy = Buffer.alloc(data?.length ?? 0);
    if (data !== undefined) expect(copyBytes(data, copy, 0)).to.equal(data.length);
    return copy;
  };
  const packed = (): Depacketizer<SampleBytes> => createPackedDepacketizer(described) as Depacketizer<SampleBytes>;

  it("makes the same samples of any packets, and holds what it has not given up", () => {
    const unit = fc.oneof(
      fc.uint8Array({ minLength: 2, maxLength: 3000 }).map((bytes) => Buffer.concat([hex("6588"), bytes])),
      fc.constantFrom(sps, pps, slice, rest, hex("0605ff")),
      // A byte stream where one parameter set belongs.
      fc.constant(Buffer.concat([sps, hex("00000001"), pps, hex("000001"), idr])),
    );
    const picture = fc.record({
      units: fc.array(unit, { minLength: 1, maxLength: 5 }),
      packetBytes: fc.integer({ min: 20, max: 1400 }),
      isInTwo: fc.boolean(),
      marked: fc.boolean(),
      lost: fc.boolean(),
      given: fc.option(fc.nat(40)),
    });
    fc.assert(
      fc.property(fc.array(picture, { maxLength: 20 }), (pictures) => {
        const [memory, camera] = [new ReusedMemory(), new Camera()];
        const [plain, later] = [createDepacketizer(described), packed()];
        const held: { readonly data: SampleBytes; readonly is: Buffer }[] = [];
        const giveUp = (index: number): void => {
          const [one] = held.splice(index % held.length, 1);
          if (one === undefined) return;
          expect(copyOf(one.data).equals(one.is)).to.equal(true);
          releaseBytes(one.data);
        };
        for (const [index, { units, packetBytes, isInTwo, marked, lost, given }] of pictures.entries()) {
          if (lost) lose(camera.wire);
          const payloads = units
            .flatMap((nal) => fragmentsOf(nal, packetBytes))
            .map((payload, at, { length }) => ({ payload, marker: marked && at === length - 1 }));
          const half = isInTwo ? payloads.length >> 1 : 0;
          for (const part of [payloads.slice(0, half), payloads.slice(half)]) {
            if (part.length === 0) continue;
            const sent = camera.group(index * 3600, part);
            const mine = lent(memory, sent);
            const [right, found] = [plain?.push(sent) ?? [], later.push(mine)];
            mine.release();
            // What is free is another one's at once.
            memory.take(mine.byteLength).fill(0xee);
            for (const [at, { data, ...marks }] of found.entries()) {
              const { data: is, ...rightMarks } = right[at] as Sample;
              expect(marks).to.deep.equal(rightMarks);
              held.push({ data, is });
            }
            expect(found.length).to.equal(right.length);
          }
          if (given !== null && held.length > 0) giveUp(given);
        }
        while (held.length > 0) giveUp(0);
      }),
      { numRuns: 200 },
    );
  });

  it("has the memory of a group given back when its sample is released, and no sooner", () => {
    const camera = new Camera();
    const send = (): {
      readonly memory: ReusedMemory;
      readonly sent: PacketGroup;
      readonly data: SampleBytes | undefined;
    } => {
      const memory = new ReusedMemory();
      const sent = lent(memory, camera.group(0, [idr]));
      return { memory, sent, data: packed().push(sent)[0]?.data };
    };
    const held = send();
    held.sent.release();
    expect(held.memory.take(8).byteOffset).to.be.greaterThan(0);
    expect(copyOf(held.data)).to.deep.equal(inSample(idr));
    const before = send();
    // The second time it holds nothing.
    for (const data of [before.data, before.data]) if (data !== undefined) releaseBytes(data);
    expect(before.memory.take(8).byteOffset).to.be.greaterThan(0);
    before.sent.release();
    const behind = send();
    behind.sent.release();
    if (behind.data !== undefined) releaseBytes(behind.data);
    expect(behind.memory.take(8).byteOffset).to.equal(0);
  });

  it("gives up the groups of what it drops", () => {
    const [memory, camera, later] = [new ReusedMemory(), new Camera(), packed()];
    const beheaded = lent(memory, camera.group(0, [hex("7c0588")]));
    expect(later.push(beheaded)).to.deep.equal([]);
    beheaded.release();
    expect(memory.take(8).byteOffset).to.equal(0);
  });

  it("holds nothing of groups that it takes nothing of, however many come", () => {
    const [memory, camera, later] = [new ReusedMemory(), new Camera(), packed()];
    const take = (...what: Parameters<Wire["send"]>): void => {
      const sent = lent(memory, camera.group(...what));
      expect(later.push(sent)).to.deep.equal([]);
      sent.release();
    };
    const expectGivenBack = (): void => {
      const probe = memory.take(8);
      expect(probe.byteOffset).to.equal(0);
      memory.give(probe);
    };
    for (let time = 0; time < 5; time += 1) take(time, [Buffer.alloc(0)]);
    expectGivenBack();
    // Broken, and the time stands still: it does not end.
    take(9, [hex("7c8588")]);
    lose(camera.wire);
    for (let count = 0; count < 5; count += 1) take(9, [slice]);
    expectGivenBack();
  });

  it("copies what takes many times its bytes in packets", () => {
    const crumbs = Array.from({ length: 500 }, (_, at) => hex(`7c${at === 0 ? "85" : at === 499 ? "45" : "05"}88`));
    const [sample] = packed().push(new Camera().group(0, crumbs));
    expect(Buffer.isBuffer(sample?.data)).to.equal(true);
    expect(sample?.data.length).to.equal(4 + 1 + 500);
  });
});

describe("a depacketizer for H.265", () => {
  const key = hex("2601 ac 00112233");
  const { vps, sps, pps } = H265_SETS;

  it("makes samples of aggregations and fragments", () => {
    const wire = new Wire(createDepacketizer(track("H265")));
    const [sample] = wire.send(7, [
      aggregated(hex("6001"), vps, sps, pps),
      hex("620193ac00"),
      hex("6201131122"),
      hex("62015333"),
    ]);
    expect(sample).to.deep.include({
      key: true,
      data: inSample(vps, sps, pps, key),
      format: { codec: "H265", width: 1920, height: 1080, config: hevcConfig(H265_SETS) },
    });
    const [next] = wire.send(8, [hex("0201d0aa")]);
    expect(next).to.deep.include({ key: false, format: sample?.format });
  });

  it("joins what the description has with what the stream has, and leaves other layers alone", () => {
    const wire = new Wire(createDepacketizer(track("H265", `sprop-vps=${vps.toString("base64")}`)));
    const layer = Buffer.from(sps);
    layer[1] = 0x09;
    expect(wire.send(0, [layer, pps, key])).to.deep.equal([]);
    expect(wire.send(1, [sps, key])).to.have.length(1);
  });
});

describe("a depacketizer for G.711", () => {
  it("makes a sample of every packet, and places it by its timestamp", () => {
    const wire = new Wire(createDepacketizer(track("PCMU", "", { channels: 2 })));
    const [first] = wire.send(0xffffffb0, [Buffer.alloc(160, 1)]);
    expect(first).to.deep.include({ key: true, data: Buffer.alloc(160, 1), rtpTime: 0xffffffb0 });
    expect(first?.format).to.deep.equal({ codec: "PCMU", sampleRateHz: 8000, channels: 2 });
    wire.sequence += 1;
    expect(summary(wire.send(0x50, [Buffer.alloc(160, 2), Buffer.alloc(0)]))).to.deep.equal(["80 key gap"]);
  });
});

describe("a depacketizer for metadata", () => {
  const xml = Buffer.from('<?xml version="1.0"?><tt:MetadataStream/>');

  it("puts a document together up to the marker", () => {
    const wire = metadata();
    expect(wire.send(5, [{ payload: xml.subarray(0, 9), marker: false }])).to.deep.equal([]);
    expect(datas(wire.send(5, [xml.subarray(9)]))).to.deep.equal([xml]);
  });

  it("takes a new timestamp for a new document where markers are missing", () => {
    const wire = metadata();
    wire.send(5, [{ payload: xml, marker: false }]);
    expect(datas(wire.send(6, [{ payload: xml, marker: false }]))).to.deep.equal([xml]);
  });

  it("leaves out a document whose beginning is missing", () => {
    const wire = metadata();
    expect(wire.send(5, [xml.subarray(9)], { discontinuity: true })).to.deep.equal([]);
    expect(summary(wire.send(6, [xml]))).to.deep.equal(["6 key gap"]);
  });
});

describe("a depacketizer for Opus", () => {
  it("makes a sample of every packet, with as many channels as the description says are sent", () => {
    const more = { clockRateHz: 48_000, channels: 2 };
    for (const [fmtp, channels] of [
      ["", 1],
      ["minptime=10;sprop-stereo=1", 2],
      ["sprop-stereo=0", 1],
    ] as const) {
      const [sample] = new Wire(createDepacketizer(track("OPUS", fmtp, more))).send(960, [hex("7801")]);
      expect(sample, fmtp).to.deep.include({ key: true, data: hex("7801"), rtpTime: 960 });
      expect(sample?.format).to.deep.equal({ codec: "OPUS", sampleRateHz: 48_000, channels });
    }
  });

  it("leaves out what is too large for Opus, and could not be sent on in one piece", () => {
    const wire = new Wire(createDepacketizer(track("OPUS", "", { clockRateHz: 48_000, channels: 2 })));
    expect(summary(wire.send(0, [Buffer.alloc(8192, 1)]))).to.deep.equal(["0 key"]);
    expect(wire.send(960, [Buffer.alloc(8193, 1)])).to.deep.equal([]);
    expect(summary(wire.send(1920, [hex("7801")]))).to.deep.equal(["1920 key gap"]);
  });
});

describe("a depacketizer for MPEG-4 Visual", () => {
  /** What libavcodec writes before its first picture, of 320x240. */
  const config = hex("000001b001000001b58913000001000000012000c48d8800cd0a041e1463");
  const [intra, predicted] = [hex("000001b610ab"), hex("000001b650ab")];
  const format = { codec: "MP4V-ES", width: 320, height: 240, config };
  const described = (): Wire => new Wire(createDepacketizer(track("MP4V-ES", `config=${config.toString("hex")}`)));

  it("puts a picture together up to the marker, and knows which one needs no other", () => {
    const wire = described();
    const [first, second] = [wire.send(6, [intra, hex("cdef")])[0], wire.send(7, [predicted])[0]];
    expect(first).to.deep.include({ key: true, data: Buffer.concat([intra, hex("cdef")]), format });
    expect(second).to.deep.include({ key: false, data: predicted });
    expect(second?.format).to.equal(first?.format);
  });

  it("takes the headers from the stream where the description has none", () => {
    const wire = new Wire(createDepacketizer(track("MP4V-ES")));
    expect(wire.send(5, [predicted])).to.deep.equal([]);
    const group = hex("000001b300100700");
    const [sample] = wire.send(6, [Buffer.concat([config, group, intra])]);
    expect(sample).to.deep.include({ key: true, format });
  });

  it("leaves out a picture whose beginning is missing", () => {
    const wire = described();
    expect(wire.send(5, [hex("cdef")], { discontinuity: true })).to.deep.equal([]);
    expect(summary(wire.send(6, [intra]))).to.deep.equal(["6 key gap"]);
  });
});

describe("a depacketizer for anything", () => {
  const codecs: readonly Codec[] = [
    "H264",
    "H265",
    "JPEG",
    "MP4V-ES",
    "MPEG4-GENERIC",
    "PCMU",
    "PCMA",
    "OPUS",
    "VND.ONVIF.METADATA",
  ];

  it("is not there for codecs without a place in MP4", () => {
    expect(createDepacketizer(track("unknown"))).to.equal(undefined);
    expect(createDepacketizer(track("MPEG4-GENERIC", "mode=CELP-cbr"))).to.equal(undefined);
    expect([track("PCMA"), track("JPEG")].map((one) => createDepacketizer(one))).to.not.include(undefined);
  });

  for (const codec of codecs)
    it(`never throws at garbage: ${codec}`, () => {
      const payload = fc.uint8Array({ maxLength: 80 });
      const piece = fc.record({
        // Beginnings that mean something, or nothing of the kind.
        payload: fc
          .tuple(
            fc.constantFrom(
              "",
              "78",
              "7c85",
              "7c45",
              "6001",
              "620193",
              "62015",
              "00100010",
              "fff15080",
              "0000000001ff0a0a",
              "0000000041ff0a0a0001",
            ),
            payload,
          )
          .map(([head, body]) => Buffer.concat([hex(head), body])),
        marker: fc.boolean(),
      });
      const groups = fc.array(
        fc.record({
          rtpTime: fc.nat(3),
          pieces: fc.array(piece, { maxLength: 5 }),
          discontinuity: fc.boolean(),
          lost: fc.boolean(),
        }),
        { maxLength: 12 },
      );
      fc.assert(
        fc.property(groups, fc.string({ maxLength: 30 }), (all, fmtp) => {
          const made = createDepacketizer(track(codec, fmtp));
          if (made === undefined) return;
          const wire = new Wire(made);
          for (const { rtpTime, pieces, discontinuity, lost } of all) {
            if (lost) wire.sequence = (wire.sequence + 1) & 0xffff;
            wire.send(rtpTime, pieces, { discontinuity });
          }
          made.flush();
          made.push(group(0, [Buffer.from(fmtp)]));
        }),
        { numRuns: 300 },
      );
    });
});
