import { FRAME_HEADER_BYTES, frameEnd } from "./framed-packets.ts";
import type { GroupMarks, PacketGroup } from "./group.ts";
import type { SampleBytes } from "./packed-bytes.ts";
import { paddingOf, payloadOffset } from "./rtp.ts";
import type { Sample, SampleFormat } from "./sample.ts";

const LIMITS = {
  /** Of one access unit, for every packet costs memory beyond its bytes: 16 MiB in packets of 512 bytes. */
  packets: 32_768,
};

/** Puts the payloads of one access unit together again. One per track, used for one access unit after another. */
export interface Unpacker<Data extends SampleBytes = Buffer> {
  /** It has content that can be shown, not only what goes with the next access unit. */
  readonly hasContent: boolean;
  /** The content is there from its beginning on, as far as that can be told. */
  readonly fromStart: boolean;
  /** Nothing is missing at its end, as far as that can be told. */
  readonly atEnd: boolean;
  /** The payloads that come next are in this group. */
  begin?(group: PacketGroup): void;
  /**
   * Takes the next payload, which lies in `bytes` from `start` to `end`, of the packet that begins at `packetAt`; not empty. False: the
   * access unit cannot be completed. Never throws.
   */
  add(bytes: Buffer, start: number, end: number, packetAt: number): boolean;
  /** The access unit, which is over then; undefined where its format is not known, or it makes no sense. */
  finish(): Unpacked<Data> | undefined;
  /** Forgets what has come of the access unit. */
  drop(): void;
  /** It holds the groups that it has payloads of, in `begin`. */
  readonly holds: boolean;
}

export type Unpacked<Data extends SampleBytes = Buffer> = Pick<Sample<Data>, "key" | "data"> & {
  readonly format: SampleFormat;
};

/**
 * Samples out of packet groups, for media whose access units span packets.
 *
 * A group is nearly always a whole access unit, and then its sample comes at once. Cameras that set markers in the middle or
 * never are waited for: what has the same RTP time belongs together. An access unit that packets are missing of is left out.
 */
export class AccessUnits<Data extends SampleBytes = Buffer> {
  readonly #unpacker: Unpacker<Data>;
  /** Marks of the first group of the access unit that is being put together. */
  #open: GroupMarks | undefined;
  /** The newest packet said that it is the last one. */
  #marked = false;
  #broken = false;
  /** Packets are missing before the access unit. */
  #afterGap = false;
  /** Something was left out since the newest sample. */
  #missing = false;
  #packets = 0;
  /** The unpacker knows the group that is being taken. */
  #begun = false;
  #sequence: number | undefined;
  #newest: number | undefined;
  /** This camera sets markers before the end of an access unit. */
  #patient = false;

  constructor(unpacker: Unpacker<Data>) {
    this.#unpacker = unpacker;
  }

  get holds(): boolean {
    return this.#unpacker.holds;
  }

  /** The samples that this group completes. Never throws. */
  push(group: PacketGroup): readonly Sample<Data>[] {
    const samples: Sample<Data>[] = [];
    this.#begun = false;
    let gap = group.discontinuity;
    let first = true;
    const { bytes } = group;
    // No views and objects for each packet: to make and collect them costs more than to copy what is in them.
    for (let at = 0, end = 0; at < bytes.length; at = end) {
      end = frameEnd(bytes, at);
      const packetAt = at + FRAME_HEADER_BYTES;
      const payloadAt = payloadOffset(bytes, packetAt, end);
      if (payloadAt === undefined) {
        gap = true;
        continue;
      }
      const sequence = bytes.readUInt16BE(packetAt + 2);
      const step = this.#sequence === undefined ? 1 : (sequence - this.#sequence) & 0xffff;
      if (step === 0) continue;
      this.#sequence = sequence;
      gap ||= step !== 1;
      if (first && this.#open?.rtpTime !== group.rtpTime) this.#close(gap, samples);
      first = false;
      this.#begin(group, gap);
      this.#marked = ((bytes[packetAt + 1] as number) & 0x80) !== 0;
      this.#add(group, payloadAt, end - paddingOf(bytes, packetAt, end), packetAt);
      gap = false;
    }
    // What cannot be read at the end of the group is missing all the same.
    if (gap) this.#lose();
    if (this.#complete()) this.#close(false, samples);
    return samples;
  }

  /** What can be had of what is held: the stream ends here. */
  flush(): readonly Sample<Data>[] {
    const samples: Sample<Data>[] = [];
    this.#close(false, samples);
    return samples;
  }

  #begin(group: PacketGroup, gap: boolean): void {
    if (this.#open === undefined) {
      this.#open = group;
      this.#broken = false;
      this.#afterGap = gap;
    } else if (gap) this.#lose();
  }

  #add(group: PacketGroup, start: number, end: number, packetAt: number): void {
    if (this.#broken || start === end) return;
    // Not before something of it is taken: cameras that send nothing else would have all of their groups held.
    if (!this.#begun) this.#unpacker.begin?.(group);
    this.#begun = true;
    this.#packets += 1;
    if (this.#packets > LIMITS.packets || !this.#unpacker.add(group.bytes, start, end, packetAt)) this.#lose();
  }

  #lose(): void {
    this.#broken = true;
    this.#missing = true;
    this.#packets = 0;
    this.#unpacker.drop();
  }

  #complete(): boolean {
    const { hasContent, atEnd } = this.#unpacker;
    return !this.#patient && !this.#broken && this.#marked && hasContent && atEnd;
  }

  /** The access unit is over. `gap`: packets are missing behind it. */
  #close(gap: boolean, samples: Sample<Data>[]): void {
    const marks = this.#open;
    if (marks === undefined) return;
    this.#open = undefined;
    const unpacker = this.#unpacker;
    if (!this.#broken && !unpacker.hasContent && !gap) {
      // Parameter sets with a time of their own belong to the picture that follows.
      this.#missing ||= this.#afterGap;
      return;
    }
    const rest = unpacker.hasContent && !unpacker.fromStart;
    if (rest && marks.rtpTime === this.#newest) this.#patient = true;
    const beheaded = rest && (this.#afterGap || this.#patient);
    if (this.#broken || beheaded || (gap && !this.#marked) || !unpacker.hasContent) {
      this.#lose();
      return;
    }
    const unpacked = unpacker.finish();
    this.#packets = 0;
    const { at, quality, cameraAheadMs, rtpTime } = marks;
    const discontinuity = this.#missing || this.#afterGap;
    // What comes before the first sample is not missed.
    this.#missing = unpacked === undefined && (discontinuity || this.#newest !== undefined);
    if (unpacked === undefined) return;
    this.#newest = rtpTime;
    samples.push({ at, quality, cameraAheadMs, rtpTime, discontinuity, ...unpacked });
  }
}
