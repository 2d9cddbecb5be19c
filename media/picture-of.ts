import { remembered } from "../base/remember.ts";
import { h264FmtpUnits, pickH264 } from "./h264.ts";
import { h264FrameRate } from "./h264-config.ts";
import { h265FmtpUnits } from "./h265.ts";
import { ParameterSets } from "./parameter-sets.ts";
import type { PictureSize } from "./picture-size.ts";
import type { Track } from "./track.ts";

export interface Picture extends PictureSize {
  /** Frames per second; absent where the parameter sets do not say it, or are H.265's. */
  readonly fps?: number;
}

/** What pictures a track has, as far as its description has the codec's parameter sets (RFC 6184 8.1, RFC 7798 7.1). */
export const pictureOf: (track: Track) => Picture | undefined = remembered(read);

function read({ codec, fmtp }: Track): Picture | undefined {
  if (codec !== "H264" && codec !== "H265") return undefined;
  const nals = codec === "H264" ? h264FmtpUnits(fmtp) : h265FmtpUnits(fmtp);
  const sets = new ParameterSets(codec);
  for (const nal of nals) sets.note(nal);
  const { format } = sets;
  if (format === undefined) return undefined;
  const { sps } = codec === "H264" ? pickH264(nals) : {};
  const fps = sps && h264FrameRate(sps);
  return { width: format.width, height: format.height, ...(fps === undefined ? {} : { fps }) };
}
