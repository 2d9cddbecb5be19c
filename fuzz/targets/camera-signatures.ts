import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { H264_CODEC, H265_CODEC } from "../../media/nal-codec.ts";
import { CameraVerifier } from "../../media/signing/camera-verifier.ts";
import type { CameraTrust } from "../../media/signing/certificates.ts";
import { inputsOf } from "../seeds.ts";
import { holds, type Target, target } from "../target.ts";

/** The maker of the seeds' cameras. */
const MAKER = new X509Certificate(readFileSync(new URL("../seeds/camera-signature.pem", import.meta.url)));

const ofMaker: CameraTrust = ([leaf]) => (leaf?.verify(MAKER.publicKey) === true ? undefined : "another");

/** What is signed in the seeds, slice by slice. */
const SIGNED: ReadonlySet<string> = new Set(
  inputsOf("seeds", "camera-signature").flatMap(([, seed]) => slicesIn(seed).map((one) => one.toString("latin1"))),
);

/** NAL units of type 1 and 5, each behind its length, up to where that makes no sense. */
function slicesIn(film: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 1; at + 4 <= film.length; ) {
    const end = at + 4 + film.readUInt32BE(at);
    const nal = film.subarray(at + 4, end);
    if (end > film.length) break;
    if ([1, 5].includes((nal[0] ?? 0) & 0x1f)) found.push(nal);
    at = end;
  }
  return found;
}

/** What cameras put into their streams to sign them. */
export const TARGETS: readonly Target[] = [
  target({
    name: "camera-signature",
    maxBytes: 32_768,
    words:
      "\0\0\0\x01 \0\0\x03 \x06\x05 \x4e\x01\x05 \x01\0\x5b \x02\0\x41 \x03\0\x4b \x04\0\x0f \x05\0\x07 \x06\x03 \x07\0\x02 \xff\xff \x80 \x40",
    run(input) {
      const codec = (input[0] ?? 0) % 2 === 0 ? H264_CODEC : H265_CODEC;
      const verifier = new CameraVerifier(codec, { trust: ofMaker });
      let pictures = 0;
      for (let at = 1; at + 4 <= input.length; pictures += 1) {
        const end = at + 4 + input.readUInt32BE(at);
        verifier.picture(input.subarray(at, end), { fromUs: pictures, toUs: pictures + 1, isAfterLoss: false });
        at = end;
      }
      const { findings } = verifier.end();
      holds(findings.length <= 4 * pictures, "no more is said than there is to say it of");
      const isAllKnown = slicesIn(input).every((one) => SIGNED.has(one.toString("latin1")));
      const isGood = findings.length > 0 && findings.every(({ verdict }) => verdict === "ok");
      holds(!isGood || codec === H265_CODEC || isAllKnown, "nothing is good that was not signed");
    },
  }),
];
