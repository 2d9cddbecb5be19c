import { Fault } from "../base/fault.ts";
import { readAacConfig } from "./aac.ts";
import type { SampleFormat } from "./sample.ts";

/** Up to and with general_level_idc (ISO/IEC 14496-15 8.3.3.1). */
const HEVC_HEAD_BYTES = 13;

/**
 * What a browser calls the format (RFC 6381; WebCodecs Codec Registry), such as `avc1.42C01E`; undefined where browsers have no name for it.
 * Fault `invalid` for a broken decoder configuration.
 */
export function codecString(format: SampleFormat): string | undefined {
  switch (format.codec) {
    case "H264":
      if (format.config.length < 4) throw new Fault("invalid", "decoder configuration ends early");
      return `avc1.${format.config.toString("hex", 1, 4).toUpperCase()}`;
    case "H265":
      return hevc(format.config);
    case "MPEG4-GENERIC":
      return `mp4a.40.${readAacConfig(format.config).objectType}`;
    case "OPUS":
      return "opus";
    case "PCMU":
      return "ulaw";
    case "PCMA":
      return "alaw";
    case "JPEG":
    case "MP4V-ES":
    case "VND.ONVIF.METADATA":
      break;
  }
  return undefined;
}

/** ISO/IEC 14496-15 E.3: profile, compatibility flags, tier and level, constraints, of an HEVCDecoderConfigurationRecord. */
function hevc(config: Buffer): string {
  if (config.length < HEVC_HEAD_BYTES) throw new Fault("invalid", "decoder configuration ends early");
  const first = config.readUInt8(1);
  const space = ["", "A", "B", "C"][first >> 6] ?? "";
  const tier = (first & 0x20) === 0 ? "L" : "H";
  const constraints = Array.from(config.subarray(6, 12), (byte) => byte.toString(16).toUpperCase());
  while (constraints.at(-1) === "0") constraints.pop();
  const compatibility = bitsReversed(config.readUInt32BE(2)).toString(16).toUpperCase();
  return ["hvc1", `${space}${first & 0x1f}`, compatibility, `${tier}${config.readUInt8(12)}`, ...constraints].join(".");
}

/** Of 32 bits. */
function bitsReversed(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit += 1) reversed = reversed * 2 + ((value >>> bit) & 1);
  return reversed;
}
