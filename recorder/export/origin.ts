import { ByteReader } from "../../base/bytes.ts";
import { Fault } from "../../base/fault.ts";
import { BOX_HEADER_BYTES, box, u16, u32 } from "../box.ts";
import type { Shift } from "./shift.ts";

/** Type of our box (ISO/IEC 14496-12 11.1), chosen at random once and for all. */
const ORIGIN_UUID = Buffer.from("5f0c8e1ab3d24c77966e08b1d4f7a235", "hex");
const VERSION = 1;

const LIMITS = {
  tracks: 16,
  /** As much as a segment's header may have. */
  openingBytes: 64 * 1024,
};

/** What a box of `uuid` type says of the fragments behind it: of which segment they are, and how they were moved. */
export interface Origin {
  /** `ftyp`, `moov` and `uuid` of the segment, without encryption: what the hashes of its chain begin with. */
  readonly opening: Buffer;
  /** From the times and numbers in the segment to those in this film. */
  readonly shift: Shift;
}

export function originBox({ opening, shift }: Origin): Buffer {
  const rows = [...shift.ticks].map(([id, by]) => {
    const row = Buffer.alloc(12);
    row.writeUInt32BE(id, 0);
    row.writeBigInt64BE(BigInt(by), 4);
    return row;
  });
  const sequence = Buffer.alloc(4);
  sequence.writeInt32BE(shift.sequence);
  const fields = [u16(rows.length), ...rows, sequence, u32(opening.length), opening];
  return box("uuid", ORIGIN_UUID, u32((VERSION << 24) >>> 0), ...fields);
}

/** Whether a `uuid` box is one of these. `body` may be its first bytes alone. */
export function isOrigin(body: Buffer): boolean {
  return body.subarray(0, ORIGIN_UUID.length).equals(ORIGIN_UUID);
}

/** Reads the whole box. Fault `invalid` where it makes no sense. */
export function readOriginBox(bytes: Buffer): Origin {
  const reader = new ByteReader(bytes);
  reader.skip(BOX_HEADER_BYTES);
  if (!isOrigin(reader.view(ORIGIN_UUID.length))) throw new Fault("invalid", "no origin box");
  if (reader.u8() !== VERSION) throw new Fault("invalid", "exported by a newer program");
  reader.skip(3);
  const count = reader.u16();
  if (count > LIMITS.tracks) throw new Fault("invalid", `origin box of ${count} tracks`);
  const ticks = new Map<number, number>();
  for (let index = 0; index < count; index += 1) {
    const id = reader.u32();
    const by = reader.view(8).readBigInt64BE();
    if (BigInt(Number(by)) !== by) throw new Fault("invalid", `a shift of ${by} ticks`);
    ticks.set(id, Number(by));
  }
  const sequence = reader.i32();
  const length = reader.u32();
  if (length > LIMITS.openingBytes) throw new Fault("invalid", `a header of ${length} bytes`);
  return { opening: Buffer.from(reader.view(length)), shift: { ticks, sequence } };
}
