import type { Unpacked, Unpacker } from "./access-units.ts";
import type { PacketGroup } from "./group.ts";
import { splitStartCodes } from "./nal.ts";
import type { NalCodec } from "./nal-codec.ts";
import { type Mark, PackedBytes, PieceRoom, type SampleBytes } from "./packed-bytes.ts";
import { ParameterSets } from "./parameter-sets.ts";

const LIMITS = {
  /** Of one access unit. Key frames of 4K cameras have some MiB. */
  bytes: 16 * 1024 * 1024,
  /** NAL units of one access unit. Encoders that cut slices to the size of packets make some thousand of a large key frame. */
  nals: 8192,
};

/** A NAL unit of which fragments are still missing. */
interface OpenUnit {
  readonly mark: Mark;
  readonly type: number;
}

/**
 * Access units of H.264 (RFC 6184, packetization modes 0 and 1) and H.265 (RFC 7798, without DONL). Payloads stay where they came:
 * what is noted is where they lie.
 */
export class NalUnpacker<Data extends SampleBytes> implements Unpacker<Data> {
  readonly #codec: NalCodec;
  readonly #sets: ParameterSets;
  readonly #finished: (packed: PackedBytes) => Data;
  readonly #room = new PieceRoom();
  /** What is there of the access unit. */
  #packed = new PackedBytes(this.#room);
  #nals = 0;
  #open: OpenUnit | undefined;
  #random = false;
  readonly holds = true;
  hasContent = false;
  fromStart = false;

  /** `known`: parameter sets out of the stream's description. `finished`: what becomes of an access unit, which it releases. */
  constructor(codec: NalCodec, known: readonly Buffer[], finished: (packed: PackedBytes) => Data) {
    this.#codec = codec;
    this.#finished = finished;
    this.#sets = new ParameterSets(codec.codec);
    for (const nal of known) this.#sets.note(nal);
    this.#sets.settle();
  }

  get atEnd(): boolean {
    return this.#open === undefined;
  }

  begin(group: PacketGroup): void {
    this.#packed.lieIn(group);
  }

  add(bytes: Buffer, start: number, end: number): boolean {
    const codec = this.#codec;
    if (codec.type(bytes, start) === codec.fragment) return this.#addFragment(bytes, start, end);
    this.#endFragments();
    for (const nal of codec.units(bytes.subarray(start, end))) {
      const at = nal.byteOffset - bytes.byteOffset;
      this.#addUnit(nal, () => this.#packed.add(at, at + nal.length));
    }
    return this.#withinLimits();
  }

  #withinLimits(): boolean {
    return this.#packed.length <= LIMITS.bytes && this.#nals <= LIMITS.nals;
  }

  #addUnit(nal: Buffer, add: () => void): void {
    const type = this.#codec.type(nal);
    if (nal.length < this.#codec.headerBytes || !this.#codec.plain(type)) return;
    if (this.#codec.parameterSet(type) > 0) this.#sets.note(nal);
    const mark = this.#packed.begin();
    add();
    this.#packed.end(mark);
    this.#count(type, nal[this.#codec.headerBytes]);
  }

  /** `behind`: the byte behind the NAL unit's header. */
  #count(type: number, behind: number | undefined): void {
    this.#nals += 1;
    if (!this.#codec.vcl(type)) return;
    // first_mb_in_slice is 0, or first_slice_segment_in_pic_flag is set: the first bit behind the header in both codecs.
    if (!this.hasContent) this.fromStart = ((behind ?? 0) & 0x80) !== 0;
    this.hasContent = true;
    this.#random ||= this.#codec.random(type);
  }

  #addFragment(bytes: Buffer, start: number, end: number): boolean {
    const flagsAt = start + this.#codec.headerBytes;
    const flags = flagsAt < end ? (bytes[flagsAt] as number) : 0;
    const bodyAt = Math.min(flagsAt + 1, end);
    if ((flags & 0x80) !== 0) {
      // Cameras that do not mark the end of a fragmented unit end it with the start of the next one.
      this.#endFragments();
      if (!this.#startFragments(bytes.subarray(start, end), bodyAt < end ? bytes[bodyAt] : undefined)) return false;
    }
    if (this.#open === undefined) return false;
    this.#packed.add(bodyAt, end);
    if ((flags & 0x40) !== 0) this.#endFragments();
    return this.#withinLimits();
  }

  #startFragments(payload: Buffer, behind: number | undefined): boolean {
    const header = this.#codec.unitHeader(payload);
    const type = this.#codec.type(Buffer.from(header));
    if (!this.#codec.plain(type)) return false;
    this.#open = { mark: this.#packed.begin(), type };
    this.#packed.addHeader(header);
    this.#count(type, behind);
    return true;
  }

  #endFragments(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    if (this.#codec.parameterSet(open.type) > 0) this.#split(open.mark);
    else this.#packed.end(open.mark);
  }

  /** There are cameras that put all of a key frame, with start codes, into what they say is one parameter set. */
  #split(mark: Mark): void {
    const nal = this.#packed.takeBack(mark);
    this.#nals -= 1;
    for (const one of splitStartCodes(nal)) this.#addUnit(one, () => this.#packed.addOwn(one));
  }

  finish(): Unpacked<Data> | undefined {
    this.#endFragments();
    this.#sets.settle();
    const { format } = this.#sets;
    const key = this.#random;
    const packed = this.#packed;
    if (format === undefined) {
      this.drop();
      return undefined;
    }
    this.#restart();
    return { key, data: this.#finished(packed), format };
  }

  drop(): void {
    this.#packed.release();
    this.#restart();
  }

  #restart(): void {
    this.#packed = new PackedBytes(this.#room);
    this.#nals = 0;
    this.#open = undefined;
    this.#random = false;
    this.hasContent = false;
    this.fromStart = false;
  }
}
