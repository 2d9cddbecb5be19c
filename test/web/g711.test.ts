import { expect } from "chai";
import { unixMillis } from "../../base/units.ts";
import { tone } from "../../sim/tone.ts";
import { decodeG711 } from "../../web/ui/sound/g711.ts";

const level = (codec: "ulaw" | "alaw", byte: number): number =>
  Math.round((decodeG711(codec, Uint8Array.of(byte), 1)[0]?.[0] ?? Number.NaN) * 32_768);

describe("G.711 in the browser", () => {
  // ITU-T G.711 tables 1 and 2, of 13 and 14 bits, in 16.
  for (const [codec, byte, value] of [
    ["ulaw", 0xff, 0],
    ["ulaw", 0x80, 32_124],
    ["ulaw", 0x00, -32_124],
    ["ulaw", 0xfe, 8],
    ["ulaw", 0x7e, -8],
    ["ulaw", 0xef, 132],
    ["alaw", 0xd5, 8],
    ["alaw", 0x55, -8],
    ["alaw", 0xaa, 32_256],
    ["alaw", 0x2a, -32_256],
    ["alaw", 0xc5, 264],
  ] as const)
    it(`decodes ${byte.toString(16)} of ${codec} as ${value}`, () => expect(level(codec, byte)).to.equal(value));

  it("decodes what a simulated camera encodes", () => {
    const [samples = new Float32Array()] = decodeG711("ulaw", tone(unixMillis(0), 400), 1);
    for (const [index, sample] of samples.entries())
      expect(sample * 32_768).to.be.closeTo(9000 * Math.sin((2 * Math.PI * 880 * index) / 8000), 260);
  });

  it("gives each channel its own samples", () => {
    const [left, right] = decodeG711("ulaw", Uint8Array.of(0x80, 0xff, 0x80, 0xff, 0x80), 2);
    expect([[...(left ?? [])].map(Math.sign), [...(right ?? [])]]).to.deep.equal([
      [1, 1],
      [0, 0],
    ]);
  });
});
