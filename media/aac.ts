import { Fault } from "../base/fault.ts";
import { BitReader } from "./bits.ts";

/** By samplingFrequencyIndex (ISO/IEC 14496-3 table 1.18). */
const RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350];

/** By channelConfiguration (ISO/IEC 14496-3 table 1.19); 0: it is told elsewhere. */
const CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8];

const ESCAPED_RATE = 15;
const SBR = 5;
const PARAMETRIC_STEREO = 29;

/** What an AudioSpecificConfig says (ISO/IEC 14496-3 1.6.2.1). */
export interface AacConfig {
  readonly objectType: number;
  /** Of the sound as it is played. */
  readonly sampleRateHz: number;
  /** Of the coded core, half of the other with spectral band replication. */
  readonly coreRateHz: number;
  /** 0: not told here. */
  readonly channels: number;
  /** Samples of the core in an access unit. */
  readonly frameSamples: number;
}

/** Reads an AudioSpecificConfig. Fault `invalid`. */
export function readAacConfig(config: Buffer): AacConfig {
  const bits = new BitReader(config);
  const told = readObjectType(bits);
  const coreRateHz = readRate(bits);
  const channels = CHANNELS[bits.bits(4)] ?? 0;
  const replicated = told === SBR || told === PARAMETRIC_STEREO;
  const sampleRateHz = replicated ? readRate(bits) : coreRateHz;
  if (replicated) readObjectType(bits);
  const frameSamples = bits.flag() ? 960 : 1024;
  return { objectType: told, sampleRateHz, coreRateHz, channels, frameSamples };
}

function readObjectType(bits: BitReader): number {
  const type = bits.bits(5);
  return type === 31 ? 32 + bits.bits(6) : type;
}

function readRate(bits: BitReader): number {
  const index = bits.bits(4);
  const rate = index === ESCAPED_RATE ? bits.bits(24) : RATES[index];
  if (rate === undefined || rate === 0) throw new Fault("invalid", `AAC sampling frequency ${index}`);
  return rate;
}

/** An AudioSpecificConfig. `objectType`: 1 to 30, 2 is AAC-LC. */
export function aacConfig(objectType: number, sampleRateHz: number, channels: number): Buffer {
  const layout = Math.max(0, CHANNELS.indexOf(channels));
  const index = RATES.indexOf(sampleRateHz);
  if (index >= 0) return Buffer.of((objectType << 3) | (index >> 1), ((index & 1) << 7) | (layout << 3));
  const value =
    (BigInt(objectType) << 35n) | (15n << 31n) | (BigInt(sampleRateHz & 0xffffff) << 7n) | (BigInt(layout) << 3n);
  return Buffer.from(value.toString(16).padStart(10, "0"), "hex");
}

/** An ADTS frame (ISO/IEC 13818-7 6.2). */
export interface AdtsFrame {
  readonly objectType: number;
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly headerBytes: number;
  /** With its header. */
  readonly frameBytes: number;
}

/** The ADTS header at the beginning of `bytes`, or undefined where there is none that fits. */
export function readAdts(bytes: Buffer): AdtsFrame | undefined {
  if (bytes.length < 7 || bytes[0] !== 0xff || ((bytes[1] ?? 0) & 0xf6) !== 0xf0) return undefined;
  const header = bytes.readUIntBE(1, 6);
  const field = (shift: number, count: number): number => Math.floor(header / 2 ** shift) % 2 ** count;
  const sampleRateHz = RATES[field(34, 4)];
  const frameBytes = field(13, 13);
  const headerBytes = field(40, 1) === 1 ? 7 : 9;
  if (sampleRateHz === undefined || frameBytes <= headerBytes) return undefined;
  return { objectType: field(38, 2) + 1, sampleRateHz, channels: CHANNELS[field(30, 3)] ?? 0, headerBytes, frameBytes };
}
