import { expect } from "chai";
import * as fc from "fast-check";
import { isFault } from "../../base/fault.ts";
import { readRtp, writeRtpHeader } from "../../media/rtp.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("reading RTP packets", () => {
  const packets: readonly (readonly [what: string, packet: string, payload: string])[] = [
    ["plain", "80e0 0102 00000304 00000506 aabb", "aabb"],
    ["without payload", "80e0 0102 00000304 00000506", ""],
    ["with contributing sources", "82e0 0102 00000304 00000506 11111111 22222222 aa", "aa"],
    ["with padding", "a0e0 0102 00000304 00000506 aabb 000003", "aabb"],
    ["that is all padding", "a0e0 0102 00000304 00000506 000003", ""],
    ["with an extension", "90e0 0102 00000304 00000506 abac0001 11111111 aa", "aa"],
    ["with an empty extension", "90e0 0102 00000304 00000506 abac0000 aa", "aa"],
    ["with all of it", "b1e0 0102 00000304 00000506 11111111 abac0001 22222222 aa 0002", "aa"],
  ];
  for (const [what, packet, payload] of packets)
    it(`finds the payload of one ${what}`, () => {
      const read = readRtp(hex(packet));
      expect(read.payload.toString("hex")).to.equal(payload);
      expect(read.payloadOffset).to.be.at.most(hex(packet).length);
      expect([read.marker, read.payloadType, read.sequence, read.timestamp, read.ssrc]).to.deep.equal([
        true,
        96,
        0x102,
        0x304,
        0x506,
      ]);
    });

  const broken: readonly (readonly [what: string, packet: string])[] = [
    ["too short", "80e0 0102 00000304 000005"],
    ["of another version", "40e0 0102 00000304 00000506"],
    ["with sources beyond its end", "8fe0 0102 00000304 00000506 aa"],
    ["with an extension beyond its end", "90e0 0102 00000304 00000506 abac0002 11111111"],
    ["with half an extension header", "90e0 0102 00000304 00000506 abac"],
    ["with more padding than there is", "a0e0 0102 00000304 00000506 aaff"],
  ];
  for (const [what, packet] of broken)
    it(`refuses one ${what}`, () => {
      expect(() => readRtp(hex(packet)))
        .to.throw()
        .that.satisfies((error: unknown) => isFault(error, "invalid"));
    });

  it("reads back what it writes", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.nat(127),
        fc.nat(0xffff),
        fc.nat(0xffffffff),
        fc.nat(0xffffffff),
        (marker, payloadType, sequence, timestamp, ssrc) => {
          const packet = Buffer.alloc(20, 0xff);
          const header = { marker, payloadType, sequence, timestamp, ssrc };
          writeRtpHeader(packet, header);
          expect(readRtp(packet)).to.deep.include(header);
        },
      ),
    );
  });

  it("throws nothing but Faults on garbage, and never reads beyond it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          const { payload, payloadOffset } = readRtp(Buffer.from(bytes));
          expect(payloadOffset + payload.length).to.be.at.most(bytes.length);
        } catch (error) {
          expect(isFault(error, "invalid")).to.equal(true);
        }
      }),
    );
  });
});
