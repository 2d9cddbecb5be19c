import { randomInt } from "node:crypto";
import { isFault } from "../base/fault.ts";
import type { QuirkSeen } from "../base/quirk.ts";
import { type UnixMillis, unixOfNtp } from "../base/units.ts";
import { EvenSound } from "./even-sound.ts";
import { FormatWatch } from "./format-watch.ts";
import { PacketGroup, type TimeQuality, usualChannel } from "./group.ts";
import { GroupAssembly } from "./group-assembly.ts";
import { KeyMarks } from "./key-marks.ts";
import type { MediaQuirk } from "./known-quirks.ts";
import { MissedSigns } from "./missed-signs.ts";
import { scanMpeg4 } from "./mpeg4.ts";
import { H264_CODEC, H265_CODEC, type NalCodec } from "./nal-codec.ts";
import { OwnTime } from "./own-time.ts";
import { SCAN, scanPayload } from "./payload-scan.ts";
import { ReusedMemory } from "./reused-memory.ts";
import { readRtcp } from "./rtcp.ts";
import { paddingOf, payloadOffset } from "./rtp.ts";
import { Sequencer } from "./sequencer.ts";
import { type Placed, Timeline } from "./timeline.ts";
import type { Track } from "./track.ts";

const LIMITS = {
  /** Of one access unit. Key frames of 4K cameras have some MiB in some thousand packets. */
  groupBytes: 8 * 1024 * 1024,
  groupPackets: 8000,
};

/** What is known of the access unit that is being received. */
interface Open {
  /** As the camera numbers it. */
  rtpTime: number;
  arrivedAt: UnixMillis;
  /** What has come of it: {@link SCAN}. */
  flags: number;
  /** Something is missing before it, or inside it. */
  afterGap: boolean;
  /** Something is missing of it, as far as that can be told. */
  broken: boolean;
  /** Beyond the limits: nothing of it is kept. */
  dropped: boolean;
}

export interface TrackReceiverOptions {
  /** Index into the stream's tracks. */
  readonly index: number;
  readonly track: Track;
  /** Our own; random where absent. */
  readonly ssrc?: number;
  readonly deliver: (group: PacketGroup) => void;
  /** Of a recording: what is handed in as arrivals are the instants of capture, known in this way. Absent: they are arrivals. */
  readonly captured?: TimeQuality;
  /** The description is another one than before: parameter sets in the stream differ from it, or it was wrong. Comes before the group. */
  readonly onTrack?: (track: Track) => void;
  /** The camera shows a known quirk. The same one may come again and again. */
  readonly onQuirk?: QuirkSeen<MediaQuirk>;
}

/**
 * Turns what a camera sends for one track into groups of our numbering: boundaries of access units, key marks, capture times,
 * loss marks. SSRC, sequence numbers and timestamps go on across reconnects.
 *
 * An access unit ends with its marker, or where the timestamp changes. Markers are not believed blindly: one on parameter sets
 * or SEI alone ends nothing (they belong to the picture behind them, whatever timestamp they carry), and a camera that sets
 * one behind every slice is waited for until the timestamp changes, at the price of one frame of delay.
 */
export class TrackReceiver {
  readonly ssrc: number;
  readonly #index: number;
  readonly #deliver: (group: PacketGroup) => void;
  readonly #captured: TimeQuality | undefined;
  readonly #onTrack: ((track: Track) => void) | undefined;
  readonly #format: FormatWatch;
  readonly #codec: NalCodec | undefined;
  readonly #isMpeg4: boolean;
  /** Sound that is not compressed has no access units, and Opus one a packet: every packet is one. */
  readonly #single: boolean;
  readonly #sequencer: Sequencer;
  readonly #seen: QuirkSeen<MediaQuirk>;
  #announced: Track;
  #timeline: Timeline;
  /** Its packets are in the assembly. */
  #open: Open | undefined;
  /** Of this track alone: what is read of a group too late is never another camera's. */
  readonly #memory = new ReusedMemory();
  readonly #assembly: GroupAssembly;
  /** Something is missing before what comes next. */
  #gap = false;
  /** The camera's timestamp of the newest group, which its marker has closed. */
  #closedRtpTime: number | undefined;
  /** This camera sets markers before the end of an access unit. */
  #patient = false;
  #even: EvenSound | undefined;
  readonly #missed: MissedSigns;
  readonly #keys: KeyMarks;
  readonly #time: OwnTime;

