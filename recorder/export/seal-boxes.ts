import { ByteReader } from "../../base/bytes.ts";
import { Fault } from "../../base/fault.ts";
import type { UnixMillis } from "../../base/units.ts";
import { BOX_HEADER_BYTES, bodyAt, box, boxesIn, fullBox, u16, u32 } from "../box.ts";

/** `oeff`, version 1. */
const SCHEME = [0x6f656666, 0x00010000] as const;

/** From 1904, where ISO/IEC 14496-12 counts from, and from 1601, where ONVIF does, to 1970. */
const SECONDS_FROM_1904 = 2_082_844_800;
const US_FROM_1601 = 11_644_473_600_000_000n;

/** Of RSASSA-PSS, as ONVIF has it (6.2). */
export const SEAL_SALT_BYTES = 20;

const LIMITS = {
  signatureBytes: 1024,
  certificateBytes: 16 * 1024,
};

/** Who exports, as the film says it. */
export interface Exporter {
  /** Name of the exporting system. */
  readonly unit: string;
  readonly operator: string;
  readonly at: UnixMillis;
}

/** Of which source a track is. */
export interface TrackSource {
  readonly trackId: number;
  /** Name of the camera. */
  readonly name: string;
  /** Tells its lines apart: id of the camera, and stream. */
  readonly line: string;
  /** The instant of media time 0, in microseconds since 1970; undefined where nothing of the track tells it. */
  readonly originUs: number | undefined;
}

/**
 * The `meta` box that makes an MP4 an "export file" (ONVIF Export File Format 26.06, 5): who exported it, from which sources, when
 * its times begin, and room for the signature, all zeros. `signatureAt`: where it goes.
 */
export function sealBoxes(o: {
  readonly exporter: Exporter;
  readonly tracks: readonly TrackSource[];
  /** DER. */
  readonly certificate: Buffer;
  readonly signatureBytes: number;
}): { readonly bytes: Buffer; readonly signatureAt: number } {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(secondsFrom1904(o.exporter.at)));
  const sources = o.tracks.flatMap(({ trackId, name, line }) => [u16(trackId), z(name), z(""), z(""), z(line)]);
  // Addresses of cameras and of the bridge are nobody's business who gets an export.
  const suep = fullBox(
    "suep",
    1,
    0,
    z(o.exporter.unit),
    z(""),
    z(""),
    time,
    z(o.exporter.operator),
    u32(o.tracks.length),
    ...sources,
  );
  const starts = o.tracks.flatMap(({ trackId, originUs }) =>
    originUs === undefined ? [] : [start(trackId, originUs)],
  );
  const cstb = box("cstb", u32(starts.length), ...starts);
  const schm = fullBox("schm", 0, 0, u32(...SCHEME));
  const schi = box("schi", box("sibo", Buffer.alloc(o.signatureBytes)), box("cert", o.certificate));
  const ipro = fullBox("ipro", 0, 0, u16(1), box("sinf", cstb, schm, schi));
  const hdlr = fullBox("hdlr", 0, 0, u32(0), Buffer.from("null"), u32(0, 0, 0), Buffer.of(0));
  const bytes = fullBox("meta", 0, 0, hdlr, suep, ipro);
  const signatureAt = bytes.length - schi.length + 2 * BOX_HEADER_BYTES;
  return { bytes, signatureAt };
}

/** What a `meta` box of an export file says, for whoever checks it. */
export interface Seal {
  /** Both from the beginning of the box. */
  readonly signatureAt: number;
  readonly signatureBytes: number;
  /** DER. */
  readonly certificate: Buffer;
}

/** Fault `invalid` where `meta`, a whole box, is not that of a file that was signed once. */
export function readSeal(meta: Buffer): Seal {
  const inner = meta.subarray(BOX_HEADER_BYTES + 4);
  const ipro = bodyAt(inner, "ipro");
  new ByteReader(ipro).skip(6);
  const signings = boxesIn(ipro.subarray(6)).filter(({ type }) => type === "sinf");
  const [sinf] = signings;
  if (sinf === undefined || signings.length > 1) throw new Fault("invalid", `signed ${signings.length} times`);
  const schm = bodyAt(sinf.body, "schm");
  const schi = bodyAt(sinf.body, "schi");
  const [sibo, cert] = [bodyAt(schi, "sibo"), bodyAt(schi, "cert")];
  if (!schm.subarray(4).equals(u32(...SCHEME)) || boxesIn(schi).some(({ type }) => type === "sigC"))
    throw new Fault("invalid", "signed in another way");
  if (sibo.length > LIMITS.signatureBytes || cert.length > LIMITS.certificateBytes)
    throw new Fault("invalid", "a signature or certificate that is too long");
  return {
    signatureAt: sibo.byteOffset - meta.byteOffset,
    signatureBytes: sibo.length,
    certificate: Buffer.from(cert),
  };
}

/** For the times of ISO/IEC 14496-12. */
export function secondsFrom1904(at: UnixMillis): number {
  return Math.floor(at / 1000) + SECONDS_FROM_1904;
}

function start(trackId: number, originUs: number): Buffer {
  const entry = Buffer.alloc(12);
  entry.writeUInt32BE(trackId, 0);
  entry.writeBigUInt64BE((BigInt(Math.round(originUs)) + US_FROM_1601) * 10n, 4);
  return entry;
}

/** UTF-8, ended by a zero. */
function z(text: string): Buffer {
  return Buffer.from(`${text.replaceAll("\0", "")}\0`);
}
