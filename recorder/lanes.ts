import { randomInt } from "node:crypto";
import { isFault } from "../base/fault.ts";
import { unixMillis } from "../base/units.ts";
import type { FramedPackets } from "../media/framed-packets.ts";
import { PacketGroup, type TimeQuality, usualChannel } from "../media/group.ts";
import { createPacketizer, type Packetizer } from "../media/packetizer.ts";
import type { ReusedMemory } from "../media/reused-memory.ts";
import type { Sample, SampleFormat } from "../media/sample.ts";
import type { Numbering, Reading } from "../media/source.ts";
import type { Track } from "../media/track.ts";
import type { Fmp4Track } from "./fmp4.ts";
import type { TimedSample } from "./fragment-read.ts";
import type { FragmentExtent } from "./segment.ts";

/** Payload types of RFC 3551 6; the other codecs get one from the dynamic range. */
const STATIC_TYPES: Readonly<Partial<Record<SampleFormat["codec"], number>>> = { PCMU: 0, PCMA: 8, JPEG: 26 };
const FIRST_DYNAMIC_TYPE = 96;

const LIMITS = {
  /** Counted time may differ so much from capture time before it is set anew: less than anyone hears or sees. */
  driftUs: 10_000,
  /** More than this between two fragments is a gap. */
  gapUs: 1_500_000,
  /** Samples in a row that RTP cannot carry and that are left out; who reads something else altogether is to be told. */
  leftOut: 25,
};

/** One track of a reading: its numbers go on whatever the segments do. */
interface Lane {
  readonly index: number;
  readonly codec: SampleFormat["codec"];
  readonly clockRateHz: number;
  packetizer: Packetizer;
  format: SampleFormat;
  /** RTP time (without wrapping) less media time. */
  offset: number | undefined;
  /** RTP time at which the last sample ended. */
  endTicks: number | undefined;
  discontinuity: boolean;
  /** Samples in a row. */
  leftOut: number;
}

interface LanesOptions {
  readonly baseTicks?: number;
  readonly memory?: ReusedMemory | undefined;
  readonly numbering?: Reading["numbering"] | undefined;
}

/** Turns stored samples back into packet groups, with one sequence of numbers and one timeline per track. */
export class Lanes {
  readonly #lanes: readonly Lane[];
  readonly #baseTicks: number;
  readonly #memory: { readonly memory?: ReusedMemory };
  /** Lanes by their position among the tracks of the segment that is being read. */
  #here: readonly (Lane | undefined)[] = [];
  #segment: readonly Fmp4Track[] | undefined;
  #zeroUs: number | undefined;
  #quality: TimeQuality = "camera";

