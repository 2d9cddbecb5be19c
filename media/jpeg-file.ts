import { Fault } from "../base/fault.ts";
import { STANDARD_HUFFMAN } from "./jpeg-tables.ts";

const LIMITS = {
  /** Marker segments before the scan. Files of cameras have about ten. */
  segments: 256,
};

/** Markers (ITU-T T.81 table B.1). */
export const MARKER = {
  sof0: 0xc0,
  dht: 0xc4,
  soi: 0xd8,
  eoi: 0xd9,
  sos: 0xda,
  dqt: 0xdb,
  dri: 0xdd,
  app0: 0xe0,
} as const;

const SOI = Buffer.of(0xff, MARKER.soi);
const EOI = Buffer.of(0xff, MARKER.eoi);

/** A marker segment; `body` is what stands behind its length. */
export interface Segment {
  readonly marker: number;
  readonly body: Buffer;
}

/** Segments from `bytes[0]` on up to a scan or the end, views. `end`: where the scan's entropy-coded data begins. */
export function segmentsOf(bytes: Buffer): { readonly segments: readonly Segment[]; readonly end: number } {
  const segments: Segment[] = [];
  let at = 0;
  while (at + 1 < bytes.length && segments.length < LIMITS.segments) {
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff) throw new Fault("invalid", `no JPEG marker at offset ${at}`);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === MARKER.soi) {
      at += 2;
      continue;
    }
    if (marker === MARKER.eoi) break;
    const end = at + 4 <= bytes.length ? at + 2 + bytes.readUInt16BE(at + 2) : Number.POSITIVE_INFINITY;
    if (end > bytes.length || end < at + 4) throw new Fault("invalid", `JPEG segment ${marker} is cut off`);
    segments.push({ marker, body: bytes.subarray(at + 4, end) });
    at = end;
    if (marker === MARKER.sos) break;
  }
  return { segments, end: at };
}

/** True for what begins like a whole JPEG file, not like a scan: there no marker stands at the beginning. */
export function isJpegFile(bytes: Buffer): boolean {
  return bytes[0] === 0xff && bytes[1] === MARKER.soi && bytes[2] === 0xff;
}

/** One component of a frame (ITU-T T.81 B.2.2). */
export interface Component {
  readonly id: number;
  /** Horizontal sampling in the upper four bits, vertical in the lower. */
  readonly sampling: number;
  readonly table: number;
}

/** A frame header (ITU-T T.81 B.2.2). */
export interface Frame {
  readonly marker: number;
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly components: readonly Component[];
}

/** SOF0 to SOF15, among which stand three markers that are none (ITU-T T.81 table B.1). */
function isFrameMarker(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** The frame header among segments, whatever kind of coding it says. */
export function frameOf(segments: readonly Segment[]): Frame | undefined {
  const found = segments.find(({ marker, body }) => isFrameMarker(marker) && body.length >= 6);
  if (found === undefined) return undefined;
  const { marker, body } = found;
  const components: Component[] = [];
  for (let at = 6; at + 3 <= body.length && components.length < body.readUInt8(5); at += 3)
    components.push({ id: body.readUInt8(at), sampling: body.readUInt8(at + 1), table: body.readUInt8(at + 2) });
  const [depth, height, width] = [body.readUInt8(0), body.readUInt16BE(1), body.readUInt16BE(3)];
  return { marker, width, height, depth, components };
}

/** The scan without the end-of-image marker and what a camera left behind it. */
export function withoutEnd(scan: Buffer): Buffer {
  const end = scan.lastIndexOf(EOI);
  return end < 0 ? scan : scan.subarray(0, end);
}

function segment(marker: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = body.length + 2;
  return Buffer.concat([Buffer.of(0xff, marker, length >> 8, length & 0xff), body]);
}

/** What the headers of a file are made of. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Sampling of luminance: 0x21 or 0x22. */
  readonly sampling: number;
  /** 64 bytes, or 128 with 16-bit values. */
  readonly tables: readonly Buffer[];
  /** Blocks between restart markers; 0: there are none. */
  readonly restartInterval: number;
  /** Segments that the camera sent besides; they win. */
  readonly given?: readonly Segment[];
}

/** A whole file of a scan (RFC 2435 appendix B; JFIF 1.01). Copies the scan once. */
export function jpegFile(picture: Picture, scan: readonly Buffer[]): Buffer {
  const given = (picture.given ?? []).filter(({ marker }) => marker !== MARKER.sos);
  const has = (marker: number): boolean => given.some((one) => one.marker === marker);
  const head: Buffer[] = [SOI];
  if (!has(MARKER.app0)) head.push(segment(MARKER.app0, Buffer.from("JFIF\0\x01\x01\0\0\x01\0\x01\0\0", "latin1")));
  for (const { marker, body } of given) head.push(segment(marker, body));
  if (!has(MARKER.dqt))
    for (const [id, table] of picture.tables.entries())
      head.push(segment(MARKER.dqt, Buffer.of((table.length > 64 ? 0x10 : 0) | id), table));
  const frame = frameOf(given);
  if (frame === undefined) head.push(frameHeader(picture));
  if (!has(MARKER.dht)) for (const table of STANDARD_HUFFMAN) head.push(segment(MARKER.dht, table));
  if (picture.restartInterval > 0 && !has(MARKER.dri))
    head.push(segment(MARKER.dri, Buffer.of(picture.restartInterval >> 8, picture.restartInterval & 0xff)));
  const ids = frame?.components.map(({ id }) => id) ?? [1, 2, 3];
  // Luminance by the first Huffman tables, color by the second ones.
  head.push(
    segment(MARKER.sos, Buffer.of(ids.length, ...ids.flatMap((id, index) => [id, index === 0 ? 0 : 0x11]), 0, 63, 0)),
  );
  const last = scan.at(-1);
  const ended = last?.subarray(-2).equals(EOI) === true;
  return Buffer.concat([...head, ...scan, ...(ended ? [] : [EOI])]);
}

function frameHeader({ width, height, sampling, tables }: Picture): Buffer {
  const chroma = tables.length > 1 ? 1 : 0;
  return segment(
    MARKER.sof0,
    Buffer.of(8, height >> 8, height & 0xff, width >> 8, width & 0xff, 3),
    Buffer.of(1, sampling, 0, 2, 0x11, chroma, 3, 0x11, chroma),
  );
}
