import { expect } from "chai";
import * as fc from "fast-check";
import { FramedPackets } from "../../media/framed-packets.ts";

const packets = fc.array(fc.uint8Array({ minLength: 12, maxLength: 300 }), { maxLength: 20 });
const channels = fc.nat(255);

describe("framed packets", () => {
  it("give back the packets that they were made of", () => {
    fc.assert(
      fc.property(packets, channels, (given, channel) => {
        const framed = FramedPackets.of(given, channel);
        expect(framed.count).to.equal(given.length);
        expect(framed.list.map((one) => Buffer.from(one))).to.deep.equal(given.map((one) => Buffer.from(one)));
        expect(framed.payloadBytes).to.equal(given.reduce((sum, one) => sum + one.length - 12, 0));
      }),
    );
  });

  it("differ on another channel by its number alone, and leave the original as it was", () => {
    fc.assert(
      fc.property(packets, channels, channels, (given, one, other) => {
        const framed = FramedPackets.of(given, one);
        const before = Buffer.from(framed.bytes);
        expect(framed.onChannel(other)).to.deep.equal(FramedPackets.of(given, other).bytes);
        expect(framed.bytes).to.deep.equal(before);
      }),
    );
  });

  it("know whose packets they are", () => {
    expect(FramedPackets.of([Buffer.from("806000010000000201020304ff", "hex")], 0).ssrc).to.equal(0x01020304);
    expect(FramedPackets.of([], 0).ssrc).to.equal(undefined);
  });
});
