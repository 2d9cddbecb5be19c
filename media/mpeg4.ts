import { isFault } from "../base/fault.ts";
import { BitReader } from "./bits.ts";
import { SCAN } from "./payload-scan.ts";

const LIMITS = {
  /** Of a decoder configuration: with both of its matrices one has some 200 bytes. */
  configBytes: 1024,
  /** How far into a packet the headers before its picture are looked through. */
  headerBytes: 2048,
};

const PREFIX = Buffer.of(0, 0, 1);

/** Behind the prefix of a start code (ISO/IEC 14496-2 table 6-3). */
const CODE = { lastLayer: 0x2f, firstLayer: 0x20, sequence: 0xb0, group: 0xb3, picture: 0xb6 } as const;

interface StartCode {
  readonly code: number;
  /** Of the prefix. */
  readonly at: number;
}

function* startCodes(bytes: Buffer): Generator<StartCode> {
  const head = bytes.subarray(0, LIMITS.headerBytes);
  for (let at = head.indexOf(PREFIX); at >= 0 && at + 3 < head.length; at = head.indexOf(PREFIX, at + 3))
    yield { code: head[at + 3] as number, at };
}

/** vop_coding_type (ISO/IEC 14496-2 table 6-20). I needs no other picture, and none needs B. */
const PICTURES = ["I", "P", "B", "S"] as const;

interface Picture {
  readonly at: number;
  /** Undefined where the bytes end before it. */
  readonly kind: (typeof PICTURES)[number] | undefined;
}

/** Where the picture (VOP) begins, and of which kind it is; undefined where none begins here. */
export function mpeg4Picture(bytes: Buffer): Picture | undefined {
  for (const { code, at } of startCodes(bytes)) {
    const behind = bytes[at + 4];
    if (code === CODE.picture) return { at, kind: behind === undefined ? undefined : PICTURES[behind >> 6] };
  }
  return undefined;
}

/** What {@link SCAN} has to say of an RTP payload (RFC 6416 5). */
export function scanMpeg4(payload: Buffer): number {
  const first = payload.indexOf(PREFIX) === 0 ? SCAN.first : 0;
  return SCAN.content | first | (mpeg4Picture(payload)?.kind === "I" ? SCAN.random : 0);
}

/** The headers that stand before a picture and say how to decode it, without those of its group; undefined where there are none. */
export function mpeg4Config(bytes: Buffer): Buffer | undefined {
  let layer = false;
  let end = bytes.length;
  for (const { code, at } of startCodes(bytes)) {
    layer ||= code >= CODE.firstLayer && code <= CODE.lastLayer;
    if (code !== CODE.group && code !== CODE.picture) continue;
    end = at;
    break;
  }
  return layer && end <= LIMITS.configBytes ? bytes.subarray(0, end) : undefined;
}

/** profile_and_level_indication, or 1 (Simple, level 1) where a configuration has none (RFC 6416 7.1). */
export function mpeg4Profile(config: Buffer): number {
  for (const { code, at } of startCodes(config)) if (code === CODE.sequence) return config[at + 4] ?? 1;
  return 1;
}

/** The size of the picture that a configuration describes; undefined where it makes no sense, or has another shape than a rectangle. */
export function mpeg4Size(config: Buffer): { readonly width: number; readonly height: number } | undefined {
  for (const { code, at } of startCodes(config)) {
    if (code < CODE.firstLayer || code > CODE.lastLayer) continue;
    try {
      return layerSize(new BitReader(config.subarray(at + 4)));
    } catch (error) {
      if (isFault(error, "invalid")) return undefined;
      throw error;
    }
  }
  return undefined;
}

/** VideoObjectLayer (ISO/IEC 14496-2 6.2.3). */
function layerSize(bits: BitReader): { readonly width: number; readonly height: number } | undefined {
  bits.skip(1 + 8);
  if (bits.flag()) bits.skip(4 + 3);
  const extendedPar = 15;
  if (bits.bits(4) === extendedPar) bits.skip(8 + 8);
  if (bits.flag()) {
    bits.skip(2 + 1);
    // Buffers and rates of the decoder's model, with their marker bits.
    if (bits.flag()) bits.skip(79);
  }
  const rectangular = 0;
  if (bits.bits(2) !== rectangular) return undefined;
  bits.skip(1);
  const ticks = bits.bits(16);
  bits.skip(1);
  if (bits.flag()) bits.skip(Math.max(1, Math.ceil(Math.log2(ticks))));
  bits.skip(1);
  const width = bits.bits(13);
  bits.skip(1);
  const height = bits.bits(13);
  return width > 0 && height > 0 ? { width, height } : undefined;
}
