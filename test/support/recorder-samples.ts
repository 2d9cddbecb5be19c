import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unixMillis } from "../../base/units.ts";
import type { Sample, SampleFormat } from "../../media/sample.ts";
import type { Track } from "../../media/track.ts";

/** Parameter sets that x264 wrote for 320x240 in baseline profile. */
const SPS = Buffer.from("6742c00dda0507ec0440000003004000000c83c50aa8", "hex");
/** The same encoder's for 352x288. */
const OTHER_SPS = Buffer.from("6742c00dda0582590110000003001000000303c8f14a80", "hex");
const PPS = Buffer.from("68ce0fc8", "hex");

export const H264 = {
  codec: "H264",
  width: 320,
  height: 240,
  config: Buffer.concat([
    Buffer.from("0142c00dffe1", "hex"),
    lengthOf(SPS, 2),
    SPS,
    Buffer.of(1),
    lengthOf(PPS, 2),
    PPS,
  ]),
} as const satisfies SampleFormat;

export const PCMU: SampleFormat = { codec: "PCMU", sampleRateHz: 8000, channels: 1 };
export const METADATA: SampleFormat = { codec: "VND.ONVIF.METADATA" };

function lengthOf(bytes: Buffer, size: number): Buffer {
  const length = Buffer.alloc(size);
  length.writeUIntBE(bytes.length, 0, size);
  return length;
}

export function track(kind: Track["kind"], codec: Track["codec"], clockRateHz: number): Track {
  return { kind, codec, encoding: codec, payloadType: 96, clockRateHz, channels: 1, fmtp: "" };
}

export const VIDEO_TRACK = track("video", "H264", 90_000);
export const AUDIO_TRACK = track("audio", "PCMU", 8000);
export const METADATA_TRACK = track("metadata", "VND.ONVIF.METADATA", 90_000);

/** One access unit: `index` stands in it, so that a reader can tell what is missing or repeated. */
export function accessUnit(index: number, key: boolean, bytes: number): Buffer {
  const slice = Buffer.alloc(Math.max(bytes, 16), 0x55);
  slice[0] = key ? 0x65 : 0x41;
  slice[1] = key ? 0x88 : 0x9a; // first macroblock 0; an I or a P slice
  // In the slice's data, with no start code in it.
  slice.write(`#${index};`, 4, "latin1");
  const units = key ? [SPS, PPS, slice] : [slice];
  return Buffer.concat(units.flatMap((unit) => [lengthOf(unit, 4), unit]));
}

/** The sample as a camera sends it that was set to another resolution. */
export function resized(sample: Sample): Sample {
  const [before, after] = [SPS, OTHER_SPS].map((unit) => Buffer.concat([lengthOf(unit, 4), unit]));
  const at = before === undefined ? -1 : sample.data.indexOf(before);
  if (before === undefined || after === undefined || at < 0) return sample;
  return {
    ...sample,
    data: Buffer.concat([sample.data.subarray(0, at), after, sample.data.subarray(at + before.length)]),
  };
}

/** The `index` of an access unit, or of the same bytes wherever they stand. */
export function indexIn(bytes: Uint8Array): number {
  const found = /#(\d+);/.exec(Buffer.from(bytes).toString("latin1"));
  return found === null ? -1 : Number(found[1]);
}

export interface VideoOptions {
  readonly fps?: number;
  readonly gop?: number;
  readonly bytes?: number;
  /** Capture time of index 0. */
  readonly startMs?: number;
  readonly format?: SampleFormat;
}

export const START_MS = Date.UTC(2026, 10, 24, 13, 5, 0);

export function videoSample(index: number, o: VideoOptions = {}): Sample {
  const { fps = 25, gop = 25, bytes = 400, startMs = START_MS, format = H264 } = o;
  const key = index % gop === 0;
  return {
    at: unixMillis(startMs + (index * 1000) / fps),
    quality: "camera",
    rtpTime: (0xfff00000 + Math.round((index * 90_000) / fps)) >>> 0,
    key,
    discontinuity: false,
    data: accessUnit(index, key, bytes),
    format,
  };
}

/** 20 ms of G.711. */
export function audioSample(index: number, startMs: number = START_MS): Sample {
  return {
    at: unixMillis(startMs + index * 20),
    quality: "camera",
    rtpTime: (0xffffff00 + index * 160) >>> 0,
    key: true,
    discontinuity: false,
    data: Buffer.alloc(160, 0x80 + (index % 64)),
    format: PCMU,
  };
}

/** A folder of its own, and how to remove it. */
export async function scratchFolder(): Promise<{ readonly folder: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "viaduct-recorder-"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
