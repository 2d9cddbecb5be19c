import { expect } from "chai";
import * as fc from "fast-check";
import { writeRtpHeader } from "../../media/rtp.ts";
import { SrtpReceiver, SrtpSender } from "../../media/srtp.ts";
import { counterMode, derived, gcm, type SrtpKeys } from "../../media/srtp-cipher.ts";
import { openRtp } from "../support/srtp.ts";

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ""), "hex");

describe("SRTP's ciphers", () => {
  it("derive session keys as RFC 3711 B.3 does", () => {
    const [key, salt] = [hex("E1F97A0D3E018BE0D64FA32C06DE4139"), hex("0EC675AD498AFEEBB6960B3AABE6")];
    expect(derived(key, salt, 0, 16).toString("hex")).to.equal("c61e7a93744f39ee10734afe3ff7a087");
    expect(derived(key, salt, 2, 14).toString("hex")).to.equal("30cbbc08863d8c85d49db34a9ae1");
    expect(derived(key, salt, 1, 20).toString("hex")).to.equal("cebe321f6ff7716b6fd4ab49af256a156d38baa4");
  });

  it("make the key stream of RFC 3711 B.2", () => {
    const key = hex("2B7E151628AED2A6ABF7158809CF4F3C");
    const cipher = counterMode(key, hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"), Buffer.alloc(20));
    const { content } = cipher.seal(Buffer.alloc(12), Buffer.alloc(48), {
      ssrc: 0,
      index: 0,
      trailer: Buffer.alloc(4),
    });
    expect(content).to.deep.equal(
      hex("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0"),
    );
  });

  it("seal and open RTP with GCM as in RFC 7714 16.1", () => {
    const cipher = gcm(hex("000102030405060708090a0b0c0d0e0f"), hex("517569642070726f2071756f"), "rtp");
    const clear = hex("8040f17b8041f8d35501a0b2");
    const content = hex("47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573");
    const at = { ssrc: 0x55_01_a0_b2, index: 0xf1_7b, trailer: Buffer.alloc(4) };
    const sealed = cipher.seal(clear, content, at);
    expect(Buffer.concat([sealed.content, sealed.tag]).toString("hex")).to.equal(
      "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
    );
    expect(cipher.open(clear, sealed.content, sealed.tag, at)).to.deep.equal(content);
    expect(cipher.open(clear, sealed.content, sealed.tag, { ...at, index: 1 })).to.equal(undefined);
  });

  it("seal and open RTCP with GCM as in RFC 7714 17.1", () => {
    const cipher = gcm(hex("000102030405060708090a0b0c0d0e0f"), hex("517569642070726f2071756f"), "rtcp");
    const clear = hex("81c8000d4d617273");
    const content = hex("4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
    const at = { ssrc: 0x4d_61_72_73, index: 0x5d4, trailer: hex("800005d4") };
    const sealed = cipher.seal(clear, content, at);
    expect(Buffer.concat([sealed.content, sealed.tag]).toString("hex")).to.equal(
      "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade",
    );
    expect(cipher.open(clear, sealed.content, sealed.tag, at)).to.deep.equal(content);
  });
});

/** The master key of libsrtp's own test, whose packets are known (srtp_driver.c, srtp_validate). */
const LIBSRTP: SrtpKeys = {
  suite: "AES_CM_128_HMAC_SHA1_80",
  masterKey: hex("e1f97a0d3e018be0d64fa32c06de4139"),
  masterSalt: hex("0ec675ad498afeebb6960b3aabe6"),
  mki: Buffer.alloc(0),
};

const RECEIVER_REPORT = hex("80c9000101020304");

function packetOf(sequence: number, ssrc = 7, timestamp = 0): Buffer {
  const packet = Buffer.alloc(40, 0xab);
  writeRtpHeader(packet, { marker: false, payloadType: 96, sequence, timestamp, ssrc });
  return packet;
}

describe("SRTP", () => {
  it("protects a packet as libsrtp does", () => {
    const packet = hex("800f1234decafbadcafebabe abababab abababab abababab abababab");
    expect(new SrtpSender(LIBSRTP).protect(packet)?.toString("hex")).to.equal(
      "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
    );
  });

  it("protects a report as libsrtp does", () => {
    const report = hex("81c8000bcafebabe abababab abababab abababab abababab");
    expect(new SrtpSender(LIBSRTP).protectReport(report).toString("hex")).to.equal(
      "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798",
    );
  });

  it("refuses keys of a wrong length", () => {
    for (const suite of ["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"] as const)
      expect(() => new SrtpSender({ ...LIBSRTP, suite, masterSalt: Buffer.alloc(13) })).to.throw("salt of 13");
  });

  for (const suite of ["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"] as const)
    for (const mki of [Buffer.alloc(0), hex("0000002f")]) {
      const masterSalt = Buffer.alloc(suite === "AEAD_AES_128_GCM" ? 12 : 14, 3);
      const keys: SrtpKeys = { suite, masterKey: Buffer.alloc(16, 2), masterSalt, mki };

      describe(`with ${suite} and ${mki.length === 0 ? "no MKI" : "an MKI"}`, () => {
        it("counts on when sequence numbers begin anew, for each source by itself", () => {
          const sender = new SrtpSender(keys);
          for (const [sequence, index] of [
            [65_534, 65_534],
            [65_535, 65_535],
            [1, 65_537],
            [30_000, 95_536],
            [62_000, 127_536],
            [10, 131_082],
          ] as const) {
            const packet = packetOf(sequence);
            expect(openRtp(keys, sender.protect(packet) ?? packet, index), `${sequence}`).to.deep.equal(
              packet.subarray(12),
            );
            sender.protect(packetOf(1, 8 + index));
          }
        });

        it("does not send again what was sent, as the beginning after a pause is", () => {
          const sender = new SrtpSender(keys);
          sender.protect(packetOf(65_530, 7, 1000));
          sender.protect(packetOf(3, 7, 4000));
          for (const [sequence, timestamp] of [
            [3, 4000],
            [2, 4000],
            [65_530, 1000],
            [65_000, 100],
          ] as const)
            expect(sender.protect(packetOf(sequence, 7, timestamp)), `${sequence}`).to.equal(undefined);
          expect(sender.protect(packetOf(4, 7, 4000))).not.to.equal(undefined);
        });

        it("ends where a receiver would take a number for one from the past", () => {
          const sender = new SrtpSender(keys);
          sender.protect(packetOf(100, 7, 1000));
          expect(() => sender.protect(packetOf(100 + 32_768, 7, 2000))).to.throw("too far ahead");
          expect(() => sender.protect(packetOf(100, 7, 2000))).to.throw("too far ahead");
        });

        it("takes no more sources than it can count, and forgets none: their numbers would be used twice", () => {
          const sender = new SrtpSender(keys);
          for (let ssrc = 0; ssrc < 16; ssrc += 1) expect(sender.protect(packetOf(1, ssrc))).not.to.equal(undefined);
          expect(() => sender.protect(packetOf(1, 16))).to.throw("more than 16 sources");
          expect(() => sender.protectReport(hex("80c9000100000010"))).to.throw("more than 16 sources");
          expect(sender.protect(packetOf(1, 0))).to.equal(undefined);
          expect(sender.protect(packetOf(2, 0))).not.to.equal(undefined);
        });

        it("knows the sources that it has sent packets or reports of", () => {
          const sender = new SrtpSender(keys);
          const [packets, reports] = [hex("81c8000c00000007"), hex("80c9000100000008")];
          for (const report of [packets, reports]) expect(sender.hasSent(report)).to.equal(false);
          sender.protect(packetOf(1, 7));
          expect(sender.hasSent(sender.protectReport(reports))).to.equal(true);
          for (const report of [packets, reports]) expect(sender.hasSent(report)).to.equal(true);
          expect(sender.hasSent(RECEIVER_REPORT)).to.equal(false);
          expect(sender.hasSent(packets.subarray(0, 7))).to.equal(false);
        });

        it("keeps CSRCs and header extensions in the clear", () => {
          const packet = Buffer.concat([hex("9160000100000000000000070000000abede0001aabbccdd"), Buffer.alloc(20, 1)]);
          const sealed = new SrtpSender(keys).protect(packet) ?? packet;
          expect(sealed.subarray(0, 24)).to.deep.equal(packet.subarray(0, 24));
          expect(sealed.subarray(24, 44)).not.to.deep.equal(packet.subarray(24));
        });

        it("opens reports once, in any order, and nothing that was changed or cut", () => {
          const [sender, receiver] = [new SrtpSender(keys), new SrtpReceiver(keys)];
          const sealed = Array.from({ length: 100 }, () => sender.protectReport(RECEIVER_REPORT));
          const open = (index: number): Buffer | undefined => receiver.openReport(sealed[index] ?? Buffer.alloc(0));
          const [first = Buffer.alloc(0)] = sealed;
          for (let at = 0; at < first.length; at += 1) {
            const changed = Buffer.from(first);
            changed.writeUInt8((changed[at] ?? 0) ^ 1, at);
            expect(receiver.openReport(changed), `byte ${at}`).to.equal(undefined);
            expect(receiver.openReport(first.subarray(0, at)), `${at} bytes`).to.equal(undefined);
          }
          expect(open(10)).to.deep.equal(RECEIVER_REPORT);
          expect(open(10)).to.equal(undefined);
          expect(open(3)).to.deep.equal(RECEIVER_REPORT);
          expect(open(3)).to.equal(undefined);
          expect(open(70)).to.deep.equal(RECEIVER_REPORT);
          expect(open(11)).to.deep.equal(RECEIVER_REPORT);
          expect(open(3)).to.equal(undefined);
          expect(open(5), "too old").to.equal(undefined);
          expect(open(99)).to.deep.equal(RECEIVER_REPORT);
        });

        it("remembers no more sources than a client has", () => {
          const [sender, receiver] = [new SrtpSender(keys), new SrtpReceiver(keys)];
          const from = (ssrc: number): Buffer | undefined => {
            const report = Buffer.from(RECEIVER_REPORT);
            report.writeUInt32BE(ssrc, 4);
            return receiver.openReport(sender.protectReport(report));
          };
          for (let ssrc = 0; ssrc < 8; ssrc += 1) expect(from(ssrc)).not.to.equal(undefined);
          expect(from(8)).to.equal(undefined);
          expect(from(7)).not.to.equal(undefined);
        });

        it("throws nothing at what may come", () => {
          const receiver = new SrtpReceiver(keys);
          fc.assert(
            fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
              expect(receiver.openReport(Buffer.from(bytes))).to.equal(undefined);
            }),
          );
        });
      });
    }
});
