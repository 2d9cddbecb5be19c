import { SECOND, type UnixMillis } from "../base/units.ts";
import { codecString } from "../media/codec-string.ts";
import { createDepacketizer } from "../media/depacketizer.ts";
import type { Sample } from "../media/sample.ts";
import type { RecordedSource } from "../media/source.ts";

/** Tracks are mixed, and one may be so much before another: beyond that, no picture comes that is wanted. */
const MIXED_MS = SECOND;

/** One picture that needs no other to be decoded. */
export interface KeyFrame {
  /** When it was captured. */
  readonly at: UnixMillis;
  /** As RFC 6381 has it, or `jpeg`. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** The decoder configuration record (ISO/IEC 14496-15); empty for JPEG. */
  readonly config: Buffer;
  readonly data: Buffer;
}

/**
 * The last key frame at or before an instant, as it was encoded: nothing but its fragment is read. Undefined where nothing is recorded at
 * that instant; the codec's name where it is one that browsers do not decode.
 */
export async function keyFrameAt(
  source: RecordedSource,
  at: UnixMillis,
  signal: AbortSignal,
): Promise<KeyFrame | string | undefined> {
  const tracks = await source.tracks(at);
  const index = tracks.findIndex(({ kind }) => kind === "video");
  const track = tracks[index];
  if (track === undefined) return undefined;
  const depacketizer = createDepacketizer(track);
  if (depacketizer === undefined) return track.encoding;
  for await (const group of source.read({ from: at }, signal)) {
    // Behind a gap; or what came before is too old for the account; or sound goes on without a picture, perhaps for days.
    if (group.at > (group.track === index ? at : at + MIXED_MS)) return undefined;
    if (group.track !== index) continue;
    const sample = [...depacketizer.push(group), ...depacketizer.flush()].find(({ key }) => key);
    if (sample !== undefined) return keyFrameOf(sample) ?? track.encoding;
  }
  return undefined;
}

function keyFrameOf({ at, format, data }: Sample): KeyFrame | undefined {
  if (format.codec === "JPEG") return { at, codec: "jpeg", ...sizeOf(format), config: Buffer.alloc(0), data };
  const codec = codecString(format);
  if (codec === undefined || !("width" in format) || !("config" in format)) return undefined;
  return { at, codec, ...sizeOf(format), config: format.config, data };
}

function sizeOf({ width, height }: { readonly width: number; readonly height: number }) {
  return { width, height };
}
