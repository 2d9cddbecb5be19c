import { MINUTE, type Millis, SECOND, type UnixMillis } from "../base/units.ts";
import { aacFormatOf, describedAacConfig } from "../media/aac-format.ts";
import { TIME_QUALITIES, type TimeQuality } from "../media/group.ts";
import { releaseBytes, type SampleBytes } from "../media/packed-bytes.ts";
import type { Sample, SampleFormat } from "../media/sample.ts";
import { plainFormat } from "../media/sounds.ts";
import type { Track } from "../media/track.ts";
import type { Fmp4Track } from "./fmp4.ts";
import { earliestUs, type Run, runOf, type TimedTrack } from "./fragment-times.ts";
import { cameraGap, type GapReason } from "./gap.ts";

/** Where fragments and segments end. */
const LIMITS = {
  /** The most that a crash can take with it. */
  fragmentMs: 2 * SECOND,
  /** Streams with a key frame every frame or two would else have a fragment each. */
  shortestFragmentMs: 500,
  /** What one stream holds in memory before it is handed on to be written. */
  fragmentBytes: 8 * 1024 * 1024,
  fragmentSamples: 4096,
  /** A segment whose stream has no key frame to cut at ends all the same. */
  longestSegmentMs: 10 * MINUTE,
  segmentBytes: 1024 * 1024 * 1024,
  /** Time that is missing between two samples before it counts as a gap, and where a loss is known. */
  silenceMs: 10 * SECOND,
  jumpMs: SECOND,
  /** Segments that may begin within a minute: a camera that gives a reason for a new one with every picture is not let. */
  segmentsPerMinute: 20,
};

/** What is common to all fragments of one segment. Two fragments belong together when they have the same object. */
export interface SegmentPlan {
  readonly tracks: readonly Fmp4Track[];
  /** UTC of media time 0, in microseconds. */
  readonly zeroUs: number;
  readonly time: TimeQuality;
  readonly cameraAheadMs: number | undefined;
}

export interface ReadyFragment {
  readonly plan: SegmentPlan;
  readonly key: boolean;
  readonly time: TimeQuality;
  readonly startUs: number;
  readonly endUs: number;
  /** Of all samples. */
  readonly bytes: number;
  readonly runs: readonly Run[];
}

/** Takes what the fragmenter makes. */
export interface FragmentSink {
  /** The sink's, with what its samples hold. False: it cannot be taken, and nothing more of its segment will be. */
  fragment(fragment: ReadyFragment): boolean;
  /** Nothing more of this segment follows; `gap` says why nothing follows at all. */
  end(plan: SegmentPlan, gap: GapReason | undefined): void;
}

/** State of one recordable track. */
interface Slot extends TimedTrack {
  readonly video: boolean;
  format: SampleFormat | undefined;
  last: { readonly rtpTime: number; readonly ticks: number; readonly at: number } | undefined;
  highestTicks: number;
}

/**
 * Cuts the samples of a stream into fragments and segments: a fragment at key frames, at most 2 s long; a segment about
 * every minute at a key frame, and wherever a format changes, packets are missing for more than a second, or time jumps.
 *
 * Cut times are those of the clock, shifted by camera, so that the files of many cameras do not all change at once.
 */
export class Fragmenter {
  readonly #sink: FragmentSink;
  readonly #segmentMs: Millis;
  readonly #phaseMs: Millis;
  #slots: readonly (Slot | undefined)[] = [];
  /** The track whose samples decide where to cut: video, or the first one there is. */
  #driver: Slot | undefined;
  #open:
    | { readonly tracks: readonly Fmp4Track[]; readonly since: UnixMillis; plan: SegmentPlan | undefined }
    | undefined;
  #fragment = { since: 0, bytes: 0, samples: 0, key: false };
  #segmentBytes = 0;
  /** The next key frame begins a new segment whatever the time is. */
  #renew = false;
  /** When the newest segments began. */
  #begun: readonly UnixMillis[] = [];

  /** `phaseMs` shifts the cuts against the clock. */
  constructor(sink: FragmentSink, o: { readonly segmentMs: Millis; readonly phaseMs: Millis }) {
    this.#sink = sink;
    this.#segmentMs = o.segmentMs;
    this.#phaseMs = o.phaseMs;
  }

  /** The stream's tracks, by index; undefined where one is not recorded. What was open ends. */
  describe(tracks: readonly (Track | undefined)[]): void {
    this.end(undefined);
    this.#slots = tracks.map((track, index) => track && slotOf(track, index + 1));
    this.#driver = this.#slots.find((slot) => slot?.video === true) ?? this.#slots.find((slot) => slot !== undefined);
  }

