import { expect } from "chai";
import * as fc from "fast-check";
import { FramedPackets } from "../../media/framed-packets.ts";
import { ReusedMemory } from "../../media/reused-memory.ts";

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

  it("have room made in the first of them where they lie, if they have spare memory, and elsewhere if not", () => {
    const given = fc.array(fc.uint8Array({ minLength: 12, maxLength: 300 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(given, fc.integer({ min: 4, max: 16 }), fc.nat(20), fc.integer({ min: 1, max: 20 }), (...args) => {
        const [list, at, spareBytes, more] = args;
        const memory = new ReusedMemory();
        const plain = FramedPackets.of(list, 4);
        const piece = memory.take(spareBytes + plain.bytes.length);
        const { byteOffset } = piece;
        plain.bytes.copy(piece, spareBytes);
        const framed = new FramedPackets(piece.subarray(spareBytes), plain.count, spareBytes);
        const wide = framed.widened(at, more, memory);
        expect(wide.bytes.buffer).to.equal(piece.buffer);
        const { bytes } = wide;
        expect(wide.list.map(({ length }) => length)).to.deep.equal(
          list.map(({ length }, index) => (index === 0 ? length + more : length)),
        );
        const kept = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + more)]);
        kept.writeUInt16BE(kept.readUInt16BE(2) - more, 2);
        expect(kept.equals(plain.bytes)).to.equal(true);
        // Its place is used again, and no other's: the next piece would else come behind it.
        wide.giveBack(memory);
        expect(memory.take(1).byteOffset).to.equal(byteOffset);
      }),
    );
  });

  it("know whose packets they are", () => {
    expect(FramedPackets.of([Buffer.from("806000010000000201020304ff", "hex")], 0).ssrc).to.equal(0x01020304);
    expect(FramedPackets.of([], 0).ssrc).to.equal(undefined);
  });
});
