import { expect } from "chai";
import * as fc from "fast-check";
import { type NtpTime, ntpOf, unixMillis } from "../../../base/units.ts";
import { ReplayTimes } from "../../../rtsp/client/replay-times.ts";

const AT = unixMillis(Date.UTC(2026, 10, 24, 13, 5, 0));

/** An RTP packet with this header extension; none if absent. `csrcs`: how many it names. */
function packet(o: {
  rtpTime: number;
  ntp?: NtpTime;
  flags?: number;
  id?: number;
  words?: number;
  csrcs?: number;
}): Buffer {
  const { rtpTime, ntp, flags = 0, id = 0xabac, words = 3, csrcs = 0 } = o;
  const head = Buffer.alloc(12 + csrcs * 4);
  head[0] = 0x80 | csrcs | (ntp === undefined ? 0 : 0x10);
  head.writeUInt32BE(rtpTime, 4);
  if (ntp === undefined) return Buffer.concat([head, Buffer.of(0x65, 1, 2)]);
  const extension = Buffer.alloc(4 + Math.max(3, words) * 4);
  extension.writeUInt16BE(id, 0);
  extension.writeUInt16BE(words, 2);
  extension.writeUInt32BE(ntp.seconds, 4);
  extension.writeUInt32BE(ntp.fraction, 8);
  extension[12] = flags;
  return Buffer.concat([head, extension, Buffer.of(0x65, 1, 2)]);
}

describe("the times of a replay", () => {
  for (const [name, first, rtpTime, expected] of [
    ["are those that packets tell", undefined, 0, AT],
    ["are found behind sources that contributed", { csrcs: 3 }, 0, AT],
    ["are found in front of another extension", { words: 9 }, 0, AT],
    ["are counted on where packets tell none", {}, 45_000, AT + 500],
    ["are counted back as well, for B-frames", {}, 2 ** 32 - 9000, AT - 100],
    ["are counted over the end of the numbers", { rtpTime: 2 ** 32 - 45_000 }, 45_000, AT + 1000],
    ["are not counted on for too long", {}, 90_000 * 11, undefined],
    ["are not those of another extension", { id: 0xabad }, 0, undefined],
    ["are not those of one that is too short", { words: 2 }, 0, undefined],
  ] as const)
    it(name, () => {
      const times = new ReplayTimes(90_000);
      const told = times.of(packet({ rtpTime: 0, ntp: ntpOf(AT), ...first }));
      const { at } = first === undefined ? told : times.of(packet({ rtpTime, csrcs: 0 }));
      if (expected === undefined) expect(at).to.equal(undefined);
      else expect(at).to.be.closeTo(expected, 0.01);
    });

  it("say what is the last of its track", () => {
    const times = new ReplayTimes(90_000);
    const flags = [0x00, 0x80, 0x40, 0x20, 0x10, 0xf0];
    const found = flags.map((one) => times.of(packet({ rtpTime: 0, ntp: ntpOf(AT), flags: one })).isLast);
    expect(found).to.deep.equal([false, false, false, false, true, true]);
  });

  it("are read of any bytes without a fault", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        new ReplayTimes(90_000).of(Buffer.from(bytes));
        const dated = packet({ rtpTime: 0, ntp: ntpOf(AT) });
        new ReplayTimes(90_000).of(Buffer.concat([dated.subarray(0, bytes.length), Buffer.from(bytes)]));
      }),
    );
  });
});
