import { ifValid } from "../base/fault.ts";
import { unixMillis } from "../base/units.ts";
import { fmtpValue } from "./fmtp.ts";
import type { PacketGroup } from "./group.ts";
import { readRtp } from "./rtp.ts";
import type { Sample, SampleFormat } from "./sample.ts";
import type { Track } from "./track.ts";

const LIMITS = {
  /** Of one Opus packet, which is sent on in one piece: 120 ms in frames of 20 ms at their largest are 7.5 KiB (RFC 6716 3.2.1, 3.4). */
  opusBytes: 8 * 1024,
};

/** One access unit of audio. */
export interface Sound {
  readonly data: Buffer;
  /** From the packet's timestamp on, in the track's clock. */
  readonly ticks: number;
  readonly format: SampleFormat;
}

/** Takes audio packets apart. */
export interface SoundUnpacker {
  /** The access units that this payload completes; undefined: it makes no sense. `gap`: packets are missing before it. Never throws. */
  add(payload: Buffer, gap: boolean): readonly Sound[] | undefined;
}

/** G.711 (RFC 3551 4.5.14) and Opus (RFC 7587 4.2): one access unit a packet, nothing to unpack. */
export class PlainUnpacker implements SoundUnpacker {
  readonly #format: SampleFormat;

  constructor(format: SampleFormat) {
    this.#format = format;
  }

  add(payload: Buffer): readonly Sound[] | undefined {
    if (this.#format.codec === "OPUS" && payload.length > LIMITS.opusBytes) return undefined;
    return payload.length === 0 ? [] : [{ data: payload, ticks: 0, format: this.#format }];
  }
}

/** The format of a track that needs nothing but its description. */
export function plainFormat({ clockRateHz, channels, fmtp }: Track, codec: "PCMU" | "PCMA" | "OPUS"): SampleFormat {
  // Two channels stand in every description of Opus (RFC 7587 7), whatever is sent.
  const heard = codec === "OPUS" ? (fmtpValue(fmtp, "sprop-stereo") === "1" ? 2 : 1) : channels;
  return { codec, sampleRateHz: clockRateHz, channels: heard };
}

/** Samples out of packet groups, for audio: every packet stands for itself and holds one access unit or more. */
export class Sounds {
  readonly holds = false;
  readonly #unpacker: SoundUnpacker;
  readonly #clockRateHz: number;
  #sequence: number | undefined;
  #missing = false;

  constructor(unpacker: SoundUnpacker, clockRateHz: number) {
    this.#unpacker = unpacker;
    this.#clockRateHz = clockRateHz;
  }

  /** The samples that this group completes; their data are views into its packets. Never throws. */
  push(group: PacketGroup): readonly Sample[] {
    const samples: Sample[] = [];
    let base: number | undefined;
    let gap = group.discontinuity;
    for (const packet of group.packets) {
      const rtp = ifValid(() => readRtp(packet));
      if (rtp === undefined) {
        gap = true;
        continue;
      }
      const step = this.#sequence === undefined ? 1 : (rtp.sequence - this.#sequence) & 0xffff;
      if (step === 0) continue;
      this.#sequence = rtp.sequence;
      gap ||= step !== 1;
      this.#missing ||= gap;
      base ??= rtp.timestamp;
      const sounds = this.#unpacker.add(rtp.payload, gap);
      gap = false;
      if (sounds === undefined) this.#missing = true;
      else this.#take(sounds, group, (rtp.timestamp - base) | 0, samples);
    }
    this.#missing ||= gap;
    return samples;
  }

  /** Nothing is ever held that could be had. */
  flush(): readonly Sample[] {
    return [];
  }

  #take(sounds: readonly Sound[], group: PacketGroup, offset: number, samples: Sample[]): void {
    for (const { data, ticks, format } of sounds) {
      const later = offset + ticks;
      samples.push({
        at: unixMillis(group.at + (later * 1000) / this.#clockRateHz),
        quality: group.quality,
        cameraAheadMs: group.cameraAheadMs,
        rtpTime: (group.rtpTime + later) >>> 0,
        key: true,
        discontinuity: this.#missing,
        data,
        format,
      });
      this.#missing = false;
    }
  }
}
