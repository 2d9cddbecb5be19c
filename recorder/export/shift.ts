import { Fault } from "../../base/fault.ts";
import { BOX_HEADER_BYTES, bodyAt, boxesIn } from "../box.ts";

/** How far the media times of each track are moved, in its ticks, by track id; and the number of the fragment. */
export interface Shift {
  readonly ticks: ReadonlyMap<number, number>;
  readonly sequence: number;
}

/** The shift that takes another one back. */
export function backOf({ ticks, sequence }: Shift): Shift {
  return { ticks: new Map([...ticks].map(([id, by]) => [id, -by])), sequence: -sequence };
}

/**
 * Moves the media times in the boxes of a fragment (`prft…`, `moof`, `mdat`), in place: in an export, segments stand in one film,
 * each of which counts from its own beginning. Nothing else is touched and no length changes, so that {@link backOf} gives back what
 * was signed, bit for bit. Fault `invalid` where a box is missing or a time would not fit.
 */
export function shiftFragment(body: Buffer, shift: Shift): void {
  for (const { type, body: reference } of boxesIn(body))
    if (type === "prft") move(reference, 16, shift.ticks.get(field(reference, 4)));
    else if (type === "moof") shiftMoof(reference, shift);
}

function shiftMoof(moof: Buffer, { ticks, sequence }: Shift): void {
  const header = bodyAt(moof, "mfhd");
  header.writeUInt32BE((field(header, 4) + sequence) >>> 0, 4);
  for (const { type, body } of boxesIn(moof))
    if (type === "traf") move(bodyAt(body, "tfdt"), 4, ticks.get(field(bodyAt(body, "tfhd"), 4)));
}

/** Adds to the 64 bits at `at`; of a track that has no shift, nothing. */
function move(body: Buffer, at: number, by = 0): void {
  if (body.length < at + 8) throw new Fault("invalid", "a box with a time is too short");
  body.writeBigUInt64BE(BigInt.asUintN(64, body.readBigUInt64BE(at) + BigInt(by)), at);
}

function field(body: Buffer, at: number): number {
  if (body.length < at + 4) throw new Fault("invalid", `box of ${body.length + BOX_HEADER_BYTES} bytes`);
  return body.readUInt32BE(at);
}
