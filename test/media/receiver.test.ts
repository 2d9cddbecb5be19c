import { expect } from "chai";
import * as fc from "fast-check";
import { unixMillis } from "../../base/units.ts";
import { bye, senderReport } from "../../media/rtcp.ts";
import { readRtp } from "../../media/rtp.ts";
import {
  DELIMITER,
  fragments,
  OTHER_SPS,
  PPS,
  SEI,
  type Sent,
  SPS,
  START,
  Studio,
  slice,
  videoTrack,
} from "./receiver-fixture.ts";

const H264 = videoTrack("H264");

/** `payloads` of one access unit, the marker on the last. */
function unit(ms: number, ...payloads: readonly Buffer[]): readonly Sent[] {
  return payloads.map((payload, index) => ({ payload, ms, marker: index === payloads.length - 1 }));
}

function stapA(...nals: readonly Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.from([0x78]),
    ...nals.flatMap((nal) => [Buffer.from([nal.length >> 8, nal.length & 0xff]), nal]),
  ]);
}

/** A NAL unit of H.265 (ITU-T H.265 7.3.1.2). */
const nal265 = (type: number, first: boolean): Buffer => Buffer.from([type << 1, 1, first ? 0x80 : 0, 1, 2, 3]);

const fragment265 = (type: number, flag: number): Buffer => Buffer.from([49 << 1, 1, flag | type, 0x80, 2, 3]);

const fmtpOf = (sps: Buffer): string =>
  `packetization-mode=1;profile-level-id=42C00D;sprop-parameter-sets=${sps.toString("base64")},${PPS.toString("base64")}`;

