import { type UnixMillis, unixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { MediaQuirk } from "../../media/known-quirks.ts";
import { TrackReceiver } from "../../media/receiver.ts";
import { readRtp, writeRtpHeader } from "../../media/rtp.ts";
import type { Track } from "../../media/track.ts";

export const START: UnixMillis = unixMillis(Date.UTC(2026, 0, 1));

export function videoTrack(codec: Track["codec"], fmtp = ""): Track {
  return { kind: "video", codec, encoding: codec, payloadType: 96, clockRateHz: 90_000, channels: 1, fmtp };
}

/** Parameter sets that x264 wrote for 320x240 and, with other dimensions in the SPS, for 352x288. */
export const SPS = Buffer.from("6742c00dda0507ec0440000003004000000c83c50aa8", "hex");
export const OTHER_SPS = Buffer.from("6742c00dda0582590110000003001000000303c8f14a80", "hex");
export const PPS = Buffer.from("68ce0fc8", "hex");
export const SEI = Buffer.from("0605018080", "hex");
export const DELIMITER = Buffer.from("09f0", "hex");

/** A slice of H.264: type 5 is IDR, 1 is not. The first of a picture begins at macroblock 0. */
export function slice(type: number, first = true, bytes = 20): Buffer {
  const nal = Buffer.alloc(bytes, 0x55);
  nal[0] = 0x60 | type;
  nal[1] = first ? 0x88 : 0x4a;
  return nal;
}

/** A slice in three fragments (RFC 6184 5.8). */
export function fragments(type: number, first = true): readonly Buffer[] {
  const nal = slice(type, first, 31);
  return [0x80, 0, 0x40].map((flag, index) =>
    Buffer.concat([Buffer.from([0x7c, flag | type]), nal.subarray(1 + index * 10, 11 + index * 10)]),
  );
}

export interface Sent {
  readonly payload: Buffer;
  readonly marker?: boolean;
  /** Milliseconds of the camera's clock. Default: as the packet before. */
  readonly ms?: number;
  /** Sequence numbers that are missing before it. */
  readonly lost?: number;
  readonly payloadType?: number;
  readonly ssrc?: number;
}

/** A camera that sends one track to a receiver, and what comes of it. */
export class Studio {
  readonly groups: PacketGroup[] = [];
  readonly announced: Track[] = [];
  readonly quirks = new Set<MediaQuirk>();
  readonly receiver: TrackReceiver;
  readonly #track: Track;
  /** The camera's numbers. */
  sequence = 65_530;
  base = 0xffff_0000;
  ssrc = 7;
  /** Our clock, in milliseconds since the start. */
  now = 0;
  #ms = 0;

  constructor(track: Track, ssrc?: number) {
    this.#track = track;
    this.receiver = new TrackReceiver({
      index: 1,
      track,
      deliver: (group) => this.groups.push(group),
      onTrack: (changed) => this.announced.push(changed),
      onQuirk: (name) => this.quirks.add(name),
      ...(ssrc === undefined ? {} : { ssrc }),
    });
  }

  send(...packets: readonly Sent[]): this {
    for (const { payload, marker = false, ms = this.#ms, lost = 0, payloadType = 96, ssrc = this.ssrc } of packets) {
      this.#ms = ms;
      this.sequence += lost;
      const packet = Buffer.concat([Buffer.alloc(12), payload]);
      const timestamp = this.base + Math.round((ms * this.#track.clockRateHz) / 1000);
      writeRtpHeader(packet, { marker, payloadType, sequence: this.sequence, timestamp, ssrc });
      this.sequence += 1;
      this.receiver.rtp(packet, unixMillis(START + this.now));
      // The memory that it came in is used again at once.
      packet.fill(0xff);
    }
    return this;
  }

  /** One picture in a single packet, with the arrival at its time. */
  picture(ms: number, type = 1, more: Partial<Sent> = {}): this {
    this.now = ms;
    return this.send({ payload: slice(type), marker: true, ms, ...more });
  }

  /** What was handed on: how many packets each, and `K` for key and `D` for discontinuity. */
  get seen(): readonly string[] {
    return this.groups.map(
      ({ packets, key, discontinuity }) => `${packets.length}${key ? "K" : ""}${discontinuity ? "D" : ""}`,
    );
  }

  /** Our sequence numbers, as differences to the first. */
  get sequences(): readonly number[] {
    const all = this.groups.flatMap(({ packets }) => packets.map((packet) => readRtp(packet).sequence));
    return all.map((sequence) => (sequence - (all[0] ?? 0)) & 0xffff);
  }

  /** Our timestamps, in milliseconds since the first. */
  get times(): readonly number[] {
    const all = this.groups.map(({ rtpTime }) => rtpTime);
    return all.map((time) => Math.round((((time - (all[0] ?? 0)) | 0) * 1000) / this.#track.clockRateHz));
  }
}
