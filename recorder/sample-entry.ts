import { ByteReader } from "../base/bytes.ts";
import { Fault } from "../base/fault.ts";
import type { SampleFormat } from "../media/sample.ts";
import { BOX_HEADER_BYTES, bodyAt, box, boxesIn, fullBox, u16, u32 } from "./box.ts";

/** The namespace of ONVIF's metadata stream (ONVIF Export File Format, Streaming 5.1.2). */
const ONVIF_NAMESPACE = "http://www.onvif.org/ver10/schema";

/** Bytes between the box header and the codec's own boxes (ISO/IEC 14496-12 12.1.3, 12.2.3). */
const VISUAL_BYTES = 78;
const AUDIO_BYTES = 28;

/** Tags of ISO/IEC 14496-1 7.2.2.1. */
const TAG = { es: 0x03, decoderConfig: 0x04, decoderSpecific: 0x05, slConfig: 0x06 };

type Visual = Extract<SampleFormat, { width: number }>;
type Audio = Extract<SampleFormat, { sampleRateHz: number }>;

/** The entry of `stsd` that tells a reader of the file how to decode samples of this format (ISO/IEC 14496-12 8.5.2). */
export function sampleEntry(format: SampleFormat): Buffer {
  switch (format.codec) {
    case "H264":
      return box("avc1", visual(format), box("avcC", format.config));
    case "H265":
      return box("hvc1", visual(format), box("hvcC", format.config));
    case "JPEG":
      return box("jpeg", visual(format));
    case "MP4V-ES":
      return box("mp4v", visual(format), fullBox("esds", 0, 0, elementaryStream(STREAM.mpeg4, format.config)));
    case "OPUS":
      return box("Opus", audio(format), box("dOps", opusSpecific(format)));
    case "PCMU":
      return box("ulaw", audio(format));
    case "PCMA":
      return box("alaw", audio(format));
    case "MPEG4-GENERIC":
      return box("mp4a", audio(format), fullBox("esds", 0, 0, elementaryStream(STREAM.aac, format.config)));
    case "VND.ONVIF.METADATA":
      // XMLMetaDataSampleEntry (12.3.3.2): content encoding, namespace, schema location, each ended by a zero.
      return box("metx", reserved(), Buffer.from(`\0${ONVIF_NAMESPACE}\0\0`));
  }
}

/** The format that {@link sampleEntry} was given, from the body of `stsd`. Throws a Fault `invalid` for entries that are not ours. */
export function readSampleEntry(stsd: Buffer): SampleFormat {
  const entry = boxesIn(stsd.subarray(BOX_HEADER_BYTES))[0];
  if (entry === undefined) throw new Fault("invalid", "stsd is empty");
  const { type, body } = entry;
  switch (type) {
    case "avc1":
      return { codec: "H264", ...visualSize(body), config: bodyAt(body.subarray(VISUAL_BYTES), "avcC") };
    case "hvc1":
      return { codec: "H265", ...visualSize(body), config: bodyAt(body.subarray(VISUAL_BYTES), "hvcC") };
    case "jpeg":
      return { codec: "JPEG", ...visualSize(body) };
    case "mp4v": {
      const config = decoderSpecificOf(bodyAt(body.subarray(VISUAL_BYTES), "esds").subarray(4));
      return { codec: "MP4V-ES", ...visualSize(body), config };
    }
    case "Opus":
      return { codec: "OPUS", ...audioShape(body) };
    case "ulaw":
      return { codec: "PCMU", ...audioShape(body) };
    case "alaw":
      return { codec: "PCMA", ...audioShape(body) };
    case "mp4a": {
      const config = decoderSpecificOf(bodyAt(body.subarray(AUDIO_BYTES), "esds").subarray(4));
      return { codec: "MPEG4-GENERIC", ...audioShape(body), config };
    }
    case "metx":
      return { codec: "VND.ONVIF.METADATA" };
    default:
      throw new Fault("invalid", `sample entry ${JSON.stringify(type)} is not one of ours`);
  }
}