  push(track: number, sample: Sample<SampleBytes>): void {
    const slot = this.#slots[track];
    if (slot === undefined) return;
    const driving = slot === this.#driver;
    const ticks = this.#unwrap(slot, sample, driving);
    this.#adopt(slot, sample.format);
    if (driving) this.#cutBefore(slot, sample, ticks);
    else if (this.#overdue(slot, sample, ticks)) this.#cut(slot, ticks);
    // What a segment does not describe, it cannot hold: such a track comes in with the next segment.
    if (this.#open?.tracks.some((one) => one.id === slot.id && one.format === slot.format) === true)
      this.#add(slot, sample, ticks);
    else releaseBytes(sample.data);
  }

  /** Ends fragment and segment. The next one begins at a key frame. */
  end(gap: GapReason | undefined): void {
    this.#cut();
    const plan = this.#open?.plan;
    this.#open = undefined;
    this.#renew = false;
    this.#segmentBytes = 0;
    for (const slot of this.#slots) if (slot !== undefined) Object.assign(slot, { anchor: undefined, lastDecode: -1 });
    if (plan !== undefined) this.#sink.end(plan, gap);
  }

  /** RTP time without wrapping; notices on the way that time is missing or has jumped. */
  #unwrap(slot: Slot, sample: Sample<SampleBytes>, driving: boolean): number {
    const { last } = slot;
    if (last === undefined) {
      slot.last = { rtpTime: sample.rtpTime, ticks: sample.rtpTime, at: sample.at };
      slot.highestTicks = sample.rtpTime;
      return sample.rtpTime;
    }
    const step = (sample.rtpTime - last.rtpTime) | 0;
    const counted = (step / slot.timescale) * SECOND;
    const elapsed = sample.at - last.at;
    const jumped = Math.abs(elapsed - counted) > LIMITS.jumpMs;
    if (driving && jumped) this.end(cameraGap("time jumped"));
    else if (driving && sample.discontinuity && elapsed > LIMITS.jumpMs)
      this.end({ cause: "network", why: "packets are missing" });
    else if (driving && elapsed > LIMITS.silenceMs) this.end(cameraGap("nothing was received"));
    else if (jumped) this.#renew = true;
    // Nothing is missing here but the knowledge of time: what can be decoded stays together up to the next key frame.
    if (driving && sample.quality === "jumped") {
      this.#cut();
      this.#renew = true;
    }
    const ticks = last.ticks + step;
    if (step > 0 && !jumped) slot.step = step;
    // After a jump, what was before it is in no order with what comes.
    slot.highestTicks = jumped ? ticks : Math.max(slot.highestTicks, ticks);
    slot.last = { rtpTime: sample.rtpTime, ticks, at: sample.at };
    return ticks;
  }

  /** Notes the format of a track; another one than before needs a new segment. */
  #adopt(slot: Slot, format: SampleFormat): void {
    if (slot.format !== undefined && sameFormat(slot.format, format)) return;
    slot.format = format;
    if (slot === this.#driver) {
      this.#cut();
      const often = this.#begun.length >= LIMITS.segmentsPerMinute;
      this.end(often ? cameraGap("the camera changes its format again and again") : undefined);
    } else this.#renew = true;
  }

  /** Ends fragment or segment where `sample`, of the driving track, has to begin a new one. */
  #cutBefore(slot: Slot, sample: Sample<SampleBytes>, ticks: number): void {
    const mayBegin = sample.key || !slot.video;
    if (this.#open !== undefined) {
      const age = sample.at - this.#open.since;
      const due =
        this.#renew ||
        Math.floor((sample.at + this.#phaseMs) / this.#segmentMs) >
          Math.floor((this.#open.since + this.#phaseMs) / this.#segmentMs);
      // Where no other may begin now, this one goes on: what is in it can be read all the same.
      if (mayBegin && due && this.#admits(sample.at)) {
        this.#cut(slot, ticks);
        this.end(undefined);
      } else if (age > LIMITS.longestSegmentMs || this.#segmentBytes > LIMITS.segmentBytes)
        this.end(cameraGap("no key frame"));
      else if (
        slot.video &&
        sample.key &&
        (!this.#fragment.key || sample.at - this.#fragment.since >= LIMITS.shortestFragmentMs)
      )
        this.#cut(slot, ticks);
      else if (this.#overdue(slot, sample, ticks)) this.#cut(slot, ticks);
    }
    if (this.#open === undefined && mayBegin && this.#admits(sample.at)) {
      const tracks = this.#slots.flatMap((one) =>
        one?.format === undefined ? [] : [{ id: one.id, timescale: one.timescale, format: one.format }],
      );
      this.#open = { tracks, since: sample.at, plan: undefined };
    }
  }

  /** Whether one more segment may begin now; where not, and none is open, what comes is left out until one may. */
  #admits(at: UnixMillis): boolean {
    this.#begun = this.#begun.filter((begun) => Math.abs(at - begun) < MINUTE);
    // One of which nothing was handed on yet is not among them.
    const more = this.#open !== undefined && this.#open.plan === undefined ? 1 : 0;
    return this.#begun.length + more < LIMITS.segmentsPerMinute;
  }

  /** A fragment that is too long or too large, and a place where decoding and presentation order agree. */
  #overdue(slot: Slot, sample: Sample<SampleBytes>, ticks: number): boolean {
    const { since, bytes, samples } = this.#fragment;
    if (samples === 0) return false;
    if (samples >= LIMITS.fragmentSamples || bytes + sample.data.length > LIMITS.fragmentBytes) return true;
    return sample.at - since >= LIMITS.fragmentMs && (!slot.video || ticks >= slot.highestTicks);
  }

  #add(slot: Slot, sample: Sample<SampleBytes>, ticks: number): void {
    const fragment = this.#fragment;
    if (fragment.samples === 0) fragment.since = sample.at;
    if (slot === this.#driver && slot.pending.length === 0) fragment.key = sample.key;
    fragment.samples += 1;
    fragment.bytes += sample.data.length;
    this.#segmentBytes += sample.data.length;
    slot.pending.push({ sample, ticks });
  }

  /** Hands on what is pending. `next`: the track and RTP time of the sample behind, which tells how long the last one is. */
  #cut(next?: Slot, nextTicks?: number): void {
    const open = this.#open;
    const { bytes, samples, key } = this.#fragment;
    this.#fragment = { since: 0, bytes: 0, samples: 0, key: false };
    if (open === undefined || samples === 0) return;
    const filled = this.#slots.filter((slot) => slot !== undefined).filter((slot) => slot.pending.length > 0);
    const first = filled.find((slot) => slot === this.#driver) ?? filled[0];
    const samplesOfFirst = first?.pending.map(({ sample }) => sample) ?? [];
    const time = worst(samplesOfFirst);
    const isFirst = open.plan === undefined;
    const cameraAheadMs = samplesOfFirst[0]?.cameraAheadMs;
    open.plan ??= { tracks: open.tracks, zeroUs: Math.min(...filled.map(earliestUs)), time, cameraAheadMs };
    const { plan } = open;
    const startUs = first === undefined ? 0 : earliestUs(first);
    const ends: number[] = [];
    const runs = filled.map((slot) => {
      const { run, endUs } = runOf(slot, plan.zeroUs, slot === next ? nextTicks : undefined);
      ends.push(endUs);
      slot.pending = [];
      return run;
    });
    const endUs = Math.max(...ends, startUs);
    if (this.#sink.fragment({ plan, key, time, startUs, endUs, bytes, runs })) {
      if (isFirst) this.#begun = [...this.#begun, open.since];
      return;
    }
    this.#open = undefined;
    this.end(undefined);
  }
}

function slotOf(track: Track, id: number): Slot {
  return {
    id,
    timescale: track.clockRateHz,
    video: track.kind === "video",
    format: knownFormat(track),
    last: undefined,
    highestTicks: 0,
    step: undefined,
    pending: [],
    anchor: undefined,
    lastDecode: -1,
  };
}

/** The formats that need no sample to be known, so that a segment has the track from its beginning. */
function knownFormat(track: Track): SampleFormat | undefined {
  const { codec } = track;
  if (codec === "PCMU" || codec === "PCMA" || codec === "OPUS") return plainFormat(track, codec);
  if (codec === "MPEG4-GENERIC") {
    const config = describedAacConfig(track);
    return config && aacFormatOf(config, track)?.format;
  }
  return codec === "VND.ONVIF.METADATA" ? { codec } : undefined;
}

function sameFormat(a: SampleFormat, b: SampleFormat): boolean {
  if (a === b) return true;
  const left = Object.entries(a);
  const right = new Map<string, unknown>(Object.entries(b));
  return (
    left.length === right.size &&
    left.every(([name, value]) => {
      const other = right.get(name);
      return value === other || (Buffer.isBuffer(value) && Buffer.isBuffer(other) && value.equals(other));
    })
  );
}

/** How the worst of the times is known. */
function worst(samples: readonly Sample<SampleBytes>[]): TimeQuality {
  let found = 0;
  for (const { quality } of samples) found = Math.max(found, TIME_QUALITIES.indexOf(quality));
  return TIME_QUALITIES[found] ?? "arrival";
}
