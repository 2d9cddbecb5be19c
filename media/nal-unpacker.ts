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
  /** Smaller ones have memory of their own: pieces that are used again are larger, and what waits for the disk is counted by its bytes. */
  leastReusedBytes: 2048,
};

/** A NAL unit of which fragments are still missing. */
interface Open {
  /** The length field, then the NAL unit's header. */
  readonly head: Buffer;
  readonly fragments: Buffer[];
  bytes: number;
}

/**
 * Access units of H.264 (RFC 6184, packetization modes 0 and 1) and H.265 (RFC 7798, without DONL). Payload bytes are copied
 * once, when the access unit is complete.
 */
export class NalUnpacker implements Unpacker {
  readonly #codec: NalCodec;
  readonly #sets: ParameterSets;
  readonly #memory: ReusedMemory | undefined;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #nals = 0;
  #open: Open | undefined;
  #random = false;
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
    return this.#open === undefined;
  }

  add(payload: Buffer): boolean {
    const codec = this.#codec;
    if (codec.type(payload) === codec.fragment) return this.#addFragment(payload);
    this.#endFragments();
    for (const nal of codec.units(payload)) this.#addUnit(nal);
    return this.#withinLimits();
  }

  #withinLimits(): boolean {
    return this.#bytes <= LIMITS.bytes && this.#nals <= LIMITS.nals;
  }

  #addUnit(nal: Buffer): void {
    const type = this.#codec.type(nal);
    if (nal.length < this.#codec.headerBytes || !this.#codec.plain(type)) return;
    if (this.#codec.parameterSet(type) > 0) this.#sets.note(nal);
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(nal.length, 0);
    this.#pieces.push(length, nal);
    this.#bytes += 4 + nal.length;
    this.#count(type, nal);
  }

  /** `start`: the NAL unit, or as much of it as is there. */
  #count(type: number, start: Buffer): void {
    this.#nals += 1;
    if (!this.#codec.vcl(type)) return;
    // first_mb_in_slice is 0, or first_slice_segment_in_pic_flag is set: the first bit behind the header in both codecs.
    if (!this.hasContent) this.fromStart = ((start[this.#codec.headerBytes] ?? 0) & 0x80) !== 0;
    this.hasContent = true;
    this.#random ||= this.#codec.random(type);
  }

  #addFragment(payload: Buffer): boolean {
    const { headerBytes } = this.#codec;
    const flags = payload[headerBytes] ?? 0;
    const body = payload.subarray(headerBytes + 1);
    if ((flags & 0x80) !== 0) {
      // Cameras that do not mark the end of a fragmented unit end it with the start of the next one.
      this.#endFragments();
      if (!this.#startFragments(payload, body)) return false;
    }
    if (this.#open === undefined) return false;
    this.#open.fragments.push(body);
    this.#open.bytes += body.length;
    this.#bytes += body.length;
    if ((flags & 0x40) !== 0) this.#endFragments();
    return this.#withinLimits();
  }

  #startFragments(payload: Buffer, body: Buffer): boolean {
    const head = Buffer.from([0, 0, 0, 0, ...this.#codec.unitHeader(payload)]);
    if (!this.#codec.plain(this.#codec.type(head.subarray(4)))) return false;
    this.#open = { head, fragments: [], bytes: this.#codec.headerBytes };
    this.#bytes += head.length;
    const header = head.subarray(4);
    this.#count(this.#codec.type(header), Buffer.concat([header, body.subarray(0, 1)]));
    return true;
  }

  #endFragments(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const type = this.#codec.type(open.head.subarray(4));
    if (this.#codec.parameterSet(type) > 0) {
      this.#addByteStream(Buffer.concat([open.head.subarray(4), ...open.fragments]));
      return;
    }
    open.head.writeUInt32BE(open.bytes, 0);
    this.#pieces.push(open.head, ...open.fragments);
  }

  /** There are cameras that put all of a key frame, with start codes, into what they say is one parameter set. */
  #addByteStream(nal: Buffer): void {
    this.#bytes -= 4 + nal.length;
    this.#nals -= 1;
    for (const one of splitStartCodes(nal)) this.#addUnit(one);
  }

  finish(): Unpacked | undefined {
    this.#endFragments();
    this.#sets.settle();
    const { format } = this.#sets;
    const key = this.#random;
    const data = format === undefined ? undefined : this.#joined();
    this.drop();
    return format === undefined || data === undefined ? undefined : { key, data, format };
  }

  #joined(): Buffer {
    const memory = this.#memory;
    if (memory === undefined || this.#bytes < LIMITS.leastReusedBytes) return Buffer.concat(this.#pieces, this.#bytes);
    const data = memory.take(this.#bytes);
    let at = 0;
    for (const piece of this.#pieces) at += piece.copy(data, at);
    return data;
  }

  drop(): void {
    this.#pieces = [];
    this.#bytes = 0;
    this.#nals = 0;
    this.#open = undefined;
    this.#random = false;
    this.hasContent = false;
    this.fromStart = false;
  }
}