  constructor(o: TrackReceiverOptions) {
    this.ssrc = o.ssrc ?? randomInt(2 ** 32);
    this.#index = o.index;
    this.#deliver = o.deliver;
    this.#captured = o.captured;
    this.#onTrack = o.onTrack;
    this.#seen = o.onQuirk ?? (() => undefined);
    this.#sequencer = new Sequencer({
      stray: () => this.#seen("stray-data"),
      foreign: () => this.#seen("foreign-payloads"),
    });
    this.#format = new FormatWatch(o.track, this.#seen);
    this.#assembly = new GroupAssembly(usualChannel(o.index), this.#memory);
    this.#announced = o.track;
    const { codec, kind, clockRateHz } = o.track;
    this.#timeline = new Timeline(clockRateHz);
    this.#time = new OwnTime(clockRateHz);
    this.#keys = new KeyMarks(codec);
    this.#even = kind === "audio" ? new EvenSound(o.track, this.#seen) : undefined;
    this.#codec = codec === "H264" ? H264_CODEC : codec === "H265" ? H265_CODEC : undefined;
    this.#isMpeg4 = codec === "MP4V-ES";
    this.#missed = new MissedSigns(this.#codec !== undefined, this.#seen);
    this.#single =
      codec === "PCMU" || codec === "PCMA" || codec === "OPUS" || (codec === "unknown" && kind === "audio");
  }

  /**
   * One RTP packet, in the order of arrival. The receiver writes our numbers into its header and copies it; it is the caller's again
   * then. Whatever is not RTP is passed over.
   */
  rtp(packet: Buffer, arrivedAt: UnixMillis): void {
    const offset = payloadOffset(packet);
    if (offset === undefined) return;
    const { payloadType } = this.#format.track;
    const step = this.#sequencer.place(packet, payloadType, arrivedAt);
    if (step === "skip") return;
    if (step === "gap") this.#seen("drops-packets");
    if (step === "gap" || step === "reset") this.#lose();
    if (step === "reset") this.#reset();
    const second = packet[1] as number;
    const stamp = packet.readUInt32BE(4);
    const end = packet.length - paddingOf(packet);
    const rtpTime = this.#even?.place(stamp, packet.subarray(offset, end), this.#gap) ?? stamp;
    packet[1] = (second & 0x80) | payloadType;
    packet.writeUInt32BE(this.ssrc, 8);
    this.#add(packet, offset, end, rtpTime, arrivedAt);
    if ((second & 0x80) === 0 && !this.#single) return;
    this.#missed.marker();
    const open = this.#open;
    if (open === undefined) return;
    if (!this.#hasContent(open)) this.#seen("early-marker");
    else if (!this.#patient) this.#close(true);
  }

  /** A compound RTCP packet. Whatever is not RTCP is passed over: there are cameras that send it broken all the time. */
  rtcp(packet: Buffer, arrivedAt: UnixMillis): void {
    try {
      const { senders, byes } = readRtcp(packet);
      for (const { rtpTime, ntp } of senders) {
        this.#missed.report(arrivedAt);
        if (!this.#timeline.report(rtpTime, unixOfNtp(ntp), arrivedAt)) this.#seen("wrong-reports");
      }
      for (const ssrc of byes) this.#sequencer.leave(ssrc);
    } catch (error) {
      if (!isFault(error, "invalid")) throw error;
      this.#seen("broken-reports");
    }
  }

  /** The upstream session has ended; what comes next belongs to a new one, and begins with a discontinuity. */
  restart(track: Track): void {
    this.#drop();
    this.#format.describe(track);
    this.#sequencer.restart();
    this.#reset();
    this.#missed.restart();
    this.#gap = true;
    this.#announce();
  }

  /** Nothing more comes for now. An access unit without its end is handed on only if this camera never marks ends. */
  flush(): void {
    const open = this.#open;
    if (open === undefined) return;
    if (!this.#missed.marked && this.#hasContent(open)) {
      this.#close(false);
      return;
    }
    this.#drop();
    this.#gap = true;
  }

  #drop(): void {
    this.#open = undefined;
    this.#assembly.clear();
  }

  /** The camera numbers anew. */
  #reset(): void {
    if (this.#open !== undefined) this.#close(false);
    this.#timeline = new Timeline(this.#format.track.clockRateHz, this.#time.newestAt);
    this.#time.restart();
    this.#closedRtpTime = undefined;
    this.#patient = false;
    this.#missed.renumbered();
    this.#even &&= new EvenSound(this.#format.track, this.#seen);
    this.#keys.restart();
  }

  #lose(): void {
    this.#gap = true;
    if (this.#open !== undefined) this.#open.broken = true;
  }

  #hasContent(open: Open): boolean {
    return (open.flags & SCAN.content) !== 0;
  }

  /** `offset` and `end`: of the payload. */
  #add(packet: Buffer, offset: number, end: number, rtpTime: number, arrivedAt: UnixMillis): void {
    const flags = this.#scan(packet, offset, end);
    let open = this.#open;
    if (open !== undefined && open.rtpTime !== rtpTime) {
      const continues = (flags & SCAN.continues) !== 0 && !open.broken;
      if (!this.#hasContent(open)) {
        this.#seen("split-times");
        open.rtpTime = rtpTime;
        open.arrivedAt = arrivedAt;
      } else if (!continues) {
        this.#close(false);
        open = undefined;
      }
    }
    if (open === undefined) {
      const late = rtpTime === this.#closedRtpTime && (flags & (SCAN.content | SCAN.first)) === SCAN.content;
      if (late && this.#codec !== undefined && !this.#gap) this.#patient = true;
      open = { rtpTime, arrivedAt, flags: 0, afterGap: false, broken: false, dropped: false };
      this.#open = open;
    }
    open.afterGap ||= this.#gap;
    this.#gap = false;
    if ((open.flags & SCAN.content) === 0 && beginsWithin(flags, open.afterGap)) open.broken = true;
    open.flags |= flags;
    if ((flags & SCAN.parameterSets) !== 0) this.#format.note(packet.subarray(offset, end));
    this.#keep(open, packet);
  }

  /** Nothing is kept of an access unit that is too large. */
  #keep(open: Open, packet: Buffer): void {
    const assembly = this.#assembly;
    open.dropped ||= assembly.bytes + packet.length > LIMITS.groupBytes || assembly.count >= LIMITS.groupPackets;
    if (open.dropped) assembly.clear();
    else assembly.add(packet);
  }

  #scan(packet: Buffer, offset: number, end: number): number {
    if (this.#codec !== undefined) return scanPayload(this.#codec, packet, offset, end);
    return this.#isMpeg4 ? scanMpeg4(packet.subarray(offset, end)) : SCAN.content;
  }

  /** The access unit is over. `marked`: the camera said so. */
  #close(marked: boolean): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#closedRtpTime = marked ? open.rtpTime : undefined;
    this.#format.settle();
    if (open.dropped || !this.#hasContent(open)) {
      this.#assembly.clear();
      this.#gap = true;
      return;
    }
    this.#missed.accessUnit(open.arrivedAt);
    const { at, quality, jump } = this.#placed(open);
    const rtpTime = this.#time.of(open.rtpTime, at, jump !== undefined);
    const packets = this.#assembly.take(rtpTime);
    if (jump === "camera") this.#seen("time-jumps");
    const key = this.#keys.isKey(open.flags, open.broken, open.arrivedAt);
    const discontinuity = open.afterGap || jump !== undefined;
    const cameraAheadMs = this.#timeline.cameraAhead(open.arrivedAt);
    this.#announce();
    const marks = { track: this.#index, rtpTime, at, quality, key, discontinuity, cameraAheadMs };
    this.#deliver(new PacketGroup(marks, packets, this.#memory));
  }

  #placed({ rtpTime, arrivedAt }: Open): Placed {
    if (this.#captured === undefined) return this.#timeline.place(rtpTime, arrivedAt);
    return { at: arrivedAt, quality: this.#captured, jump: undefined };
  }

  #announce(): void {
    const { track } = this.#format;
    if (track === this.#announced) return;
    const same = track.fmtp === this.#announced.fmtp;
    this.#announced = track;
    if (!same) this.#onTrack?.(track);
  }
}

/** Whether the first content of an access unit shows that something before it is missing. */
function beginsWithin(flags: number, afterGap: boolean): boolean {
  if ((flags & SCAN.content) === 0) return false;
  return (flags & SCAN.continues) !== 0 || (afterGap && (flags & SCAN.first) === 0);
}
