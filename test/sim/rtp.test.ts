import { expect } from "chai";
import { unixMillis, unixOfNtp } from "../../base/units.ts";
import { h264Payloads, RtpSender } from "../../sim/rtp.ts";

const nal = (type: number, bytes: number): Buffer => {
  const made = Buffer.alloc(bytes);
  for (let at = 1; at < bytes; at += 1) made[at] = (at * 7 + type) & 0xff;
  made[0] = 0x60 | type;
  return made;
};

describe("the simulated camera's RTP", () => {
  it("puts parameter sets together, and takes large NAL units apart without losing a byte", () => {
    const [sps, pps, idr, small] = [nal(7, 30), nal(8, 5), nal(5, 5000), nal(1, 1400)];
    const payloads = h264Payloads([sps, pps, idr, small]);
    expect(payloads.every((payload) => payload.length <= 1400)).to.equal(true);
    const [sets, ...rest] = payloads;
    expect(sets?.toString("hex")).to.equal(`78001e${sps.toString("hex")}0005${pps.toString("hex")}`);
    expect(rest.at(-1)).to.equal(small);
    const pieces = rest.slice(0, -1);
    expect(pieces.map((piece) => piece[0])).to.deep.equal([0x7c, 0x7c, 0x7c, 0x7c]);
    expect(pieces.map((piece) => piece[1])).to.deep.equal([0x85, 0x05, 0x05, 0x45]);
    expect(Buffer.concat([idr.subarray(0, 1), ...pieces.map((piece) => piece.subarray(2))]).equals(idr)).to.equal(true);
  });

  it("counts packets, marks the last one, and keeps time in its clock", () => {
    const sender = new RtpSender(96, 90_000);
    const first = sender.sequence;
    const packets = sender.packets([nal(1, 10), nal(1, 20)], 2, (index) => index === 1);
    expect(packets.map((packet) => packet.readUInt16BE(2))).to.deep.equal([first, (first + 1) % 2 ** 16]);
    expect(packets.map((packet) => packet[1])).to.deep.equal([96, 0x80 | 96]);
    expect(new Set(packets.map((packet) => packet.readUInt32BE(8)))).to.deep.equal(new Set([sender.ssrc]));
    const [later] = sender.packets([nal(1, 10)], 2.5, () => true);
    const passed = ((later?.readUInt32BE(4) ?? 0) - (packets[0]?.readUInt32BE(4) ?? 0) + 2 ** 32) % 2 ** 32;
    expect(passed).to.equal(45_000);
  });

  it("reports which wall-clock time is which RTP time, and how much was sent", () => {
    const sender = new RtpSender(96, 90_000);
    sender.packets([nal(1, 10), nal(1, 20)], 2, () => true);
    const report = sender.report(unixMillis(1_700_000_000_250), 3);
    expect(report.subarray(0, 4).toString("hex")).to.equal("80c80006");
    const ntp = { seconds: report.readUInt32BE(8), fraction: report.readUInt32BE(12) };
    expect(unixOfNtp(ntp)).to.be.closeTo(1_700_000_000_250, 0.01);
    expect(report.readUInt32BE(16)).to.equal(sender.timestamp(3));
    expect([report.readUInt32BE(20), report.readUInt32BE(24)]).to.deep.equal([2, 30]);
    // The description: one source, CNAME, whole words to the end.
    expect(report.subarray(28, 30).toString("hex")).to.equal("81ca");
    expect(4 * (report.readUInt16BE(30) + 1)).to.equal(report.length - 28);
  });
});
