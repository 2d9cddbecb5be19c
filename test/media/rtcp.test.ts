import { expect } from "chai";
import * as fc from "fast-check";
import { isFault } from "../../base/fault.ts";
import { unixMillis, unixOfNtp } from "../../base/units.ts";
import { bye, keyRequest, readRtcp, receiverReport, senderReport, wantsKey } from "../../media/rtcp.ts";

describe("RTCP", () => {
  const AT = unixMillis(Date.UTC(2026, 10, 24, 13, 5, 9, 120));

  it("reads back a sender report, to the millisecond", () => {
    const packet = senderReport({ ssrc: 1, at: AT, rtpTime: 0xffffffff, packets: 2, octets: 3, cname: "viaduct" });
    const { senders, byes } = readRtcp(packet);
    expect(byes).to.deep.equal([]);
    expect(senders.map(({ ssrc, rtpTime }) => [ssrc, rtpTime])).to.deep.equal([[1, 0xffffffff]]);
    const [sender] = senders;
    expect(sender && unixOfNtp(sender.ntp)).to.be.closeTo(AT, 0.001);
  });

  it("ends each source description at a whole word with a zero behind it, whatever the name", () => {
    for (let length = 1; length <= 20; length += 1) {
      const packet = senderReport({ ssrc: 1, at: AT, rtpTime: 0, packets: 0, octets: 0, cname: "x".repeat(length) });
      expect(packet.length % 4).to.equal(0);
      expect(packet.at(-1)).to.equal(0);
      expect(packet.readUInt16BE(30) * 4 + 4 + 28, "length of the last part").to.equal(packet.length);
    }
  });

  it("prints a receiver report field by field as RFC 3550 6.4.2 has it", () => {
    const packet = receiverReport({
      ssrc: 0x11111111,
      cname: "v",
      reception: {
        ssrc: 0x22222222,
        highestSequence: 0x10005,
        jitterTicks: 7,
        lost: -1,
        lostFraction: 0.5,
        newestReport: { middle: 0x33333333, ageMs: 1500 },
      },
    });
    expect(packet.subarray(0, 32).toString("hex")).to.equal(
      "81c90007111111112222222280ffffff00010005000000073333333300018000",
    );
  });

  it("reports nothing where nothing was received, and says goodbye in a compound packet", () => {
    const packet = bye(5, "v");
    expect(readRtcp(packet)).to.deep.equal({ senders: [], byes: [5], keyWanted: false });
    expect([packet[0], packet[1]]).to.deep.equal([0x80, 201]);
  });

  const requests: readonly (readonly [what: string, hex: string, wanted: boolean])[] = [
    ["a picture loss indication", "80c900010000000181ce00020000000100000002", true],
    ["a full intra request", "80c900010000000184ce000400000001000000000000000205000000", true],
    ["a slice loss indication", "80c900010000000182ce0003000000010000000200000000", false],
    ["a negative acknowledgement of packets", "80c900010000000181cd0003000000010000000200000000", false],
    ["a picture loss indication without a source", "81ce000100000001", false],
    ["an empty report", "80c9000100000001", false],
    ["no RTCP", "00", false],
  ];
  for (const [what, hex, wanted] of requests)
    it(`${wanted ? "takes" : "does not take"} ${what} for a request for a key frame`, () => {
      expect(wantsKey(Buffer.from(hex, "hex"))).to.equal(wanted);
    });

  it("prints requests for a key frame byte by byte as RFC 4585 6.3.1 and RFC 5104 4.3.1 have them, behind a report", () => {
    const request = { ssrc: 0x11111111, cname: "v", media: 0x22222222, sequence: 0x107 };
    const [pli, fir] = (["nack pli", "ccm fir"] as const).map((by) => keyRequest({ ...request, by }).toString("hex"));
    const report = "80c900011111111181ca00021111111101017600";
    expect(pli).to.equal(`${report}81ce00021111111122222222`);
    expect(fir).to.equal(`${report}84ce000411111111000000002222222207000000`);
  });

  const broken: readonly (readonly [what: string, packet: Buffer])[] = [
    ["another version", Buffer.from("40c80000", "hex")],
    ["a part that is longer than the packet", Buffer.from(`80c80007${"00".repeat(8)}`, "hex")],
    ["a few bytes at the end", Buffer.from("80c9000100000001aa", "hex")],
    ["hundreds of parts", Buffer.from("80c90000".repeat(65), "hex")],
  ];
  for (const [what, packet] of broken)
    it(`refuses ${what}`, () => {
      expect(() => readRtcp(packet))
        .to.throw()
        .that.satisfies((error: unknown) => isFault(error, "invalid"));
    });

  it("passes over a sender report that is too short", () => {
    expect(readRtcp(Buffer.from("80c8000100000001", "hex")).senders).to.deep.equal([]);
  });

  it("throws nothing but Faults on garbage", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, plausible) => {
        const packet = Buffer.from(bytes);
        if (plausible && packet.length > 3) packet.set([0x81, 200 + ((packet[1] ?? 0) % 5), 0], 0);
        try {
          readRtcp(packet);
        } catch (error) {
          expect(isFault(error, "invalid")).to.equal(true);
        }
      }),
    );
  });
});
