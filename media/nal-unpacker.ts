import type { Unpacked, Unpacker } from "./access-units.ts";
import { splitStartCodes } from "./nal.ts";
import type { NalCodec } from "./nal-codec.ts";
import { ParameterSets } from "./parameter-sets.ts";
import type { ReusedMemory } from "./reused-memory.ts";

const LIMITS = {
  /** Of one access unit. Key frames of 4K cameras have some MiB. */
  bytes: 16 * 1024 * 1024,
  /** NAL units of one access unit. Encoders that cut slices to the size of packets make some thousand of a large key frame. */
  nals: 8192,
  /** Room that an access unit of ordinary cameras finds at once, and the most that is kept for the next one. */
  firstBytes: 32 * 1024,
  keptBytes: 1024 * 1024,
};

const LENGTH_BYTES = 4;
const NOTHING = Buffer.alloc(0);

/**
 * Access units of H.264 (RFC 6184, packetization modes 0 and 1) and H.265 (RFC 7798, without DONL). Payloads are copied as they
 * come, into room that is used for one access unit after another.
 */
export class NalUnpacker implements Unpacker {
  readonly #codec: NalCodec;
  readonly #sets: ParameterSets;
  readonly #memory: ReusedMemory | undefined;
  /** What is there of the access unit: NAL units, each behind its length. */
  #room: Buffer = NOTHING;
  #bytes = 0;
  #nals = 0;
  /** Where the length stands of the NAL unit of which fragments are still missing. */
  #openAt: number | undefined;
  #random = false;
  readonly copies = true;
  hasContent = false;
  fromStart = false;

  /** `known`: parameter sets out of the stream's description. `memory`: where access units lie; memory of their own if absent. */
  constructor(codec: NalCodec, known: readonly Buffer[], memory?: ReusedMemory) {
    this.#codec = codec;
    this.#memory = memory;
    this.#sets = new ParameterSets(codec.codec);
    for (const nal of known) this.#sets.note(nal);
    this.#sets.settle();
  }

  get atEnd(): boolean {
    return this.#openAt === undefined;
  }

  add(bytes: Buffer, start: number, end: number): boolean {
    const codec = this.#codec;
    if (codec.type(bytes, start) === codec.fragment) return this.#addFragment(bytes, start, end);
    this.#endFragments();
    for (const nal of codec.units(bytes.subarray(start, end))) this.#addUnit(nal);
    return this.#withinLimits();
  }

  #withinLimits(): boolean {
    return this.#bytes <= LIMITS.bytes && this.#nals <= LIMITS.nals;
  }

  #addUnit(nal: Buffer): void {
    const type = this.#codec.type(nal);
    if (nal.length < this.#codec.headerBytes || !this.#codec.plain(type)) return;
    if (this.#codec.parameterSet(type) > 0) this.#sets.note(nal);
    const at = this.#begin();
    this.#append(nal);
    this.#setLength(at);
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
    const body = bytes.subarray(flagsAt + 1, Math.max(flagsAt + 1, end));
    if ((flags & 0x80) !== 0) {
      // Cameras that do not mark the end of a fragmented unit end it with the start of the next one.
      this.#endFragments();
      if (!this.#startFragments(bytes.subarray(start, end), body)) return false;
    }
    if (this.#openAt === undefined) return false;
    this.#append(body);
    if ((flags & 0x40) !== 0) this.#endFragments();
    return this.#withinLimits();
  }

  #startFragments(payload: Buffer, body: Buffer): boolean {
    const header = Buffer.from(this.#codec.unitHeader(payload));
    const type = this.#codec.type(header);
    if (!this.#codec.plain(type)) return false;
    this.#openAt = this.#begin();
    this.#append(header);
    this.#count(type, body[0]);
    return true;
  }

  #endFragments(): void {
    const at = this.#openAt;
    if (at === undefined) return;
    this.#openAt = undefined;
    if (this.#codec.parameterSet(this.#codec.type(this.#room, at + LENGTH_BYTES)) > 0) this.#splitFrom(at);
    else this.#setLength(at);
  }

  /** There are cameras that put all of a key frame, with start codes, into what they say is one parameter set. */
  #splitFrom(at: number): void {
    const nal = Buffer.from(this.#room.subarray(at + LENGTH_BYTES, this.#bytes));
    this.#bytes = at;
    this.#nals -= 1;
    for (const one of splitStartCodes(nal)) this.#addUnit(one);
  }

  /** Leaves room for the length of a NAL unit, and tells where. */
  #begin(): number {
    const at = this.#bytes;
    this.#reserve(LENGTH_BYTES);
    this.#bytes += LENGTH_BYTES;
    return at;
  }

  #append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#room.set(bytes, this.#bytes);
    this.#bytes += bytes.length;
  }

  /** Of the NAL unit that ends here. */
  #setLength(at: number): void {
    this.#room.writeUInt32BE(this.#bytes - at - LENGTH_BYTES, at);
  }

  #reserve(bytes: number): void {
    const least = this.#bytes + bytes;
    if (least <= this.#room.length) return;
    const room = Buffer.allocUnsafeSlow(Math.max(least, this.#room.length * 2, LIMITS.firstBytes));
    this.#room.copy(room, 0, 0, this.#bytes);
    this.#room = room;
  }

  finish(): Unpacked | undefined {
    this.#endFragments();
    this.#sets.settle();
    const { format } = this.#sets;
    const key = this.#random;
    const data = format === undefined ? undefined : this.#copied();
    this.drop();
    return format === undefined || data === undefined ? undefined : { key, data, format };
  }

  #copied(): Buffer {
    const whole = this.#room.subarray(0, this.#bytes);
    if (this.#memory === undefined) return Buffer.from(whole);
    const data = this.#memory.take(this.#bytes);
    data.set(whole);
    return data;
  }

  drop(): void {
    if (this.#room.length > LIMITS.keptBytes) this.#room = NOTHING;
    this.#bytes = 0;
    this.#nals = 0;
    this.#openAt = undefined;
    this.#random = false;
    this.hasContent = false;
    this.fromStart = false;
  }
}
