import { SECOND, type UnixMillis, unixMillis, unixOfNtp } from "../../base/units.ts";
import { RTP_HEADER_BYTES } from "../../media/rtp.ts";

/** ONVIF's replay header extension (ONVIF Streaming 6.3), and the words that it has at least: NTP time and flags. */
const EXTENSION_ID = 0xabac;
const WORDS = 3;
/** "T": nothing of the track follows. */
const TERMINAL = 0x10;

const LIMITS = {
  /** How long times are counted on from the last one that was told. Cameras exist that date key frames alone. */
  countedMs: 10 * SECOND,
};

/** What a packet of a replay says of itself. */
export interface ReplayTime {
  /** When it was captured, by the camera's clock; undefined where the camera has not told any time near it. */
  readonly at: UnixMillis | undefined;
  /** Nothing of its track follows. */
  readonly isLast: boolean;
}

/** The capture times of one track of a replay: as its packets tell them, and between these by their RTP timestamps. */
export class ReplayTimes {
  readonly #clockRateHz: number;
  #told: { readonly rtpTime: number; readonly at: UnixMillis } | undefined;

  constructor(clockRateHz: number) {
    this.#clockRateHz = clockRateHz;
  }

  of(packet: Buffer): ReplayTime {
    if (packet.length < RTP_HEADER_BYTES) return { at: undefined, isLast: false };
    const rtpTime = packet.readUInt32BE(4);
    const fields = extensionIn(packet);
    if (fields === undefined) return { at: this.#counted(rtpTime), isLast: false };
    const at = unixOfNtp({ seconds: fields.readUInt32BE(0), fraction: fields.readUInt32BE(4) });
    this.#told = { rtpTime, at };
    return { at, isLast: ((fields[8] as number) & TERMINAL) !== 0 };
  }

  #counted(rtpTime: number): UnixMillis | undefined {
    const told = this.#told;
    if (told === undefined) return undefined;
    const passedMs = (((rtpTime - told.rtpTime) | 0) / this.#clockRateHz) * SECOND;
    return Math.abs(passedMs) > LIMITS.countedMs ? undefined : unixMillis(told.at + passedMs);
  }
}

/** What stands behind the head of the extension; undefined where the packet has none of this kind, or too short a one. */
function extensionIn(packet: Buffer): Buffer | undefined {
  const first = packet[0] as number;
  const at = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  const end = at + 4 + WORDS * 4;
  if ((first & 0x10) === 0 || packet.length < end) return undefined;
  return packet.readUInt16BE(at) === EXTENSION_ID && packet.readUInt16BE(at + 2) >= WORDS
    ? packet.subarray(at + 4, end)
    : undefined;
}