describe("the receiver of a track", () => {
  describe("finds access units of H.264", () => {
    const cases: readonly (readonly [what: string, sent: readonly Sent[], seen: readonly string[]])[] = [
      ["by their markers", [...unit(0, SPS, PPS, slice(5)), ...unit(40, slice(1))], ["3K", "1"]],
      ["with slices in fragments", [...unit(0, SPS, PPS, ...fragments(5)), ...unit(40, ...fragments(1))], ["5K", "3"]],
      ["with all parameter sets in one packet", [...unit(0, stapA(SPS, PPS), slice(5))], ["2K"]],
      ["with the whole picture in one packet", [...unit(0, stapA(SPS, PPS, slice(5)))], ["1K"]],
      [
        "of several slices",
        [...unit(0, slice(5), slice(5, false), slice(5, false)), ...unit(40, slice(1), slice(1, false))],
        ["3K", "2"],
      ],
      [
        "by the time alone where markers never come",
        [SPS, PPS, slice(5)]
          .map((payload) => ({ payload, ms: 0 }))
          .concat([
            { payload: slice(1), ms: 40 },
            { payload: slice(1), ms: 80 },
          ]),
        ["3K", "1"],
      ],
      [
        "though every packet has a marker",
        [SPS, PPS, SEI, slice(5)].map((payload) => ({ payload, ms: 0, marker: true })),
        ["4K"],
      ],
      [
        "though parameter sets have times of their own",
        [
          { payload: SPS, ms: 10, marker: true },
          { payload: PPS, ms: 20, marker: true },
          { payload: slice(5), ms: 40, marker: true },
        ],
        ["3K"],
      ],
      [
        "though the time changes inside a fragmented slice",
        fragments(5).map((payload, index) => ({ payload, ms: index, marker: index === 2 })),
        ["3K"],
      ],
      [
        "with a delimiter and supplemental information before and behind",
        [...unit(0, DELIMITER, SEI, slice(5)), { payload: SEI, ms: 0 }, ...unit(40, DELIMITER, slice(1))],
        ["3K", "3"],
      ],
      ["but no key in a slice that is none", [...unit(0, SPS, PPS, slice(1))], ["3"]],
    ];
    for (const [what, sent, seen] of cases)
      it(what, () => {
        const studio = new Studio(H264).send(...sent);
        expect(studio.seen).to.deep.equal(seen);
        for (const { packets, rtpTime } of studio.groups)
          for (const packet of packets) expect(readRtp(packet).timestamp).to.equal(rtpTime);
      });

    it("of a camera that marks every slice, from the second one on", () => {
      const studio = new Studio(H264);
      for (let frame = 0; frame < 4; frame += 1)
        studio.send(
          { payload: slice(frame === 0 ? 5 : 1), ms: frame * 40, marker: true },
          { payload: slice(frame === 0 ? 5 : 1, false), ms: frame * 40, marker: true },
        );
      // The first came in two parts before it was understood; the last waits for what follows.
      expect(studio.seen).to.deep.equal(["1K", "1K", "2", "2"]);
    });

    it("without waiting, of a camera that sends pictures with the same time", () => {
      const studio = new Studio(H264).send(...unit(0, slice(5)), ...unit(0, slice(1)), ...unit(40, slice(1)));
      expect(studio.seen).to.deep.equal(["1K", "1", "1"]);
    });

    it("and takes parameter sets for a beginning where there has been no IDR for ten seconds", () => {
      const studio = new Studio(H264);
      for (let ms = 0; ms <= 24_000; ms += 2000) {
        studio.now = ms;
        studio.send(...unit(ms, SPS, PPS, slice(1)));
      }
      expect(studio.seen).to.deep.equal([
        ...Array.from({ length: 6 }, () => "3"),
        ...Array.from({ length: 7 }, () => "3K"),
      ]);
    });
  });

  it("finds key frames of H.265, in fragments too", () => {
    const studio = new Studio(videoTrack("H265"));
    studio.send(
      ...unit(0, nal265(32, false), nal265(33, false), nal265(34, false), fragment265(19, 0x80), fragment265(19, 0x40)),
    );
    studio.send(...unit(40, nal265(1, true), nal265(1, false)), ...unit(80, nal265(21, true)));
    expect(studio.seen).to.deep.equal(["5K", "2", "1K"]);
  });

  it("takes every picture of JPEG, and every packet of plain sound, for a key", () => {
    const jpeg = new Studio(videoTrack("JPEG")).send(...unit(0, slice(1), slice(1)), ...unit(40, slice(1)));
    expect(jpeg.seen).to.deep.equal(["2K", "1K"]);
    const sound = new Studio({ ...videoTrack("PCMU"), kind: "audio", payloadType: 0, clockRateHz: 8000 });
    sound.send({ payload: slice(1), ms: 0, payloadType: 0 }, { payload: slice(1), ms: 20, payloadType: 0 });
    expect(sound.seen).to.deep.equal(["1K", "1K"]);
  });

  describe("numbers packets itself", () => {
    it("with its own SSRC, payload type, and without a gap over the wrap", () => {
      const studio = new Studio(H264, 0xdeadbeef);
      for (let frame = 0; frame < 20; frame += 1) studio.picture(frame * 40, frame === 0 ? 5 : 1);
      expect(studio.sequences).to.deep.equal(Array.from({ length: 20 }, (_, index) => index));
      expect(studio.times).to.deep.equal(Array.from({ length: 20 }, (_, index) => index * 40));
      for (const packet of studio.groups.flatMap(({ packets }) => packets))
        expect(readRtp(packet)).to.deep.include({ ssrc: 0xdeadbeef, payloadType: 96 });
      expect(studio.groups.map(({ track }) => track)).to.include(1);
    });

    it("and keeps the rest of a packet as it is, extension and padding too", () => {
      const packet = Buffer.from(`b1e0${"0001".repeat(5)}11111111abac00012222222265880002`, "hex");
      const studio = new Studio(H264, 1);
      studio.receiver.rtp(Buffer.from(packet), START);
      const [sent] = studio.groups[0]?.packets ?? [];
      expect(sent?.subarray(12)).to.deep.equal(packet.subarray(12));
      expect([sent?.[0], sent?.[1]]).to.deep.equal([packet[0], packet[1]]);
    });

    it("keeps a gap as one of the same size, and says so", () => {
      const studio = new Studio(H264).picture(0, 5).picture(40).picture(80, 1, { lost: 3 }).picture(120);
      expect(studio.sequences).to.deep.equal([0, 1, 5, 6]);
      expect(studio.seen).to.deep.equal(["1K", "1", "1D", "1"]);
    });

    it("keeps a gap beyond all reason as a gap of one", () => {
      const studio = new Studio(H264).picture(0, 5).picture(40, 1, { lost: 20_000 }).picture(80);
      expect(studio.sequences).to.deep.equal([0, 2, 3]);
    });

    it("drops what comes twice, and what belongs to another track or an older session", () => {
      const studio = new Studio(H264).picture(0, 5);
      studio.sequence -= 1;
      studio.send({ payload: slice(5), marker: true, ms: 0 });
      studio.send({ payload: slice(1), marker: true, ms: 40, payloadType: 13 });
      const { sequence } = studio;
      studio.sequence = 4711;
      studio.send({ payload: slice(1), marker: true, ms: 40, ssrc: 99 });
      studio.sequence = sequence;
      studio.picture(80);
      expect(studio.seen).to.deep.equal(["1K", "1"]);
      expect(studio.sequences).to.deep.equal([0, 1]);
    });

    it("follows a camera that takes another SSRC and counts anew, at the price of three packets", () => {
      const studio = new Studio(H264).picture(0, 5);
      for (let frame = 1; frame < 20; frame += 1) studio.picture(frame * 40);
      studio.ssrc = 8;
      studio.sequence = 100;
      studio.base = 5;
      for (let frame = 20; frame < 40; frame += 1) studio.picture(frame * 40);
      expect(studio.seen.slice(18, 22)).to.deep.equal(["1", "1", "1D", "1"]);
      expect(studio.sequences.slice(18, 22)).to.deep.equal([18, 19, 21, 22]);
      expect(studio.times.slice(18, 22)).to.deep.equal([720, 760, 920, 960]);
    });

    it("does not follow packets of other sources without an order, however many they are", () => {
      const studio = new Studio(H264).picture(0, 5);
      for (let frame = 1; frame < 20; frame += 1) studio.picture(frame * 40);
      const { sequence } = studio;
      for (let index = 0; index < 20; index += 1) studio.picture(800, 1, { ssrc: 8 + (index % 2) });
      for (let index = 0; index < 20; index += 1) studio.picture(800, 1, { ssrc: 8, lost: 1 });
      studio.sequence = sequence;
      studio.picture(840);
      expect(studio.seen).to.have.length(21);
      expect(studio.seen.at(-1)).to.equal("1");
    });

    it("leaves what remains of an older session at once, and says so", () => {
      const studio = new Studio(H264);
      for (let index = 0; index < 3; index += 1)
        studio.send({ payload: slice(1), marker: true, ms: index * 40, ssrc: 99 });
      studio.sequence = 100;
      studio.picture(200, 5).picture(240).picture(280);
      expect(studio.seen).to.deep.equal(["1", "1", "1", "1D", "1"]);
      expect([...studio.quirks]).to.deep.equal(["stray-data"]);
    });

    it("follows at once where the source before has said goodbye, but not for a stranger's goodbye", () => {
      const studio = new Studio(H264).picture(0, 5).picture(40);
      studio.receiver.rtcp(bye(99, "stranger"), START);
      studio.picture(80, 1, { ssrc: 8 });
      studio.receiver.rtcp(bye(7, "camera"), START);
      studio.ssrc = 8;
      studio.sequence = 100;
      studio.base = 5;
      studio.picture(120, 5).picture(160);
      expect(studio.seen).to.deep.equal(["1K", "1", "1KD", "1"]);
      expect(studio.sequences).to.deep.equal([0, 1, 3, 4]);
      expect(studio.times).to.deep.equal([0, 40, 120, 160]);
    });

    it("goes on with a source that says goodbye and does not go", () => {
      const studio = new Studio(H264).picture(0, 5);
      studio.receiver.rtcp(bye(7, "camera"), START);
      studio.picture(40).picture(80, 1, { ssrc: 8, lost: -1 }).picture(120);
      expect(studio.seen).to.deep.equal(["1K", "1", "1"]);
    });

    /** [what comes with the numbers of the pictures' packets, what is seen]. */
    const foreign: readonly (readonly [what: string, at: readonly number[], seen: readonly string[]])[] = [
      ["behind the first picture", [1], ["1K", "1", "1"]],
      ["before each picture", [1, 2], ["1K", "1", "1"]],
      ["first of all", [0], ["2K", "1", "1"]],
    ];
    for (const [what, at, seen] of foreign)
      it(`misses nothing where packets of another payload type come with the same numbers, ${what}`, () => {
        const studio = new Studio(H264);
        for (const frame of [0, 1, 2]) {
          if (at.includes(frame)) {
            studio.send({ payload: SEI, ms: frame * 40, payloadType: 50 });
            studio.sequence -= 1;
          }
          studio.picture(frame * 40, frame === 0 ? 5 : 1);
        }
        expect(studio.seen).to.deep.equal(seen);
        expect([...studio.quirks]).to.deep.equal(["foreign-payloads"]);
      });

    it("misses what is missing behind a packet of another payload type", () => {
      const studio = new Studio(H264).picture(0, 5).send({ payload: SEI, ms: 40, payloadType: 50 });
      studio.picture(40, 1, { lost: 1 }).picture(80);
      expect(studio.seen).to.deep.equal(["1K", "1D", "1"]);
      expect([...studio.quirks]).to.deep.equal(["drops-packets"]);
    });

    it("passes over what comes twice also where the camera sends another payload type than it described", () => {
      const studio = new Studio(H264).picture(0, 5, { payloadType: 98 }).picture(40, 1, { payloadType: 98 });
      studio.sequence -= 1;
      studio.picture(40, 1, { payloadType: 98 }).picture(80, 1, { payloadType: 98 });
      expect(studio.seen).to.deep.equal(["1K", "1", "1"]);
      expect([...studio.quirks]).to.deep.equal([]);
    });

    it("takes the payload type that the camera really sends", () => {
      const studio = new Studio(H264).picture(0, 5, { payloadType: 98 }).picture(40, 1, { payloadType: 98 });
      expect(studio.seen).to.deep.equal(["1K", "1"]);
      for (const { packets } of studio.groups) expect(readRtp(packets[0] ?? Buffer.alloc(0)).payloadType).to.equal(96);
    });
  });

  describe("goes on", () => {
    it("over a camera's restart, by the time that has passed", () => {
      const studio = new Studio(H264).picture(0, 5).picture(40);
      studio.receiver.flush();
      studio.receiver.restart(H264);
      studio.sequence = 3;
      studio.base = 0;
      studio.ssrc = 1234;
      studio.now = 5040;
      studio.send(...unit(0, slice(5)));
      studio.now = 5080;
      studio.send(...unit(40, slice(1)));
      expect(studio.seen).to.deep.equal(["1K", "1", "1KD", "1"]);
      expect(studio.times).to.deep.equal([0, 40, 5040, 5080]);
      expect(studio.sequences).to.deep.equal([0, 1, 3, 4]);
      const ssrcs = studio.groups.flatMap(({ packets }) => packets.map((packet) => readRtp(packet).ssrc));
      expect(new Set(ssrcs)).to.deep.equal(new Set([studio.receiver.ssrc]));
      expect(studio.groups.map(({ at }) => at - START)).to.deep.equal([0, 40, 5040, 5080]);
    });

    it("where the camera's clock jumps back to zero within a session", () => {
      const studio = new Studio(H264).picture(60_000, 5).picture(60_040);
      studio.base = 0;
      studio.now = 60_080;
      studio.send(...unit(0, slice(1)));
      expect(studio.times).to.deep.equal([0, 40, 80]);
      expect(studio.seen).to.deep.equal(["1K", "1", "1D"]);
    });

    it("keeps the part of a picture that a lost connection cuts off to itself", () => {
      const studio = new Studio(H264).picture(0, 5).send({ payload: slice(1), ms: 40 });
      studio.receiver.flush();
      studio.receiver.restart(H264);
      expect(studio.seen).to.deep.equal(["1K"]);
      const unmarked = new Studio(H264).send({ payload: slice(5), ms: 0 });
      unmarked.receiver.flush();
      expect(unmarked.seen, "where ends are never marked").to.deep.equal(["1K"]);
    });
  });

  describe("tells of losses", () => {
    const lossy: readonly (readonly [what: string, sent: readonly Sent[], seen: readonly string[]])[] = [
      [
        "inside a key frame, which is none then",
        [
          { payload: slice(5), ms: 0 },
          { payload: slice(5, false), ms: 0, lost: 1, marker: true },
          ...unit(40, slice(1)),
        ],
        ["2D", "1"],
      ],
      [
        "of the end of a key frame",
        [
          { payload: slice(5), ms: 0 },
          { payload: slice(1), ms: 40, lost: 1, marker: true },
        ],
        ["1", "1D"],
      ],
      [
        "of the beginning of a key frame",
        [...unit(0, slice(1)), { payload: slice(5, false), ms: 40, lost: 1, marker: true }],
        ["1", "1D"],
      ],
      ["of the first fragments of a key frame", unit(0, ...fragments(5).slice(1)), ["2"]],
      ["between pictures", [...unit(0, slice(5)), { payload: slice(5), ms: 40, lost: 2, marker: true }], ["1K", "1KD"]],
    ];
    for (const [what, sent, seen] of lossy)
      it(what, () => {
        expect(new Studio(H264).send(...sent).seen).to.deep.equal(seen);
      });
  });

  describe("keeps the description true", () => {
    it("by parameter sets in the stream where it had none, before the group", () => {
      const studio = new Studio(H264).send({ payload: SPS, ms: 0 }, { payload: PPS, ms: 0 });
      expect(studio.announced).to.have.length(0);
      studio.send({ payload: slice(5), ms: 0, marker: true });
      expect(studio.announced.map(({ fmtp }) => fmtp)).to.deep.equal([fmtpOf(SPS)]);
      expect(studio.seen).to.deep.equal(["3K"]);
    });

    it("by the newest parameter sets, once each", () => {
      const studio = new Studio(videoTrack("H264", fmtpOf(SPS)));
      for (const [index, sps] of [SPS, SPS, OTHER_SPS, OTHER_SPS].entries())
        studio.send(...unit(index * 40, sps, PPS, slice(5)));
      expect(studio.announced.map(({ fmtp }) => fmtp)).to.deep.equal([fmtpOf(OTHER_SPS)]);
    });

    it("by the profile that the parameter sets say", () => {
      const studio = new Studio(videoTrack("H264", fmtpOf(SPS).replace("42C00D", "276400")));
      studio.picture(0, 5).picture(40);
      expect(studio.announced.map(({ fmtp }) => fmtp)).to.have.length(1);
      expect(studio.announced[0]?.fmtp).to.include("profile-level-id=42C00D");
    });

    it("and does not take the same old description of a new session for news", () => {
      const studio = new Studio(videoTrack("H264", fmtpOf(SPS))).send(...unit(0, OTHER_SPS, PPS, slice(5)));
      studio.receiver.restart(videoTrack("H264", fmtpOf(SPS)));
      studio.send(...unit(40, slice(5)));
      expect(studio.announced.map(({ fmtp }) => fmtp)).to.deep.equal([fmtpOf(OTHER_SPS)]);
      studio.receiver.restart(videoTrack("H264", `${fmtpOf(SPS)};x=y`));
      expect(studio.announced.at(-1)?.fmtp).to.include(SPS.toString("base64"));
    });

    it("of H.265", () => {
      const [vps, sps, pps] = [32, 33, 34].map((type) => Buffer.from([type << 1, 1, 0xaa, 0xbb]));
      const studio = new Studio(videoTrack("H265"));
      studio.send(...unit(0, vps ?? SPS, sps ?? SPS, pps ?? SPS, Buffer.from([19 << 1, 1, 0x80])));
      expect(studio.announced[0]?.fmtp).to.equal("sprop-vps=QAGquw==;sprop-sps=QgGquw==;sprop-pps=RAGquw==");
    });
  });

  it("takes capture times from plausible sender reports, and passes over broken ones", () => {
    const studio = new Studio(H264);
    studio.receiver.rtcp(Buffer.from("80c8ffff00", "hex"), START);
    const at = unixMillis(START - 100);
    studio.receiver.rtcp(senderReport({ ssrc: 7, at, rtpTime: studio.base, packets: 0, octets: 0, cname: "c" }), START);
    studio.picture(0, 5);
    expect(studio.groups[0]?.quality).to.equal("camera");
    expect(studio.groups[0]?.at).to.be.closeTo(START - 100, 0.01);
  });

  it("drops an access unit beyond all bounds, whole, and goes on behind it", () => {
    const studio = new Studio(H264).picture(0, 5);
    for (let packet = 0; packet < 9000; packet += 1) studio.send({ payload: slice(1, false), ms: 40 });
    studio.send({ payload: slice(1, false), ms: 40, marker: true });
    studio.picture(80, 5);
    expect(studio.seen).to.deep.equal(["1K", "1KD"]);
    const large = new Studio(H264);
    for (let packet = 0; packet < 200; packet += 1) large.send({ payload: slice(1, false, 60_000), ms: 0 });
    large.picture(80, 5);
    expect(large.seen).to.deep.equal(["1KD"]);
  });

  it("never throws, and never hands on what is not whole RTP, whatever a camera sends", () => {
    const packet = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .tuple(fc.nat(255), fc.nat(3), fc.nat(3), fc.uint8Array({ maxLength: 30 }))
        .map(([second, sequence, time, payload]) =>
          Uint8Array.from([0x80, second, 0, sequence, 0, 0, 0, time, 0, 0, 0, 7, ...payload]),
        ),
    );
    for (const codec of ["H264", "H265", "JPEG", "unknown"] as const)
      fc.assert(
        fc.property(fc.array(packet, { maxLength: 60 }), (packets) => {
          const studio = new Studio(videoTrack(codec));
          packets.forEach((bytes, index) => {
            studio.receiver.rtp(Buffer.from(bytes), unixMillis(START + index * 40));
            studio.receiver.rtcp(Buffer.from(bytes), unixMillis(START + index * 40));
          });
          studio.receiver.flush();
          for (const group of studio.groups) {
            expect(group.packets).not.to.have.length(0);
            for (const one of group.packets) expect(readRtp(one).ssrc).to.equal(studio.receiver.ssrc);
          }
        }),
        { numRuns: 60 },
      );
  });
});
