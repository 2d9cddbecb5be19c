import { isDeepStrictEqual } from "node:util";
import { ifValid } from "../../base/fault.ts";
import { aacConfig, readAacConfig, readAdts } from "../../media/aac.ts";
import { describedAacConfig } from "../../media/aac-format.ts";
import { codecString } from "../../media/codec-string.ts";
import { base64Nals, fmtpValue, fmtpWith } from "../../media/fmtp.ts";
import { avcConfig, h264FrameRate, h264Size, readAvcConfig } from "../../media/h264-config.ts";
import { h265Size, hevcConfig, readHevcConfig } from "../../media/h265-config.ts";
import { frameOf, segmentsOf } from "../../media/jpeg-file.ts";
import type { Track } from "../../media/track.ts";
import { readAnchor } from "../../recorder/anchor.ts";
import { boxesIn } from "../../recorder/box.ts";
import type { OpenFile } from "../../recorder/files.ts";
import { readSamples } from "../../recorder/fragment-read.ts";
import { FRAGMENT_BOX_BYTES } from "../../recorder/integrity.ts";
import { judge } from "../../recorder/judge.ts";
import { readRemovals } from "../../recorder/removals.ts";
import { scanSegment } from "../../recorder/scan.ts";
import { readFound } from "../../recorder/verify-file.ts";
import { inputsOf } from "../seeds.ts";
import { holds, orRefused, type Target, target } from "../target.ts";

const no = (): Promise<never> => Promise.reject(new Error("not for writing"));

/** A file that cannot be written. */
export function inMemory(bytes: Buffer): OpenFile {
  return {
    read: (into, position) => Promise.resolve(position < bytes.length ? bytes.copy(into, 0, position) : 0),
    size: () => Promise.resolve(bytes.length),
    close: () => Promise.resolve(),
    write: no,
    truncate: no,
    datasync: no,
  };
}

/** The key of the seeds of signed segments, and the SHA-256 of the certificate that signed them. */
const SIGNED = {
  keys: {
    find: async (id: string) =>
      id === "000102030405060708090a0b0c0d0e0f" ? Buffer.from(Array.from({ length: 32 }, (_, one) => one)) : undefined,
  },
  signer: "CD:2F:7E:C5:00:2B:81:BC:1E:12:28:89:2B:64:9D:C7:4A:3C:D6:BA:10:1F:3B:17:46:A8:F0:0B:C3:BA:BC:FD",
  /** Of the anchor among the seeds, and the SHA-256 of its text. */
  anchorer: "E3:69:46:97:EA:C9:06:0D:CA:13:56:44:02:07:C8:39:E9:31:54:86:A8:5B:9B:62:48:54:88:97:A6:05:CA:6C",
  anchor: "924809cf79306ee0977fe8fc436372fc62a523a5e934fd5cd8738c12ffebfe13",
  /** Of the statement among the seeds, and the SHA-256 of its text. */
  stater: "AF:76:8A:D0:3C:70:4F:AE:6A:58:E4:AD:CB:93:45:6D:62:E9:FC:92:3E:E6:11:18:99:71:F1:4F:55:F1:BD:96",
  stated: "9d93e788d4df4a75246d5ea6a134f6432a2a8b37fbed86faedb88b2d28dad43d",
};

const PPS = Buffer.from("68ce0fc8", "hex");
const VPS = Buffer.from("40010c01ffff016000000300900000030000030078959409", "hex");
const H265_PPS = Buffer.from("4401c073c189", "hex");

