import { Fault } from "../base/fault.ts";
import type { FramedPackets } from "./framed-packets.ts";
import { type Frame, frameOf, MARKER, type Segment, segmentsOf, withoutEnd } from "./jpeg-file.ts";
import { STANDARD_HUFFMAN } from "./jpeg-tables.ts";
import { PAYLOAD_BYTES, type PacketNumbers, PacketWriter } from "./packet-writer.ts";
import type { Sample } from "./sample.ts";
import type { Track } from "./track.ts";

/** Fields of the header have a byte for eights of pixels, and offsets have 24 bits (RFC 2435 3.1). */
const MAX_SIDE = 255 * 8;
const MAX_SCAN_BYTES = 2 ** 24 - 1;

/** Tables are in the first packet, and stand for nothing else (RFC 2435 3.1.8). */
const TABLES_IN_PACKET = 255;

/** Restart markers that fragments pay no attention to (RFC 2435 3.1.7). */
const WHOLE_FRAME = 0xffff;

/** Id of ONVIF's header extension: the marker that a JPEG file begins with (ONVIF Streaming 5.1.4). */
const EXTENSION_ID = 0xffd8;

/** What RTP says of a picture. */
interface Plan {
  readonly type: 0 | 1;
  readonly restartInterval: number;
  /** Header of the tables, and the tables. */
  readonly tables: Buffer;
  /** ONVIF's header extension with the frame header, where the size does not fit in RTP's own; in whole words. */
  readonly extension: Buffer | undefined;
  readonly width: number;
  readonly height: number;
  readonly scan: Buffer;
}

/** Packets of RTP/JPEG (RFC 2435) out of whole JPEG files, with ONVIF's extension for more than 2040 pixels. */
export class JpegPacketizer {
  readonly track: Track;
  readonly #writer: PacketWriter;

  constructor(track: Track, numbers: PacketNumbers) {
    this.track = track;
    this.#writer = new PacketWriter(numbers);
  }

  get ssrc(): number {
    return this.#writer.ssrc;
  }

  get nextSequence(): number {
    return this.#writer.nextSequence;
  }

  /** Fault `invalid` for a picture that RTP/JPEG cannot express. */
  packets(sample: Sample, rtpTime: number): FramedPackets {
    const plan = planOf(sample.data);
    const { scan, restartInterval } = plan;
    const headerBytes = restartInterval > 0 ? 12 : 8;
    const firstBytes = plan.tables.length + (plan.extension?.length ?? 0);
    if (headerBytes + firstBytes >= PAYLOAD_BYTES)
      throw new Fault("invalid", "JPEG whose tables do not fit in a packet");
    const most = Math.ceil((scan.length + firstBytes) / (PAYLOAD_BYTES - headerBytes)) + 1;
    this.#writer.begin(scan.length + firstBytes + most * headerBytes, most, rtpTime);
    let at = 0;
    do {
      const first = at === 0;
      const room = PAYLOAD_BYTES - headerBytes - (first ? firstBytes : 0);
      const extension = first ? plan.extension : undefined;
      this.#writer.open();
      if (extension !== undefined) this.#writer.copy(extension);
      this.#writeHeader(plan, at);
      if (first) this.#writer.copy(plan.tables);
      this.#writer.copy(scan, at, Math.min(at + room, scan.length));
      this.#writer.close(extension !== undefined);
      at += room;
    } while (at < scan.length);
    return this.#writer.end(true);
  }

  #writeHeader(plan: Plan, offset: number): void {
    const restarts = plan.restartInterval > 0;
    this.#writer.bytes([0, offset >> 16, offset >> 8, offset]);
    this.#writer.bytes([plan.type + (restarts ? 64 : 0), TABLES_IN_PACKET, eights(plan.width), eights(plan.height)]);
    if (!restarts) return;
    this.#writer.u16(plan.restartInterval);
    this.#writer.u16(WHOLE_FRAME);
  }
}

/** 0 where it does not fit. */
function eights(side: number): number {
  return side > MAX_SIDE ? 0 : Math.ceil(side / 8);
}

