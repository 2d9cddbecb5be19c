import { h264FmtpUnits } from "../../../media/h264.ts";
import { h265FmtpUnits } from "../../../media/h265.ts";
import { ParameterSets } from "../../../media/parameter-sets.ts";
import type { PictureSize } from "../../../media/picture-size.ts";
import type { Track } from "../../../media/track.ts";

/** Read once: a track never changes, a camera that describes itself anew has new ones. */
const known = new WeakMap<Track, PictureSize | "unknown">();

/** The picture's size, as far as the stream description has the codec's parameter sets (RFC 6184 8.1, RFC 7798 7.1). */
export function pictureOf(track: Track): PictureSize | undefined {
  const size = known.get(track) ?? read(track) ?? "unknown";
  known.set(track, size);
  return size === "unknown" ? undefined : size;
}

function read({ codec, fmtp }: Track): PictureSize | undefined {
  if (codec !== "H264" && codec !== "H265") return undefined;
  const sets = new ParameterSets(codec);
  for (const nal of codec === "H264" ? h264FmtpUnits(fmtp) : h265FmtpUnits(fmtp)) sets.note(nal);
  return sets.format;
}
