import type { QuirkSeen } from "../base/quirk.ts";
import { fmtpValue } from "./fmtp.ts";
import { type H264ParameterSets, h264FmtpUnits, h264Track, pickH264 } from "./h264.ts";
import { type H265ParameterSets, h265FmtpUnits, h265Track, pickH265 } from "./h265.ts";
import type { MediaQuirk } from "./known-quirks.ts";
import { H264_CODEC, H265_CODEC } from "./nal-codec.ts";
import type { Track } from "./track.ts";

type Sets = Partial<H264ParameterSets & H265ParameterSets>;

const LIMITS = {
  /** Parameter sets of one access unit; ordinary ones have two to four. */
  units: 64,
};

/**
 * Keeps the description of a video track true: parameter sets in the stream win over those that the camera describes, and the
 * profile is the one that they say (RFC 6184 8.2.2). Tracks of other codecs stay as they are.
 */
export class FormatWatch {
  #described: Track;
  #track: Track;
  #sets: Sets;
  #units: Buffer[] = [];

  readonly #seen: QuirkSeen<MediaQuirk>;
  /** The stream's parameter sets are compared with the described ones once. */
  #compared = false;

  constructor(track: Track, seen: QuirkSeen<MediaQuirk>) {
    this.#seen = seen;
    this.#described = track;
    this.#sets = setsOf(track);
    this.#track = built(track, this.#sets);
  }

  /** With the newest parameter sets in its fmtp, where they are known. */
  get track(): Track {
    return this.#track;
  }

  /** The camera has described the track again. What it only repeats is not newer than what the stream said. */
  describe(track: Track): void {
    const { fmtp, payloadType } = this.#described;
    if (track.fmtp !== fmtp) this.#sets = { ...this.#sets, ...setsOf(track) };
    if (track.fmtp !== fmtp || track.payloadType !== payloadType) this.#track = built(track, this.#sets);
    this.#described = track;
    this.#compared = false;
  }

  /** A payload with parameter sets, of the access unit that is being received. They are copied. */
  note(payload: Buffer): void {
    const codec = this.#track.codec === "H264" ? H264_CODEC : H265_CODEC;
    if (codec.type(payload) === codec.fragment) return;
    for (const nal of codec.units(payload))
      if (codec.parameterSet(codec.type(nal)) > 0 && this.#units.length < LIMITS.units)
        this.#units.push(Buffer.from(nal));
  }

  /** The access unit is over. */
  settle(): void {
    if (this.#units.length === 0) return;
    const picked = this.#track.codec === "H264" ? pickH264(this.#units) : pickH265(this.#units);
    this.#units = [];
    this.#compare(picked);
    const next = merged(this.#sets, picked);
    if (sameSets(next, this.#sets)) return;
    this.#sets = next;
    this.#track = built(this.#track, this.#sets);
  }

  /** How far the description was from the stream. */
  #compare({ sps }: Sets): void {
    if (this.#compared || sps === undefined) return;
    this.#compared = true;
    const { fmtp, codec } = this.#described;
    const told = setsOf(this.#described);
    const named = /sprop-(?:parameter-sets|sps)\s*=\s*[^;\s]/i.test(fmtp);
    if (told.sps === undefined || told.pps === undefined) this.#seen(named ? "broken-sprop" : "no-sprop");
    else if (!told.sps.equals(sps)) this.#seen("other-sprop");
    const profile = codec === "H264" ? fmtpValue(fmtp, "profile-level-id") : undefined;
    if (profile !== undefined && profile.toLowerCase() !== sps.toString("hex", 1, 4)) this.#seen("wrong-profile");
  }
}

function setsOf(track: Track): Sets {
  if (track.codec === "H264") return pickH264(h264FmtpUnits(track.fmtp));
  return track.codec === "H265" ? pickH265(h265FmtpUnits(track.fmtp)) : {};
}

/** Picture parameter sets alone, as some cameras repeat them one by one, are no news where there are any. */
function merged(known: Sets, fresh: Sets): Sets {
  if (fresh.sps === undefined && known.pps !== undefined) return fresh.vps ? { ...known, vps: fresh.vps } : known;
  const { pps, morePps, ...others } = known;
  if (fresh.pps !== undefined) return { ...others, ...fresh };
  return { ...others, ...(pps && { pps }), ...(morePps && { morePps }), ...fresh };
}

function listOf(sets: Sets): readonly (Buffer | undefined)[] {
  return [sets.vps, sets.sps, sets.pps, ...(sets.morePps ?? [])];
}

function sameSets(a: Sets, b: Sets): boolean {
  const [left, right] = [listOf(a), listOf(b)];
  return (
    left.length === right.length &&
    left.every((one, index) => {
      const other = right[index];
      return one === other || (one !== undefined && other !== undefined && one.equals(other));
    })
  );
}

function built(track: Track, sets: Sets): Track {
  const { vps, sps, pps, morePps } = sets;
  if (sps === undefined || pps === undefined) return track;
  const more = morePps && { morePps };
  if (track.codec === "H264") return h264Track(track, { sps, pps, ...more });
  return track.codec === "H265" && vps !== undefined ? h265Track(track, { vps, sps, pps, ...more }) : track;
}
