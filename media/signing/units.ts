import { hash } from "node:crypto";
import type { NalCodec } from "../nal-codec.ts";
import type { HashName } from "./document.ts";
import type { CameraFinding } from "./finding.ts";

const HASH_NAMES: readonly HashName[] = ["sha256", "sha384", "sha512"];

/** A NAL unit that cameras sign: a slice of a picture, or a message of theirs that has no signature of its own. */
export interface SignedUnit {
  /** By all algorithms until it is known which one the camera uses; undefined: it came before anything told that it may be signed. */
  readonly hashes: Partial<Record<HashName, Buffer>> | undefined;
  /** The first slice of a picture that a group begins with. */
  readonly isStart: boolean;
  /** The reference implementation hashes it; the specification says that every slice is. */
  readonly isPlain: boolean;
  /** With the hash of which that of this one is hashed once more; undefined of a start, and of messages. */
  readonly anchor: SignedUnit | undefined;
  /** When its picture is shown, and ends, in microseconds since 1970. */
  readonly fromUs: number;
  readonly toUs: number;
  /** Its place among all units of the stream. */
  readonly order: number;
  /** Of a message: what it says of groups before, which holds where it is signed itself. */
  readonly held: readonly CameraFinding[] | undefined;
}

/** How slices are told apart, by NAL unit type: which begin groups, and which the reference implementation hashes. */
const SLICES = {
  H264: { isStart: (type: number) => type === 5, isPlain: (type: number) => type === 1 || type === 5 },
  H265: {
    isStart: (type: number) => type >= 16 && type <= 21,
    isPlain: (type: number) => type <= 1 || (type >= 16 && type <= 21),
  },
} as const;

/** What a slice is; undefined of other NAL units. */
export function sliceOf(nal: Buffer, codec: NalCodec): Pick<SignedUnit, "isStart" | "isPlain"> | undefined {
  const type = codec.type(nal);
  if (!codec.vcl(type)) return undefined;
  const { isStart, isPlain } = SLICES[codec.codec];
  // first_mb_in_slice is 0, or first_slice_segment_in_pic_flag is set.
  const isFirst = ((nal[codec.headerBytes] ?? 0) & 0x80) !== 0;
  return { isStart: isStart(type) && isFirst, isPlain: isPlain(type) };
}

/** Hashes of what a camera may have signed, by the one algorithm, or by all of them. */
export function hashesOf(bytes: Buffer, name: HashName | undefined): Partial<Record<HashName, Buffer>> {
  const names = name === undefined ? HASH_NAMES : [name];
  return Object.fromEntries(names.map((one) => [one, hashOf([bytes], one)]));
}

export function hashOf(parts: readonly Buffer[], name: HashName): Buffer {
  return hash(name, parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts), "buffer");
}

/**
 * The hash with which a unit stands in a group: of slices behind the group's first one, with that one's hash before it. `anchor`:
 * of another first one than there is. Undefined where it was not hashed.
 */
export function linkedHash(unit: SignedUnit, name: HashName, anchor?: Buffer): Buffer | undefined {
  const own = unit.hashes?.[name];
  if (own === undefined || unit.isStart || unit.held !== undefined) return own;
  return hashOf([anchor ?? unit.anchor?.hashes?.[name] ?? Buffer.alloc(own.length), own], name);
}