export const TARGETS: readonly Target[] = [
  target({
    name: "segment",
    maxBytes: 32_768,
    words: "ftyp moov uuid moof mdat prft trak mdia stsd avc1 avcC traf tfhd tfdt trun mfra \0\0\0\x08 \0\0\0\0",
    async run(input) {
      const scan = await scanSegment(inMemory(input), false);
      holds(scan.goodBytes <= input.length, "no more is good than what is there");
      for (const { offset, bytes, moofOffset } of scan.fragments) {
        if (scan.protection === undefined)
          holds(offset <= moofOffset && moofOffset < offset + bytes, "the moof lies in its fragment");
        const fragment = input.subarray(offset + FRAGMENT_BOX_BYTES, offset + bytes);
        const tracks = scan.protection === undefined ? (scan.header?.tracks ?? []) : [];
        for (const sample of tracks.length > 0 ? readSamples(fragment, tracks) : [])
          holds(sample.data.length === sample.size, "a sample is there, and whole");
      }
      await scanSegment(inMemory(input), true);
    },
  }),
  target({
    name: "removals",
    maxBytes: 8192,
    words: '\t { } "seq": "prev": "ranges": null 0 -1 1e99 "why":["age"]',
    run(input) {
      const found = ifValid(() => readRemovals(input.toString("utf8")));
      const isSigner = found?.certificate.fingerprint256 === SIGNED.stater;
      if (found?.valid === true && isSigner) holds(found.hash === SIGNED.stated, "nothing is good but what was signed");
    },
  }),
  target({
    name: "anchor",
    maxBytes: 8192,
    words: '\t { } [ ] "seq": "streams": "root": null 0 -1 1e99',
    run(input) {
      const found = ifValid(() => readAnchor(input.toString("utf8")));
      const isSigner = found?.certificate.fingerprint256 === SIGNED.anchorer;
      if (found?.valid === true && isSigner) holds(found.hash === SIGNED.anchor, "nothing is good but what was signed");
    },
  }),
  target({
    name: "signed-segment",
    maxBytes: 32_768,
    words: "mfra mfro tfra free uuid \0\0\0\x08 \0\0\0\0 \xff\xff\xff\xff",
    async run(input) {
      const found = await readFound(inMemory(input), SIGNED.keys);
      const signer = found.signature?.certificate.fingerprint256;
      const isGood = judge(found, () => undefined).every(({ verdict }) => verdict === "ok");
      if (signer === SIGNED.signer && isGood)
        holds(
          inputsOf("seeds", "signed-segment").some(([, seed]) => seed.equals(input)),
          "nothing is good but what was signed",
        );
    },
  }),
  target({
    name: "fragment",
    maxBytes: 32_768,
    words: "moof mdat prft traf tfhd tfdt trun \0\0\0\x08 \0\0\0\0 \xff\xff\xff\xff",
    run(input) {
      const format = { codec: "PCMU", sampleRateHz: 8000, channels: 1 } as const;
      const tracks = [1, 2].map((id) => ({ id, timescale: 8000, format }));
      for (const sample of readSamples(input, tracks))
        holds(sample.data.length === sample.size, "a sample is there, and whole");
    },
  }),
  target({
    name: "boxes",
    run(input) {
      let at = 0;
      for (const { start, body } of boxesIn(input)) {
        holds(start === at, "boxes stand one behind the other");
        at = start + 8 + body.length;
      }
      holds(at === input.length, "boxes fill what they stand in");
    },
  }),
  target({
    name: "h264-config",
    run(input) {
      orRefused(() => readAvcConfig(input));
      const { width, height } = h264Size(input);
      holds(width > 0 && width < 65_536 && height > 0 && height < 65_536, "the size fits into a file");
      h264FrameRate(input);
      const config = avcConfig({ sps: input, pps: PPS });
      const sets = readAvcConfig(config);
      holds(sets.sps.equals(input) && sets.pps.equals(PPS), "parameter sets are read as they were written");
      codecString({ codec: "H264", width, height, config });
    },
  }),
  target({
    name: "h265-config",
    run(input) {
      orRefused(() => readHevcConfig(input));
      const { width, height } = h265Size(input);
      holds(width > 0 && width < 65_536 && height > 0 && height < 65_536, "the size fits into a file");
      const config = hevcConfig({ vps: VPS, sps: input, pps: H265_PPS });
      // What is none by its header is left out when it is read.
      if ((((input[0] ?? 0) >> 1) & 0x3f) === 33 && (input[0] ?? 0) % 2 === 0 && (input[1] ?? 0) < 8)
        holds(readHevcConfig(config).sps.equals(input), "parameter sets are read as they were written");
      codecString({ codec: "H265", width, height, config });
    },
  }),
  target({
    name: "aac-config",
    run(input) {
      readAdts(input);
      const { objectType, coreRateHz, channels } = readAacConfig(input);
      if (objectType > 30 || objectType === 5 || objectType === 29 || channels === 0) return;
      const again = readAacConfig(aacConfig(objectType, coreRateHz, channels));
      holds(
        isDeepStrictEqual([again.objectType, again.coreRateHz, again.channels], [objectType, coreRateHz, channels]),
        "it is read as it is written",
      );
    },
  }),
  target({
    name: "jpeg-file",
    run(input) {
      const { segments, end } = segmentsOf(input);
      holds(end <= input.length && segments.every(({ body }) => body.length < 65_536), "segments lie in the file");
      frameOf(segments);
    },
  }),
  target({
    name: "fmtp",
    words: "; = sprop-parameter-sets= config= mode=AAC-hbr 1190 , Z0LADdoFB+xEAAADAAQ= packetization-mode=1",
    run(input) {
      const fmtp = input.toString("latin1");
      holds(fmtpValue(fmtpWith(fmtp, { config: "1190" }), "CONFIG") === "1190", "what was set is there");
      for (const nal of base64Nals(fmtpValue(fmtp, "sprop-parameter-sets") ?? ""))
        holds(nal.length > 1 && nal.length <= input.length, "units are parts of it");
      const config = describedAacConfig({ fmtp } as Track);
      holds(config === undefined || config.length <= 64, "a configuration is small");
    },
  }),
];
