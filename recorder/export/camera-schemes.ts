import { ifValid } from "../../base/fault.ts";
import { lengthPrefixed } from "../../media/nal.ts";
import { H264_CODEC, H265_CODEC, type NalCodec } from "../../media/nal-codec.ts";
import type { SigningScheme } from "../../media/signing/scheme.ts";
import { signingSchemeOf } from "../../media/signing/sei.ts";
import type { Fmp4Track } from "../fmp4.ts";
import type { FragmentParts } from "./reshape.ts";

const CODECS: Readonly<Record<string, NalCodec>> = { H264: H264_CODEC, H265: H265_CODEC };

/** In which formats a camera has signed what is in a fragment: looked for, not verified. */
export function schemesIn(
  body: Buffer,
  { moof, runs }: FragmentParts,
  tracks: readonly Fmp4Track[],
): readonly SigningScheme[] {
  const media = body.subarray(moof.start);
  const found = new Set<SigningScheme>();
  for (const { trackId, samples } of runs) {
    const codec = CODECS[tracks.find(({ id }) => id === trackId)?.format.codec ?? ""];
    if (codec === undefined) continue;
    for (const { offset, size } of samples)
      for (const nal of ifValid(() => lengthPrefixed(media.subarray(offset, offset + size))) ?? []) {
        const scheme = signingSchemeOf(nal, codec);
        if (scheme !== undefined) found.add(scheme);
      }
  }
  return [...found];
}
