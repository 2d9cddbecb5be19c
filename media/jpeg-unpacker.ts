import { isFault } from "../base/fault.ts";
import type { Unpacked, Unpacker } from "./access-units.ts";
import { frameOf, isJpegFile, jpegFile, type Segment, segmentsOf } from "./jpeg-file.ts";
import { tablesOfQuality } from "./jpeg-tables.ts";
import type { SampleFormat } from "./sample.ts";

const LIMITS = {
  /** Of one picture; offsets of fragments have 24 bits. */
  bytes: 16 * 1024 * 1024,
};

/** RTP header extension in which a camera sends headers of the file (ONVIF Streaming 5.1.4): the id is the first marker. */
const EXTENSION_ID = 0xffd8;

/** Sampling of luminance by the lower six bits of the type (RFC 2435 4.1). */
const SAMPLING: readonly number[] = [0x21, 0x22];

type Format = Extract<SampleFormat, { codec: "JPEG" }>;

/** Of the first packet of a picture (RFC 2435 3.1). */
interface Header {
  readonly sampling: number;
  readonly width: number;
  readonly height: number;
  readonly restartInterval: number;
  readonly tables: readonly Buffer[];
  readonly given: readonly Segment[];
}

/** Pictures of RTP/JPEG (RFC 2435) with ONVIF's extension for more than 2040 pixels, as whole JFIF files. */
export class JpegUnpacker implements Unpacker {
  /** Tables by the Q that stands for them, 128 to 254: they need not be repeated. */
  readonly #tables = new Map<number, readonly Buffer[]>();
  #header: Header | undefined;
  readonly holds = false;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #format: Format | undefined;

  get hasContent(): boolean {
    return this.#bytes > 0;
  }

  /** Fragments say where they belong, so a picture without its first one is never begun. */
  get fromStart(): boolean {
    return true;
  }

  get atEnd(): boolean {
    return true;
  }

  add(bytes: Buffer, start: number, end: number, packetAt: number): boolean {
    const payload = bytes.subarray(start, end);
    if (payload.length < 8) return false;
    const offset = payload.readUIntBE(1, 3);
    const type = payload.readUInt8(4);
    if (offset !== this.#bytes) return false;
    let at = 8;
    let restartInterval = 0;
    if (type >= 64 && type < 128) {
      if (payload.length < 12) return false;
      restartInterval = payload.readUInt16BE(8);
      at = 12;
    }
    if (offset === 0) {
      const tables = this.#readTables(payload, at);
      const sampling = SAMPLING[type & 0x3f];
      if (tables === undefined || type >= 128 || sampling === undefined) return false;
      at += tables.bytes;
      this.#header = {
        sampling,
        width: payload.readUInt8(6) * 8,
        height: payload.readUInt8(7) * 8,
        restartInterval,
        tables: tables.tables,
        given: givenIn(bytes.subarray(packetAt, end)),
      };
    }
    const scan = payload.subarray(at);
    this.#pieces.push(scan);
    this.#bytes += scan.length;
    return this.#bytes <= LIMITS.bytes;
  }

  /** The tables of a picture, and how many bytes of its first packet they take (RFC 2435 3.1.8). */
  #readTables(payload: Buffer, at: number): { readonly tables: readonly Buffer[]; readonly bytes: number } | undefined {
    const q = payload.readUInt8(5);
    if (q === 0) return undefined;
    if (q < 128) return { tables: tablesOfQuality(Math.min(q, 99)), bytes: 0 };
    if (payload.length < at + 4) return undefined;
    const precision = payload.readUInt8(at + 1);
    const length = payload.readUInt16BE(at + 2);
    if (at + 4 + length > payload.length) return undefined;
    if (length === 0) {
      const known = this.#tables.get(q);
      return known && { tables: known, bytes: 4 };
    }
    const tables: Buffer[] = [];
    for (let from = at + 4, index = 0; from < at + 4 + length && index < 4; index += 1) {
      const size = ((precision >> index) & 1) === 1 ? 128 : 64;
      if (from + size > at + 4 + length) break;
      tables.push(Buffer.from(payload.subarray(from, from + size)));
      from += size;
    }
    if (tables.length === 0) return undefined;
    if (q < 255) this.#tables.set(q, tables);
    return { tables, bytes: 4 + length };
  }

  finish(): Unpacked | undefined {
    const header = this.#header;
    const pieces = this.#pieces;
    this.drop();
    if (header === undefined) return undefined;
    try {
      const first = pieces[0];
      // There are cameras that put the whole file where the scan belongs.
      const whole = first !== undefined && isJpegFile(first);
      const data = whole ? Buffer.concat(pieces) : jpegFile(header, pieces);
      const { width, height } = frameOf(whole ? segmentsOf(data).segments : header.given) ?? header;
      if (width === 0 || height === 0) return undefined;
      if (this.#format?.width !== width || this.#format.height !== height)
        this.#format = { codec: "JPEG", width, height };
      return { key: true, data, format: this.#format };
    } catch (error) {
      if (isFault(error, "invalid")) return undefined;
      throw error;
    }
  }

  drop(): void {
    this.#header = undefined;
    this.#pieces = [];
    this.#bytes = 0;
  }
}

/** Headers of the file in the packet's header extension. */
function givenIn(packet: Buffer): readonly Segment[] {
  if (((packet[0] ?? 0) & 0x10) === 0) return [];
  const at = 12 + ((packet[0] ?? 0) & 0x0f) * 4;
  let from = at + 4;
  const end = from + packet.readUInt16BE(at + 2) * 4;
  // Behind ONVIF's replay extension, which has three words, it begins with its id and no length of its own.
  if (packet.readUInt16BE(at) !== EXTENSION_ID) {
    from += 12;
    if (from + 4 > end || packet.readUInt16BE(from) !== EXTENSION_ID) return [];
    from += 4;
  }
  try {
    return segmentsOf(packet.subarray(from, end)).segments;
  } catch (error) {
    if (isFault(error, "invalid")) return [];
    throw error;
  }
}
