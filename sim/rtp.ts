import { randomBytes } from "node:crypto";
import type { UnixMillis } from "../base/units.ts";

/** RTP payload that fits into an Ethernet frame with room for tunnels. */
const PAYLOAD_BYTES = 1400;
/** NAL unit types of RFC 6184 5.2. */
const NAL = { stapA: 24, fuA: 28, sps: 7, pps: 8 } as const;
const CNAME = "sim";
/** Seconds from 1900, where NTP begins, to 1970. */
const NTP_1970 = 2_208_988_800;

/** One sender of RTP (RFC 3550), with random beginnings of everything that wants them. */
export class RtpSender {
  readonly ssrc = randomBytes(4).readUInt32BE();
  readonly #payloadType: number;
  readonly #clockHz: number;
  readonly #timestamp: number;
  #sequence = randomBytes(2).readUInt16BE();
  #packets = 0;
  #bytes = 0;

  /** `timestamp`: of the instant 0; random if absent. */
  constructor(payloadType: number, clockHz: number, timestamp = randomBytes(4).readUInt32BE()) {
    this.#timestamp = timestamp;
    this.#payloadType = payloadType;
    this.#clockHz = clockHz;
  }

  /** Of the packet that comes next. */
  get sequence(): number {
    return this.#sequence;
  }

  /** RTP time of an instant, given in seconds since the camera began. */
  timestamp(seconds: number): number {
    return (this.#timestamp + Math.round(seconds * this.#clockHz)) >>> 0;
  }

  /** Packets of one access unit; `marked`: which payloads have the marker bit. */
  packets(payloads: readonly Buffer[], seconds: number, marked: (index: number) => boolean): readonly Buffer[] {
    return payloads.map((payload, index) => {
      const packet = Buffer.alloc(12 + payload.length);
      packet[0] = 0x80;
      packet[1] = (marked(index) ? 0x80 : 0) | this.#payloadType;
      packet.writeUInt16BE(this.#sequence, 2);
      packet.writeUInt32BE(this.timestamp(seconds), 4);
      packet.writeUInt32BE(this.ssrc, 8);
      payload.copy(packet, 12);
      this.#sequence = (this.#sequence + 1) % 2 ** 16;
      this.#packets += 1;
      this.#bytes += payload.length;
      return packet;
    });
  }

  /** Sender report and description (RFC 3550 6.4.1, 6.5): which wall-clock time, in the camera's eyes, is which RTP time. */
  report(wall: UnixMillis, seconds: number): Buffer {
    const report = Buffer.alloc(28);
    report[0] = 0x80;
    report[1] = 200;
    report.writeUInt16BE(6, 2);
    report.writeUInt32BE(this.ssrc, 4);
    report.writeUInt32BE((Math.floor(wall / 1000) + NTP_1970) % 2 ** 32, 8);
    report.writeUInt32BE(Math.floor(((wall % 1000) / 1000) * 2 ** 32), 12);
    report.writeUInt32BE(this.timestamp(seconds), 16);
    report.writeUInt32BE(this.#packets % 2 ** 32, 20);
    report.writeUInt32BE(this.#bytes % 2 ** 32, 24);
    // The chunk ends with at least one zero, and on a whole word.
    const chunk = Buffer.alloc(Math.ceil((4 + 2 + CNAME.length + 1) / 4) * 4);
    chunk.writeUInt32BE(this.ssrc, 0);
    chunk[4] = 1;
    chunk[5] = CNAME.length;
    chunk.write(CNAME, 6);
    const description = Buffer.of(0x81, 202, 0, chunk.length / 4);
    return Buffer.concat([report, description, chunk]);
  }
}

/**
 * H.264 as RTP payloads (RFC 6184) of at most `bytes`: parameter sets together in a STAP-A, large NAL units in FU-A. `whole`:
 * small ones too, each as its own first and last fragment.
 */
export function h264Payloads(nals: readonly Buffer[], bytes = PAYLOAD_BYTES, whole = false): readonly Buffer[] {
  const sets = nals.filter((nal) => isParameterSet(nal));
  const rest = nals.filter((nal) => !isParameterSet(nal));
  return [...(sets.length > 0 ? [aggregate(sets)] : []), ...rest.flatMap((nal) => h264Fragments(nal, bytes, whole))];
}

/** NAL units as one that has the type of the first, with start codes between (ITU-T H.264 B.1.1). */
export function h264InOneUnit(nals: readonly Buffer[]): Buffer {
  return Buffer.concat(nals.flatMap((nal, index) => (index === 0 ? [nal] : [Buffer.of(0, 0, 0, 1), nal])));
}

export function isParameterSet(nal: Buffer): boolean {
  const type = (nal[0] as number) & 0x1f;
  return type === NAL.sps || type === NAL.pps;
}

function aggregate(nals: readonly Buffer[]): Buffer {
  const importance = Math.max(...nals.map((nal) => (nal[0] as number) & 0x60));
  const parts = nals.flatMap((nal) => [Buffer.of(nal.length >> 8, nal.length & 0xff), nal]);
  return Buffer.concat([Buffer.of(importance | NAL.stapA), ...parts]);
}

/** A NAL unit as payloads of at most `bytes` (RFC 6184 5.8). */
export function h264Fragments(nal: Buffer, bytes = PAYLOAD_BYTES, whole = false): readonly Buffer[] {
  if (nal.length <= bytes && !whole) return [nal];
  const [importance, type] = [(nal[0] as number) & 0x60, (nal[0] as number) & 0x1f];
  const pieces: Buffer[] = [];
  for (let at = 1; at < nal.length; at += bytes - 2) {
    const piece = nal.subarray(at, at + bytes - 2);
    const start = at === 1 ? 0x80 : 0;
    const end = at + piece.length === nal.length ? 0x40 : 0;
    pieces.push(Buffer.concat([Buffer.of(importance | NAL.fuA, start | end | type), piece]));
  }
  return pieces;
}