function cannot(why: string): Fault {
  return new Fault("invalid", `RTP cannot carry this JPEG: ${why} (RFC 2435)`);
}

function planOf(data: Buffer): Plan {
  const { segments, end } = segmentsOf(data);
  const frame = frameOf(segments);
  if (frame === undefined || segments.at(-1)?.marker !== MARKER.sos) throw new Fault("invalid", "no JPEG picture");
  if (frame.marker !== MARKER.sof0 || frame.depth !== 8) throw cannot("it is not coded in baseline");
  checkHuffman(segments);
  const { width, height } = frame;
  const scan = withoutEnd(data.subarray(end));
  if (scan.length > MAX_SCAN_BYTES) throw cannot(`it has ${scan.length} bytes`);
  const interval = segments.find(({ marker, body }) => marker === MARKER.dri && body.length >= 2);
  return {
    type: typeOf(frame),
    restartInterval: interval?.body.readUInt16BE(0) ?? 0,
    tables: tablesOf(segments, frame),
    extension: exact(width) && exact(height) ? undefined : extensionOf(segments),
    width,
    height,
    scan,
  };
}

function exact(side: number): boolean {
  return side % 8 === 0 && side <= MAX_SIDE;
}

/** 4:2:2 is type 0, 4:2:0 is type 1 (RFC 2435 4.1). */
function typeOf({ components }: Frame): 0 | 1 {
  const [y, cb, cr] = components;
  const colors = components.length === 3 && cb?.sampling === 0x11 && cr?.sampling === 0x11;
  if (!colors || (y?.sampling !== 0x21 && y?.sampling !== 0x22)) throw cannot("its colors are sampled in another way");
  if (cb.table !== cr.table) throw cannot("its colors have two quantization tables");
  return y.sampling === 0x21 ? 0 : 1;
}

/** The scan's receivers have these tables built in. A file may leave them out. */
function checkHuffman(segments: readonly Segment[]): void {
  for (const { marker, body } of segments)
    if (marker === MARKER.dht)
      for (let at = 0; at < body.length; ) {
        const known = STANDARD_HUFFMAN.find((table) => table.equals(body.subarray(at, at + table.length)));
        if (known === undefined) throw cannot("it has Huffman tables of its own");
        at += known.length;
      }
}

/** The quantization tables of luminance and color behind their header (RFC 2435 3.1.8). */
function tablesOf(segments: readonly Segment[], frame: Frame): Buffer {
  const tables = new Map<number, Buffer>();
  for (const { marker, body } of segments)
    if (marker === MARKER.dqt)
      for (let at = 0; at < body.length; ) {
        const kind = body.readUInt8(at);
        const bytes = kind >> 4 === 0 ? 64 : 128;
        tables.set(kind & 0x0f, body.subarray(at + 1, at + 1 + bytes));
        at += 1 + bytes;
      }
  const used = frame.components.slice(0, 2).map(({ table }) => tables.get(table));
  let precision = 0;
  for (const [index, table] of used.entries()) {
    if (table?.length !== 64 && table?.length !== 128)
      throw new Fault("invalid", "JPEG without its quantization tables");
    if (table.length === 128) precision |= 1 << index;
  }
  const all = Buffer.concat(used.filter((table) => table !== undefined));
  return Buffer.concat([Buffer.of(0, precision, all.length >> 8, all.length & 0xff), all]);
}

/** Frame header, filled up to whole words with bytes that may stand before any marker. */
function extensionOf(segments: readonly Segment[]): Buffer {
  const body = segments.find(({ marker }) => marker === MARKER.sof0)?.body ?? Buffer.alloc(0);
  const bytes = 4 + body.length;
  const words = Math.ceil(bytes / 4);
  const extension = Buffer.alloc(4 + words * 4, 0xff);
  extension.writeUInt16BE(EXTENSION_ID, 0);
  extension.writeUInt16BE(words, 2);
  extension.writeUInt16BE(0xff00 | MARKER.sof0, 4);
  extension.writeUInt16BE(body.length + 2, 6);
  body.copy(extension, 8);
  return extension;
}