  /** `baseTicks`: where RTP times begin. `memory`: where packets lie. */
  constructor(tracks: readonly Fmp4Track[], { baseTicks = 0, memory, numbering = randomNumbering }: LanesOptions = {}) {
    this.#baseTicks = baseTicks;
    this.#memory = memory === undefined ? {} : { memory };
    this.#lanes = tracks.map(({ format, timescale }, index) => ({
      index,
      codec: format.codec,
      clockRateHz: timescale,
      format,
      packetizer: createPacketizer(format, {
        payloadType: STATIC_TYPES[format.codec] ?? FIRST_DYNAMIC_TYPE + index,
        ...numbering(index),
        channel: usualChannel(index),
        ...this.#memory,
        clockRateHz: timescale,
      }),
      offset: undefined,
      endTicks: undefined,
      discontinuity: false,
      leftOut: 0,
    }));
  }

  get tracks(): readonly Track[] {
    return this.#lanes.map((lane) => lane.packetizer.track);
  }

  /** A fragment follows. `lastUs`: end of the one before. `lost`: it cannot be read. */
  begin(tracks: readonly Fmp4Track[], place: FragmentExtent, lastUs: number | undefined, lost: boolean): void {
    this.#quality = place.time;
    const gapUs = lastUs === undefined ? 0 : place.startUs - lastUs;
    this.#zeroUs ??= place.startUs;
    // The recorded clock was set back: RTP time goes on from where it was.
    if (gapUs < -LIMITS.gapUs) this.#zeroUs += gapUs;
    if (tracks !== this.#segment) {
      this.#segment = tracks;
      this.#here = this.#match(tracks);
      for (const lane of this.#lanes) lane.offset = undefined;
    }
    if (Math.abs(gapUs) > LIMITS.gapUs || lost) for (const lane of this.#lanes) lane.discontinuity = true;
  }

  /** Lanes for the tracks of another segment, by codec and clock; tracks that the first one had not are left out. */
  #match(tracks: readonly Fmp4Track[]): readonly (Lane | undefined)[] {
    const free = [...this.#lanes];
    return tracks.map(({ format, timescale }) => {
      const found = free.findIndex((lane) => lane.codec === format.codec && lane.clockRateHz === timescale);
      const lane = found === -1 ? undefined : free.splice(found, 1)[0];
      if (lane !== undefined && lane.format !== format) {
        const { track, ssrc, nextSequence: sequence } = lane.packetizer;
        lane.packetizer = createPacketizer(format, {
          payloadType: track.payloadType,
          ssrc,
          sequence,
          channel: usualChannel(lane.index),
          ...this.#memory,
          clockRateHz: timescale,
        });
        lane.format = format;
      }
      return lane;
    });
  }

  /** Undefined for samples that are left out, for their track is, or RTP cannot carry them. Fault `invalid` where it can carry none. */
  group(sample: TimedSample): PacketGroup | undefined {
    const lane = this.#here[sample.track];
    if (lane === undefined) return undefined;
    const ticks = this.#rtpTicks(lane, sample);
    lane.endTicks = ticks + sample.durationTicks;
    const rtpTime = wrapped(ticks);
    const stored = {
      track: lane.index,
      at: unixMillis(sample.presentUs / 1000),
      quality: this.#quality,
      rtpTime,
      key: sample.key,
      discontinuity: sample.discontinuity || lane.discontinuity,
      data: sample.data,
      format: lane.format,
    };
    const packets = packetsOf(lane, stored);
    lane.discontinuity = packets === undefined;
    return packets && new PacketGroup(stored, packets, this.#memory.memory);
  }

  #rtpTicks(lane: Lane, sample: TimedSample): number {
    const captured = Math.round((sample.presentUs - (this.#zeroUs ?? 0)) * (lane.clockRateHz / 1_000_000));
    const exact = captured + this.#baseTicks;
    const near = (ticks: number): boolean => Math.abs(ticks - exact) <= (LIMITS.driftUs / 1_000_000) * lane.clockRateHz;
    // Counting goes on from the last sample of the segment before, and then with the media times of this one.
    if (lane.offset === undefined && lane.endTicks !== undefined && near(lane.endTicks))
      lane.offset = lane.endTicks - sample.presentTicks;
    const counted = lane.offset === undefined ? undefined : sample.presentTicks + lane.offset;
    if (counted !== undefined && near(counted)) return counted;
    lane.offset = exact - sample.presentTicks;
    return exact;
  }
}

function packetsOf(lane: Lane, sample: Sample): FramedPackets | undefined {
  try {
    const packets = lane.packetizer.packets(sample, sample.rtpTime);
    lane.leftOut = 0;
    return packets;
  } catch (error) {
    if (!isFault(error, "invalid") || lane.leftOut >= LIMITS.leftOut) throw error;
    lane.leftOut += 1;
    return undefined;
  }
}

/** In 32 bits, as RTP counts. */
function wrapped(ticks: number): number {
  const rest = ticks % 2 ** 32;
  return rest < 0 ? rest + 2 ** 32 : rest;
}

function randomNumbering(): Numbering {
  return { ssrc: randomInt(2 ** 32), sequence: randomInt(2 ** 16) };
}
