import { expect } from "chai";
import { unshowable } from "../../web/ui/unshowable.ts";

describe("what a browser cannot show", () => {
  for (const [codec, name] of [
    ["hvc1.1.6.L93.B0", "H.265"],
    ['video/mp4; codecs="hvc1.1.6.L60.90"', "H.265"],
    ['video/mp4; codecs="avc1.42C01E"', "H.264"],
    ["mp4v.20.9", "mp4v"],
  ] as const)
    it(`is named as people know it: ${codec}`, () => {
      expect(unshowable(codec)).to.equal(`This browser cannot show ${name} video.`);
    });
});
