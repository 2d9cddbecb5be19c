import { type AdtsFrame, aacConfig, readAdts } from "./aac.ts";
import { type AacFormat, aacFormatOf, describedAacConfig } from "./aac-format.ts";
import { BitReader } from "./bits.ts";
import { fmtpValue } from "./fmtp.ts";
import type { Sound, SoundUnpacker } from "./sounds.ts";
import type { Track } from "./track.ts";

const LIMITS = {
  /** Of a fragmented access unit. AAC has at most 768 bytes a channel, but lengths have 13 bits. */
  bytes: 8191,
  /** Access units of one packet; 16 of 1024 samples are a third of a second. */
  units: 64,
};

/** An access unit of which fragments are still missing. */
interface Open {
  readonly pieces: Buffer[];
  readonly size: number;
  missing: number;
}

const AAC_LC = 2;

/** AAC in AU headers (RFC 3640, modes AAC-hbr and AAC-lbr, without interleaving), and bare ADTS frames, which some cameras send. */
export class AacUnpacker implements SoundUnpacker {
  readonly #track: Track;
  readonly #sizeBits: number;
  readonly #indexBits: number;
  readonly #told: Buffer | undefined;
  #format: AacFormat | undefined;
  #ticks = 0;
  #open: Open | undefined;

  constructor(track: Track) {
    this.#track = track;
    const lowRate = fmtpValue(track.fmtp, "mode")?.toLowerCase() === "aac-lbr";
    this.#sizeBits = bitsOf(fmtpValue(track.fmtp, "sizelength")) ?? (lowRate ? 6 : 13);
    this.#indexBits = bitsOf(fmtpValue(track.fmtp, "indexlength")) ?? (lowRate ? 2 : 3);
    this.#told = describedAacConfig(track);
  }

  add(payload: Buffer, gap: boolean): readonly Sound[] | undefined {
    if (gap) this.#open = undefined;
    const frames = this.#readAdts(payload);
    return frames ?? this.#readUnits(payload);
  }

  /** ADTS frames that fill the payload, or undefined where it holds something else. */
  #readAdts(payload: Buffer): readonly Sound[] | undefined {
    const units: Buffer[] = [];
    let header: AdtsFrame | undefined;
    for (let at = 0; at < payload.length && units.length < LIMITS.units; ) {
      header = readAdts(payload.subarray(at));
      if (header === undefined || at + header.frameBytes > payload.length) return undefined;
      units.push(payload.subarray(at + header.headerBytes, at + header.frameBytes));
      at += header.frameBytes;
    }
    return header === undefined ? undefined : this.#sounds(units, header);
  }

  /** AU headers, then the units (RFC 3640 3.2.1). Undefined: the packet makes no sense. */
  #readUnits(payload: Buffer): readonly Sound[] | undefined {
    if (payload.length < 4) return undefined;
    const headerBits = payload.readUInt16BE(0);
    const sizes = this.#readSizes(payload.subarray(2, 2 + Math.ceil(headerBits / 8)), headerBits);
    if (sizes === undefined) return undefined;
    // The rest of what was begun is not coming.
    if (this.#open !== undefined && this.#open.size !== sizes[0]) this.#open = undefined;
    let at = 2 + Math.ceil(headerBits / 8);
    const units: Buffer[] = [];
    for (const size of sizes) {
      const unit = payload.subarray(at, at + size);
      at += size;
      if (unit.length === size && this.#open === undefined) units.push(unit);
      else if (sizes.length > 1) return undefined;
      else units.push(...this.#addFragment(unit, size));
    }
    const adts = units[0] === undefined ? undefined : readAdts(units[0]);
    const wrapped = adts !== undefined && adts.frameBytes === units[0]?.length;
    if (!wrapped) return this.#sounds(units, undefined);
    return this.#sounds(
      units.map((unit) => unit.subarray(readAdts(unit)?.headerBytes ?? 0)),
      adts,
    );
  }

  #readSizes(section: Buffer, headerBits: number): readonly number[] | undefined {
    let [size, index] = [this.#sizeBits, this.#indexBits];
    // Headers have 16 bits in practice, also where the description forgets to say so.
    if (headerBits % (size + index) !== 0) [size, index] = [13, 3];
    const count = headerBits / (size + index);
    if (!Number.isInteger(count) || count === 0 || count > LIMITS.units || section.length * 8 < headerBits)
      return undefined;
    const bits = new BitReader(section);
    return Array.from({ length: count }, () => {
      const bytes = bits.bits(size);
      bits.skip(index);
      return bytes;
    });
  }

  /** A packet with a part of one unit: each names the size of the whole (RFC 3640 3.2.3). */
  #addFragment(piece: Buffer, size: number): readonly Buffer[] {
    this.#open ??= { pieces: [], size, missing: size };
    const open = this.#open;
    open.pieces.push(piece);
    open.missing -= piece.length;
    if (open.missing > 0 && size <= LIMITS.bytes && piece.length > 0) return [];
    this.#open = undefined;
    return open.missing === 0 ? [Buffer.concat(open.pieces)] : [];
  }

  #sounds(units: readonly Buffer[], adts: AdtsFrame | undefined): readonly Sound[] {
    if (this.#format === undefined) this.#describe(adts);
    const format = this.#format;
    if (format === undefined) return [];
    return units.filter((unit) => unit.length > 0).map((data, index) => ({ data, ticks: index * this.#ticks, format }));
  }

  /** The configuration of the description; without one that of the ADTS header, or AAC-LC of the track's rate. */
  #describe(adts: AdtsFrame | undefined): void {
    const { clockRateHz, channels } = this.#track;
    const config =
      this.#told ??
      (adts === undefined
        ? aacConfig(AAC_LC, clockRateHz, channels)
        : aacConfig(adts.objectType, adts.sampleRateHz, adts.channels || channels));
    const known = aacFormatOf(config, this.#track);
    if (known === undefined) return;
    this.#ticks = Math.round((known.facts.frameSamples * clockRateHz) / known.facts.coreRateHz);
    this.#format = known.format;
  }
}

function bitsOf(value: string | undefined): number | undefined {
  const bits = Number(value ?? Number.NaN);
  return Number.isInteger(bits) && bits > 0 && bits <= 16 ? bits : undefined;
}
