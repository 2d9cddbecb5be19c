import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { base32, otpauthUri, stepOf } from "../../auth/totp.ts";
import { unixMillis } from "../../base/units.ts";
import { peer } from "../support/peer.ts";

const KEY = Buffer.from("12345678901234567890");

describe("one-time codes", () => {
  // RFC 6238 appendix B, SHA-1; six digits are the last of its eight.
  const vectors: readonly (readonly [seconds: number, code: string])[] = [
    [59, "287082"],
    [1_111_111_109, "081804"],
    [1_111_111_111, "050471"],
    [1_234_567_890, "005924"],
    [2_000_000_000, "279037"],
    [20_000_000_000, "353130"],
  ];
  for (const [seconds, code] of vectors)
    it(`are those of RFC 6238 at ${seconds} s`, () => {
      expect(stepOf(KEY, code, unixMillis(seconds * 1000), 0)).to.equal(Math.floor(seconds / 30));
    });

  const near: readonly (readonly [offsetSeconds: number, taken: boolean])[] = [
    [-60, false],
    [-30, true],
    [0, true],
    [30, true],
    [60, false],
  ];
  for (const [offset, taken] of near)
    it(`${taken ? "count" : "do not count"} ${offset} s from their own time`, () => {
      const at = unixMillis((1_234_567_890 + offset) * 1000);
      expect(stepOf(KEY, "005924", at, 0) !== undefined).to.equal(taken);
    });

  it("are not taken twice, nor is an older one after a newer", () => {
    const at = unixMillis(1_234_567_890_000);
    const step = stepOf(KEY, "005924", at, 0) ?? 0;
    expect(stepOf(KEY, "005924", at, step)).to.equal(undefined);
    expect(stepOf(KEY, "005924", at, step - 1)).to.equal(step);
  });

  for (const wrong of ["", "5924", "0059240", "00592", "abcdef", "005925"])
    it(`are not ${JSON.stringify(wrong)}`, () => {
      expect(stepOf(KEY, wrong, unixMillis(1_234_567_890_000), 0)).to.equal(undefined);
    });

  // RFC 4648 10, without padding.
  for (const [text, encoded] of [
    ["", ""],
    ["f", "MY"],
    ["fo", "MZXQ"],
    ["foo", "MZXW6"],
    ["foob", "MZXW6YQ"],
    ["fooba", "MZXW6YTB"],
    ["foobar", "MZXW6YTBOI"],
  ] as const)
    it(`have secrets in base32: ${text}`, () => {
      expect(base32(Buffer.from(text))).to.equal(encoded);
    });

  it("name the account in the address for authenticators", () => {
    expect(otpauthUri(KEY, "ada l&b")).to.equal(
      "otpauth://totp/Viaduct:ada%20l%26b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Viaduct&algorithm=SHA1&digits=6&period=30",
    );
  });

  it("are those of oathtool, for any secret at any time", async function () {
    const oathtool = peer(this, "oathtool");
    for (let n = 0; n < 20; n += 1) {
      const key = randomBytes(20);
      const seconds = 1_700_000_000 + n * 12_345_678;
      const { stdout } = await oathtool.run(["--totp", "--base32", "-N", `@${seconds}`, base32(key)]);
      expect(stepOf(key, stdout.toString().trim(), unixMillis(seconds * 1000), 0)).to.equal(Math.floor(seconds / 30));
    }
  });
});
