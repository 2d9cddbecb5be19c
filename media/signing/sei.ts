import { Fault } from "../../base/fault.ts";
import type { NalCodec } from "../nal-codec.ts";
import type { SigningScheme } from "./scheme.ts";
import { signatureAt } from "./tags.ts";

const LIMITS = {
  /** Of one message. A hash list of 600 pictures and a chain of four certificates are under 50 KiB. */
  bytes: 256 * 1024,
};

/** SEI NAL units (ITU-T H.264 table 7-1; H.265 table 7-1: before and behind the picture). */
const SEI_TYPES = { H264: [6], H265: [39, 40] } as const;
/** `user_data_unregistered` (ITU-T H.264 D.1.7, H.265 D.2.7). */
const USER_DATA = 5;
const UUID_BYTES = 16;

const SCHEMES: readonly (readonly [SigningScheme, Buffer])[] = [
  ["onvif-media-signing", Buffer.from("005bc93f2d715e95ada4796f90877a6f", "hex")],
  ["axis-signed-video", Buffer.from("5369676e656420566964656f2e2e2e30", "hex")],
];

/** In the byte behind the UUID. `linked`: before release 2.0 of Axis' framework, groups were linked and hashed in another way. */
const FLAGS = {
  "onvif-media-signing": { certificate: 0x80, escaped: 0x40, linked: 0 },
  "axis-signed-video": { certificate: 0x40, escaped: 0x80, linked: 0x30 },
} as const;

/** A message with which a camera signs its stream. */
export interface SigningSei {
  readonly scheme: SigningScheme;
  /** It is about the camera's certificate, and about no pictures. */
  readonly isCertificate: boolean;
  /** Of Axis, in the form before release 2.0. */
  readonly isOlder: boolean;
  /** Tags with their lengths and values. */
  readonly tags: Buffer;
  /** What was hashed of it: all before the signature, or all of a message that has none. */
  readonly document: Buffer;
}

/** Which signature a NAL unit belongs to; undefined: to none. Reads a few bytes alone. */
export function signingSchemeOf(nal: Buffer, codec: NalCodec): SigningScheme | undefined {
  if (!isSei(nal, codec) || nal[codec.headerBytes] !== USER_DATA) return undefined;
  let at = codec.headerBytes + 1;
  while (nal[at] === 0xff) at += 1;
  const uuid = nal.subarray(at + 1, at + 1 + UUID_BYTES);
  return SCHEMES.find(([, own]) => own.equals(uuid))?.[0];
}

function isSei(nal: Buffer, codec: NalCodec): boolean {
  const type = codec.type(nal);
  return SEI_TYPES[codec.codec].some((one) => one === type);
}

/** Reads a message of a signature. Fault `invalid` for anything that is none. */
export function readSigningSei(given: Buffer, codec: NalCodec): SigningSei {
  const nal = withoutZeros(given);
  const scheme = signingSchemeOf(nal, codec);
  if (scheme === undefined) throw new Fault("invalid", "no message of a signature");
  if (nal.length > LIMITS.bytes) throw new Fault("invalid", `a message of ${nal.length} bytes`);
  let sizeAt = codec.headerBytes + 1;
  let payloadBytes = 0;
  for (; nal[sizeAt] === 0xff; sizeAt += 1) payloadBytes += 0xff;
  payloadBytes += nal[sizeAt] ?? 0;
  const payloadAt = sizeAt + 1;
  // There are devices that put the message in as it is; nothing may be taken out of it then.
  const isPlain = nal.length <= payloadAt + payloadBytes + 1;
  const { bytes, at } = isPlain ? { bytes: nal, at: undefined } : unescaped(nal, sizeAt);
  const flags = bytes[payloadAt + UUID_BYTES] ?? 0;
  const { certificate, escaped, linked } = FLAGS[scheme];
  const tagsAt = payloadAt + UUID_BYTES + 1;
  const tagsEnd = payloadAt + payloadBytes;
  if (tagsEnd > bytes.length || tagsAt > tagsEnd) throw new Fault("invalid", "a message that is cut off");
  const tags = bytes.subarray(tagsAt, tagsEnd);
  const signed = signatureAt(tags, scheme);
  const end = signed === undefined ? bytes.length : tagsAt + signed;
  const isEscaped = (flags & escaped) !== 0 && at !== undefined;
  const document = isEscaped ? nal.subarray(0, at[end] ?? nal.length) : bytes.subarray(0, end);
  const isCertificate = (flags & certificate) !== 0;
  return { scheme, isCertificate, isOlder: linked !== 0 && !isCertificate && (flags & linked) === 0, tags, document };
}

/** Bytes behind the stop bit are none of the NAL unit's: some writers of MP4 files leave zeros there. */
export function withoutZeros(nal: Buffer): Buffer {
  let end = nal.length;
  while (end > 0 && nal[end - 1] === 0) end -= 1;
  return nal.subarray(0, end);
}

/** The bytes without those that keep start codes from appearing (ITU-T H.264 7.4.1), and where each of them stood. */
function unescaped(nal: Buffer, from: number): { readonly bytes: Buffer; readonly at: Uint32Array } {
  const bytes = Buffer.alloc(nal.length);
  const at = new Uint32Array(nal.length + 1);
  let length = 0;
  let zeros = 0;
  for (const [index, byte] of nal.entries()) {
    if (zeros >= 2 && byte === 3 && index > from) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    at[length] = index;
    bytes[length] = byte;
    length += 1;
  }
  at[length] = nal.length;
  return { bytes: bytes.subarray(0, length), at: at.subarray(0, length + 1) };
}
