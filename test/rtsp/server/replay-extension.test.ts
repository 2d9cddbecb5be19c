import { expect } from "chai";
import { unixMillis } from "../../../base/units.ts";
import { PacketGroup } from "../../../media/group.ts";
import { ReusedMemory } from "../../../media/reused-memory.ts";
import { readRtp } from "../../../media/rtp.ts";
import { atRtpTime, type ReplayMarks, withReplayExtension } from "../../../rtsp/server/replay-extension.ts";

const NONE: ReplayMarks = { end: false, discontinuity: false, terminal: false, sequence: 0 };
/** 2026-01-01T00:00:00.500Z: seconds since 1900, and half of 2^32. */
const AT = unixMillis(Date.UTC(2026, 0, 1, 0, 0, 0, 500));
const NTP = "ed00378080000000";

function group(packets: readonly string[], key = true): PacketGroup {
  const marks = { track: 0, rtpTime: 0x01020304, at: AT, quality: "camera", key, discontinuity: false } as const;
  return new PacketGroup(
    marks,
    packets.map((hex) => Buffer.from(hex.replaceAll(" ", ""), "hex")),
  );
}
const hex = (one: PacketGroup): readonly string[] => one.packets.map((packet) => packet.toString("hex"));

const PLAIN = "80 60 0001 01020304 00000064 aabb";
const SECOND = "80 e0 0002 01020304 00000064 cc";
const EXTENDED = "90 60 0001 01020304 00000064 ffd8 0001 11223344 aabb";

describe("the header extension of a replay", () => {
  it("goes into the first packet of an access unit, with the time of its capture", () => {
    const [first, second] = hex(withReplayExtension(group([PLAIN, SECOND]), NONE, new ReusedMemory()));
    expect(first).to.equal(`906000010102030400000064abac0003${NTP}80000000aabb`);
    expect(second).to.equal(SECOND.replaceAll(" ", ""));
  });

  const flags: readonly (readonly [what: string, marks: Partial<ReplayMarks>, key: boolean, byte: number])[] = [
    ["a clean point", {}, true, 0x80],
    ["no clean point", {}, false, 0],
    ["the end of a section", { end: true }, false, 0x40],
    ["a discontinuity", { discontinuity: true }, false, 0x20],
    ["the terminal frame", { terminal: true }, false, 0x10],
    ["everything at once", { end: true, discontinuity: true, terminal: true }, true, 0xf0],
  ];
  for (const [what, marks, key, byte] of flags)
    it(`marks ${what}`, () => {
      const [packet] = withReplayExtension(group([PLAIN], key), { ...NONE, ...marks }, new ReusedMemory()).packets;
      expect(packet?.[24]).to.equal(byte);
    });

  it("carries the low byte of the PLAY's CSeq", () => {
    const [packet] = withReplayExtension(group([PLAIN]), { ...NONE, sequence: 0x1ff }, new ReusedMemory()).packets;
    expect(packet?.[25]).to.equal(0xff);
  });

  it("keeps an extension that was there behind its own", () => {
    const [packet] = hex(withReplayExtension(group([EXTENDED]), NONE, new ReusedMemory()));
    expect(packet).to.equal(`906000010102030400000064abac0005${NTP}80000000ffd8000111223344aabb`);
  });

  it("leaves a packet that everybody can read", () => {
    for (const one of [PLAIN, EXTENDED]) {
      const [packet] = withReplayExtension(group([one]), NONE, new ReusedMemory()).packets;
      const { payload, sequence, timestamp, ssrc } = readRtp(packet ?? Buffer.alloc(0));
      expect(payload.toString("hex")).to.equal("aabb");
      expect([sequence, timestamp, ssrc]).to.deep.equal([1, 0x01020304, 0x64]);
    }
  });

  it("leaves the group that others share as it was", () => {
    const shared = group([PLAIN]);
    withReplayExtension(shared, NONE, new ReusedMemory());
    atRtpTime(shared, 7, new ReusedMemory());
    expect(hex(shared)).to.deep.equal([PLAIN.replaceAll(" ", "")]);
  });

  it("is the same at another RTP time, and wraps", () => {
    const moved = atRtpTime(group([PLAIN, SECOND]), 0xffff_fff0, new ReusedMemory());
    expect(moved.rtpTime).to.equal(0xffff_fff0);
    expect(moved.packets.map((packet) => readRtp(packet).timestamp)).to.deep.equal([0xffff_fff0, 0xffff_fff0]);
  });
});