/** Six reserved bytes, and the index of the only data reference. */
function reserved(): Buffer {
  return u16(0, 0, 0, 1);
}

function visual(format: Visual): Buffer {
  const fixed = Buffer.alloc(VISUAL_BYTES);
  reserved().copy(fixed, 0);
  fixed.writeUInt16BE(format.width, 24);
  fixed.writeUInt16BE(format.height, 26);
  fixed.writeUInt32BE(0x00480000, 28); // 72 dpi
  fixed.writeUInt32BE(0x00480000, 32);
  fixed.writeUInt16BE(1, 40); // frames per sample
  fixed.writeUInt16BE(0x18, 74); // color without alpha
  fixed.writeInt16BE(-1, 76);
  return fixed;
}

function visualSize(body: Buffer): { width: number; height: number } {
  if (body.length < VISUAL_BYTES) throw new Fault("invalid", `visual sample entry of ${body.length} bytes`);
  return { width: body.readUInt16BE(24), height: body.readUInt16BE(26) };
}

function audio(format: Audio): Buffer {
  // 16.16 has no room above 65 535 Hz: zero there, and readers take the rate from the decoder's configuration.
  const rate = format.sampleRateHz > 0xffff ? 0 : format.sampleRateHz;
  return Buffer.concat([reserved(), u32(0, 0), u16(format.channels, 16, 0, 0), u32((rate << 16) >>> 0)]);
}

function audioShape(body: Buffer): { sampleRateHz: number; channels: number } {
  if (body.length < AUDIO_BYTES) throw new Fault("invalid", `audio sample entry of ${body.length} bytes`);
  return { channels: body.readUInt16BE(16), sampleRateHz: body.readUInt16BE(24) };
}

/** OpusSpecificBox (Opus in ISOBMFF 4.3.2). Nothing is skipped at the beginning: samples have the times of their capture. */
function opusSpecific({ channels, sampleRateHz }: Audio): Buffer {
  return Buffer.concat([Buffer.of(0, channels), u16(0), u32(sampleRateHz), u16(0), Buffer.of(0)]);
}

/** One descriptor; its length has seven bits in each byte (ISO/IEC 14496-1 8.3.3), and two bytes at most. */
function descriptor(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  if (length >= 1 << 14) throw new Fault("invalid", `decoder configuration of ${length} bytes`);
  const size = length < 128 ? [length] : [0x80 | (length >> 7), length & 0x7f];
  return Buffer.concat([Buffer.of(tag, ...size), body]);
}

/** Object type, and stream type with a reserved bit (ISO/IEC 14496-1 7.2.6.6). */
const STREAM = { aac: [0x40, 0x15], mpeg4: [0x20, 0x11] } as const;

/** ES_Descriptor (ISO/IEC 14496-1 7.2.6.5) with what the decoder needs. */
function elementaryStream([objectType, streamType]: readonly [number, number], config: Buffer): Buffer {
  const decoder = descriptor(
    TAG.decoderConfig,
    Buffer.of(objectType, streamType, 0, 0, 0),
    u32(0, 0), // maximum and average bit rate: not known
    descriptor(TAG.decoderSpecific, config),
  );
  return descriptor(TAG.es, u16(0), Buffer.of(0), decoder, descriptor(TAG.slConfig, Buffer.of(2)));
}

function decoderSpecificOf(descriptors: Buffer): Buffer {
  const reader = new ByteReader(descriptors);
  const open = (tag: number): number => {
    const found = reader.u8();
    if (found !== tag) throw new Fault("invalid", `descriptor ${found} where ${tag} should stand`);
    const first = reader.u8();
    return first < 128 ? first : ((first & 0x7f) << 7) | reader.u8();
  };
  open(TAG.es);
  reader.skip(3);
  open(TAG.decoderConfig);
  reader.skip(13);
  return reader.view(open(TAG.decoderSpecific));
}
