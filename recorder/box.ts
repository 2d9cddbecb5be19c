import { Fault } from "../base/fault.ts";

const LIMITS = {
  /** Side by side. Ours have some dozen; a foreign file may be made of nothing but boxes, each of which costs 30 times its bytes. */
  boxes: 10_000,
};

/** A box inside a buffer (ISO/IEC 14496-12 4.2). */
export interface Box {
  /** Four characters. */
  readonly type: string;
  /** Offset of the box in the buffer that was walked. */
  readonly start: number;
  /** What follows size and type. A view. */
  readonly body: Buffer;
}

/** Size and type. Boxes of more than 4 GiB, and ones that run to the end of the file, are never written here. */
export const BOX_HEADER_BYTES = 8;

export function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  let size = BOX_HEADER_BYTES;
  for (const part of parts) size += part.length;
  const header = Buffer.alloc(BOX_HEADER_BYTES);
  header.writeUInt32BE(size, 0);
  header.write(type, 4, 4, "latin1");
  return Buffer.concat([header, ...parts], size);
}

/** A box that begins with a version and 24 bits of flags. */
export function fullBox(type: string, version: number, flags: number, ...parts: readonly Uint8Array[]): Buffer {
  return box(type, u32(((version << 24) | flags) >>> 0), ...parts);
}

export function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

/** The size and type at `offset`; a Fault `invalid` where no box of 8 bytes to `maxBytes` can stand. */
export function readBoxHeader(
  bytes: Buffer,
  offset: number,
  maxBytes: number,
): { readonly size: number; readonly type: string } {
  if (bytes.length - offset < BOX_HEADER_BYTES) throw new Fault("invalid", `no box header at offset ${offset}`);
  const size = bytes.readUInt32BE(offset);
  const type = bytes.toString("latin1", offset + 4, offset + 8);
  if (size < BOX_HEADER_BYTES || size > maxBytes)
    throw new Fault("invalid", `box ${JSON.stringify(type)} at offset ${offset} claims ${size} bytes`);
  return { size, type };
}

/** The boxes that stand one behind the other in `bytes`. Throws a Fault `invalid` where they do not fill it exactly, or are too many. */
export function boxesIn(bytes: Buffer): readonly Box[] {
  const found: Box[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const { size, type } = readBoxHeader(bytes, offset, bytes.length - offset);
    if (found.length >= LIMITS.boxes) throw new Fault("invalid", `more than ${LIMITS.boxes} boxes side by side`);
    found.push({ type, start: offset, body: bytes.subarray(offset + BOX_HEADER_BYTES, offset + size) });
    offset += size;
  }
  return found;
}

/** The body of the only box that leads down `path`; a Fault `invalid` where one is missing. */
export function bodyAt(bytes: Buffer, ...path: readonly string[]): Buffer {
  let body = bytes;
  for (const type of path) {
    const next = boxesIn(body).find((one) => one.type === type);
    if (next === undefined) throw new Fault("invalid", `box ${type} of ${path.join("/")} is missing`);
    body = next.body;
  }
  return body;
}
