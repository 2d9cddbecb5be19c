import { isFault } from "../base/fault.ts";
import { type AacConfig, readAacConfig } from "./aac.ts";
import { fmtpValue } from "./fmtp.ts";
import type { SampleFormat } from "./sample.ts";
import type { Track } from "./track.ts";

const LIMITS = { configBytes: 64 };

export type AacFormat = Extract<SampleFormat, { codec: "MPEG4-GENERIC" }>;

/** The format that a configuration means on a track, with what it says; undefined where it makes no sense. */
export function aacFormatOf(
  config: Buffer,
  track: Track,
): { readonly format: AacFormat; readonly facts: AacConfig } | undefined {
  const facts = parsed(config);
  if (facts === undefined) return undefined;
  const format: AacFormat = {
    codec: "MPEG4-GENERIC",
    sampleRateHz: facts.sampleRateHz,
    channels: facts.channels || track.channels,
    config,
  };
  return { format, facts };
}

/** The configuration in a track's description (RFC 3640 4.1, `config`), where there is one that makes sense. */
export function describedAacConfig({ fmtp }: Track): Buffer | undefined {
  const config = Buffer.from(fmtpValue(fmtp, "config") ?? "", "hex");
  return config.length >= 2 && config.length <= LIMITS.configBytes && parsed(config) !== undefined ? config : undefined;
}

function parsed(config: Buffer): AacConfig | undefined {
  try {
    return readAacConfig(config);
  } catch (error) {
    if (isFault(error, "invalid")) return undefined;
    throw error;
  }
}
