import type { QuirkSeen } from "../base/quirk.ts";
import { aacFormatOf, describedAacConfig } from "./aac-format.ts";
import { fmtpValue } from "./fmtp.ts";
import type { MediaQuirk } from "./known-quirks.ts";
import type { Track } from "./track.ts";

const LIMITS = {
  /** A stamp that is further than this from where counting has come to is believed: something was left out. */
  farMs: 120,
  /** The part of the difference that is taken over with each packet. */
  follow: 1 / 64,
  /** Stamps that are this far off, and so many of them, are uneven. */
  unevenMs: 10,
  unevenPackets: 8,
  /** A count that so often comes too far from the stamps, without a loss, does not count what the camera sends. */
  failures: 3,
};

/** How many ticks of the track's clock the sound in a payload lasts; undefined where that cannot be told. */
type Duration = (payload: Buffer) => number | undefined;

/**
 * Timestamps of sound by counting samples, for cameras that stamp when they come round to it. Stamps that are even stay as they
 * are, to the tick; uneven ones are followed slowly, so that the count never leaves the camera's clock.
 */
export class EvenSound {
  readonly #clockRateHz: number;
  readonly #duration: Duration | undefined;
  readonly #seen: QuirkSeen<MediaQuirk>;
  /** Where the next packet belongs, in ticks, not rounded. */
  #next: number | undefined;
  #uneven = 0;
  #failures = 0;

  constructor(track: Track, seen: QuirkSeen<MediaQuirk>) {
    this.#clockRateHz = track.clockRateHz;
    this.#duration = durationOf(track);
    this.#seen = seen;
  }

  /** The timestamp to go by. `gap`: packets are missing before this one. */
  place(rtpTime: number, payload: Buffer, gap: boolean): number {
    const ticks = this.#failures < LIMITS.failures ? this.#duration?.(payload) : undefined;
    if (ticks === undefined) {
      this.#next = undefined;
      return rtpTime;
    }
    const next = this.#next;
    // The signed difference of two 32-bit numbers.
    const off = next === undefined ? 0 : (rtpTime - Math.round(next)) | 0;
    const farTicks = (LIMITS.farMs / 1000) * this.#clockRateHz;
    if (next === undefined || gap || Math.abs(off) > farTicks) {
      if (next !== undefined && !gap) this.#failures += 1;
      this.#next = rtpTime + ticks;
      return rtpTime;
    }
    if (Math.abs(off) > (LIMITS.unevenMs / 1000) * this.#clockRateHz) {
      this.#uneven += 1;
      if (this.#uneven >= LIMITS.unevenPackets) this.#seen("uneven-sound");
    }
    const at = next + off * LIMITS.follow;
    this.#next = at + ticks;
    return Math.round(at) >>> 0;
  }
}

function durationOf(track: Track): Duration | undefined {
  if (track.codec === "PCMU" || track.codec === "PCMA") return (payload) => payload.length / track.channels;
  return track.codec === "MPEG4-GENERIC" ? aacDuration(track) : undefined;
}

/** By the number of AU headers (RFC 3640 3.2.1). Fragments of one access unit say that they are one, and all have its timestamp. */
function aacDuration(track: Track): Duration | undefined {
  const config = describedAacConfig(track);
  const facts = config && aacFormatOf(config, track)?.facts;
  if (facts === undefined || fmtpValue(track.fmtp, "mode")?.toLowerCase() !== "aac-hbr") return undefined;
  const headerBits =
    Number(fmtpValue(track.fmtp, "sizelength") ?? 13) + Number(fmtpValue(track.fmtp, "indexlength") ?? 3);
  const unitTicks = (facts.frameSamples / facts.coreRateHz) * track.clockRateHz;
  return (payload) => {
    if (payload.length < 4) return undefined;
    const units = payload.readUInt16BE(0) / headerBits;
    const whole = Number.isInteger(units) && units >= 1 && 2 + Math.ceil(payload.readUInt16BE(0) / 8) < payload.length;
    return whole ? units * unitTicks : undefined;
  };
}
