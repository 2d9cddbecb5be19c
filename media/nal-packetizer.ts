import type { FramedPackets } from "./framed-packets.ts";
import { lengthPrefixed } from "./nal.ts";
import type { NalCodec } from "./nal-codec.ts";
import { PAYLOAD_BYTES, type PacketNumbers, PacketWriter } from "./packet-writer.ts";
import type { Sample } from "./sample.ts";
import type { Track } from "./track.ts";

/** Before each unit of an aggregation. */
const LENGTH_BYTES = 2;

/** Packets of H.264 (RFC 6184, packetization mode 1) and H.265 (RFC 7798, without DONL). */
export class NalPacketizer {
  readonly track: Track;
  readonly #codec: NalCodec;
  readonly #sets: readonly Buffer[];
  readonly #writer: PacketWriter;

  /** `sets`: the parameter sets of the format, put before key samples that lack some. */
  constructor(codec: NalCodec, sets: readonly Buffer[], track: Track, numbers: PacketNumbers) {
    this.track = track;
    this.#codec = codec;
    this.#sets = sets;
    this.#writer = new PacketWriter(numbers);
  }

  get ssrc(): number {
    return this.#writer.ssrc;
  }

  get nextSequence(): number {
    return this.#writer.nextSequence;
  }

  packets(sample: Sample, rtpTime: number): FramedPackets {
    const codec = this.#codec;
    const { headerBytes } = codec;
    const found = lengthPrefixed(sample.data).filter(
      (nal) => nal.length >= headerBytes && codec.plain(codec.type(nal)),
    );
    const nals = sample.key ? this.#withSets(found) : found;
    let bytes = 0;
    let packets = 0;
    for (const nal of nals) {
      const most = Math.ceil(nal.length / (PAYLOAD_BYTES - headerBytes - 1));
      packets += most;
      bytes += nal.length + most * (headerBytes + 1) + LENGTH_BYTES;
    }
    this.#writer.begin(bytes, packets, rtpTime);
    for (let at = 0; at < nals.length; ) at += this.#write(nals, at);
    return this.#writer.end(true);
  }

  /** A decoder that begins with this sample needs all kinds of parameter sets, behind the delimiter where there is one. */
  #withSets(nals: readonly Buffer[]): readonly Buffer[] {
    const codec = this.#codec;
    let kinds = 0;
    for (const nal of nals) kinds |= 1 << codec.parameterSet(codec.type(nal));
    if ((kinds & ~1) === (1 << (codec.parameterSets + 1)) - 2) return nals;
    const [first, ...others] = nals;
    return first !== undefined && codec.type(first) === codec.delimiter
      ? [first, ...this.#sets, ...others]
      : [...this.#sets, ...nals];
  }

  /** Writes the unit at `index`, alone or with those behind it. Returns how many were written. */
  #write(nals: readonly Buffer[], index: number): number {
    const nal = nals[index];
    if (nal === undefined) return 1;
    const together = this.#together(nals, index);
    if (together > 1) this.#writeTogether(nals.slice(index, index + together));
    else if (nal.length <= PAYLOAD_BYTES) this.#writeSingle(nal);
    else this.#writeFragments(nal);
    return together;
  }

  /** How many units from `index` on fit in one packet. Slices stay alone: they are large, and some receivers expect it. */
  #together(nals: readonly Buffer[], index: number): number {
    const codec = this.#codec;
    let bytes: number = codec.headerBytes;
    let count = 0;
    for (let at = index; at < nals.length; at += 1) {
      const nal = nals[at];
      if (nal === undefined || codec.vcl(codec.type(nal))) break;
      bytes += LENGTH_BYTES + nal.length;
      if (bytes > PAYLOAD_BYTES) break;
      count += 1;
    }
    return Math.max(count, 1);
  }

  #writeSingle(nal: Buffer): void {
    this.#writer.open();
    this.#writer.copy(nal);
    this.#writer.close();
  }

  #writeTogether(nals: readonly Buffer[]): void {
    this.#writer.open();
    this.#writer.bytes(this.#codec.payloadHeader(this.#codec.aggregation, nals));
    for (const nal of nals) {
      this.#writer.u16(nal.length);
      this.#writer.copy(nal);
    }
    this.#writer.close();
  }

  /** FU-A (RFC 6184 5.8), FU (RFC 7798 4.4.3). All of one size but the last. */
  #writeFragments(nal: Buffer): void {
    const { headerBytes } = this.#codec;
    const type = this.#codec.type(nal);
    const header = this.#codec.payloadHeader(this.#codec.fragment, [nal]);
    const room = PAYLOAD_BYTES - headerBytes - 1;
    for (let at: number = headerBytes; at < nal.length; at += room) {
      const start = at === headerBytes ? 0x80 : 0;
      const end = at + room >= nal.length ? 0x40 : 0;
      this.#writer.open();
      this.#writer.bytes(header);
      this.#writer.u8(start | end | type);
      this.#writer.copy(nal, at, Math.min(at + room, nal.length));
      this.#writer.close();
    }
  }
}
