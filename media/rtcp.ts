import { Fault, isFault } from "../base/fault.ts";
import { type Millis, type NtpTime, ntpOf, type UnixMillis } from "../base/units.ts";

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const BYE = 203;
const PAYLOAD_FEEDBACK = 206;

/** Formats of payload-specific feedback that ask for a key frame: RFC 4585 6.3.1, RFC 5104 4.3.1. */
const PICTURE_LOSS = 1;
const FULL_INTRA = 4;

/** A compound packet on a network is about 1 KB; more parts than this are not RTCP. */
const MAX_PARTS = 64;

/** What a sender says of the relation between its clocks (RFC 3550 6.4.1). */
export interface SenderReport {
  readonly ssrc: number;
  readonly ntp: NtpTime;
  readonly rtpTime: number;
}

/** What we use of a compound packet. */
export interface RtcpReports {
  readonly senders: readonly SenderReport[];
  readonly byes: readonly number[];
  /** A picture loss indication, or a full intra request, of whichever source. */
  readonly keyWanted: boolean;
}

/** Reads a compound RTCP packet (RFC 3550 6.1). Parts that we have no use for are passed over. Fault `invalid`. */
export function readRtcp(packet: Buffer): RtcpReports {
  const senders: SenderReport[] = [];
  const byes: number[] = [];
  let keyWanted = false;
  let offset = 0;
  for (let part = 0; offset < packet.length; part += 1) {
    if (part === MAX_PARTS) throw new Fault("invalid", `RTCP with more than ${MAX_PARTS} parts`);
    if (packet.length - offset < 4 || (packet[offset] as number) >> 6 !== 2) throw new Fault("invalid", "not RTCP");
    const end = offset + 4 + packet.readUInt16BE(offset + 2) * 4;
    if (end > packet.length) throw new Fault("invalid", "RTCP part is longer than the packet");
    const type = packet[offset + 1];
    if (type === SENDER_REPORT && end - offset >= 28)
      senders.push({
        ssrc: packet.readUInt32BE(offset + 4),
        ntp: { seconds: packet.readUInt32BE(offset + 8), fraction: packet.readUInt32BE(offset + 12) },
        rtpTime: packet.readUInt32BE(offset + 16),
      });
    if (type === BYE) {
      const count = (packet[offset] as number) & 0x1f;
      for (let index = 0; index < count && offset + 8 + index * 4 <= end; index += 1)
        byes.push(packet.readUInt32BE(offset + 4 + index * 4));
    }
    const format = (packet[offset] as number) & 0x1f;
    if (type === PAYLOAD_FEEDBACK && end - offset >= 12) keyWanted ||= format === PICTURE_LOSS || format === FULL_INTRA;
    offset = end;
  }
  return { senders, byes, keyWanted };
}

/** Whether a receiver asks for a key frame. What is no RTCP asks for nothing. */
export function wantsKey(packet: Buffer): boolean {
  try {
    return readRtcp(packet).keyWanted;
  } catch (error) {
    if (isFault(error, "invalid")) return false;
    throw error;
  }
}

/** A sender report with the canonical name that RFC 3550 6.5.1 wants with it. `packets` and `octets` count since the start. */
export function senderReport(o: {
  readonly ssrc: number;
  readonly at: UnixMillis;
  readonly rtpTime: number;
  readonly packets: number;
  readonly octets: number;
  readonly cname: string;
}): Buffer {
  const report = Buffer.alloc(28);
  writeHead(report, 0, SENDER_REPORT);
  const ntp = ntpOf(o.at);
  report.writeUInt32BE(o.ssrc, 4);
  report.writeUInt32BE(ntp.seconds, 8);
  report.writeUInt32BE(ntp.fraction, 12);
  report.writeUInt32BE(o.rtpTime >>> 0, 16);
  report.writeUInt32BE(o.packets >>> 0, 20);
  report.writeUInt32BE(o.octets >>> 0, 24);
  return Buffer.concat([report, sourceDescription(o.ssrc, o.cname)]);
}

/** The name of all that this product sends and receives by RTP (RFC 3550 6.5.1). */
export const CNAME = "viaduct";

/** What was received of one source (RFC 3550 6.4.1). */
export interface Reception {
  readonly ssrc: number;
  /** 32 bits: cycles and sequence number. */
  readonly highestSequence: number;
  /** In units of the track's clock. */
  readonly jitterTicks: number;
  /** Since the beginning. */
  readonly lost: number;
  /** 0 to 1, since the report before. */
  readonly lostFraction: number;
  /** The middle 32 bits of the NTP time in the newest sender report, and how long ago that came. */
  readonly newestReport: { readonly middle: number; readonly ageMs: Millis } | undefined;
}

/** A receiver report with its canonical name (RFC 3550 6.4.2); `reception` undefined where nothing has come yet. */
export function receiverReport(o: {
  readonly ssrc: number;
  readonly cname: string;
  readonly reception: Reception | undefined;
}): Buffer {
  const { reception } = o;
  const report = Buffer.alloc(reception === undefined ? 8 : 32);
  writeHead(report, reception === undefined ? 0 : 1, RECEIVER_REPORT);
  report.writeUInt32BE(o.ssrc, 4);
  if (reception !== undefined) {
    const { newestReport } = reception;
    report.writeUInt32BE(reception.ssrc, 8);
    report.writeUInt8(Math.max(0, Math.min(255, Math.floor(reception.lostFraction * 256))), 12);
    report.writeIntBE(Math.max(-0x80_0000, Math.min(0x7f_ffff, reception.lost)), 13, 3);
    report.writeUInt32BE(reception.highestSequence >>> 0, 16);
    report.writeUInt32BE(reception.jitterTicks >>> 0, 20);
    report.writeUInt32BE(newestReport?.middle ?? 0, 24);
    report.writeUInt32BE(Math.round(((newestReport?.ageMs ?? 0) / 1000) * 65_536) >>> 0, 28);
  }
  return Buffer.concat([report, sourceDescription(o.ssrc, o.cname)]);
}

/** How a key frame can be asked for in RTCP, by its name in SDP (RFC 4585 4.2, RFC 5104 7.1). */
export type KeyFeedback = "nack pli" | "ccm fir";

/**
 * Asks for a key frame, in a compound packet behind an empty report (RFC 4585 3.1). `media`: the SSRC of what is wanted anew.
 * `sequence`: 8 bits, another one for each full intra request, or it would count as a repetition (RFC 5104 4.3.1.1).
 */
export function keyRequest(o: {
  readonly by: KeyFeedback;
  readonly ssrc: number;
  readonly cname: string;
  readonly media: number;
  readonly sequence: number;
}): Buffer {
  const fir = o.by === "ccm fir";
  const packet = Buffer.alloc(fir ? 20 : 12);
  writeHead(packet, fir ? FULL_INTRA : PICTURE_LOSS, PAYLOAD_FEEDBACK);
  packet.writeUInt32BE(o.ssrc, 4);
  packet.writeUInt32BE(fir ? 0 : o.media, 8);
  if (fir) {
    packet.writeUInt32BE(o.media, 12);
    packet.writeUInt8(o.sequence & 0xff, 16);
  }
  return Buffer.concat([receiverReport({ ssrc: o.ssrc, cname: o.cname, reception: undefined }), packet]);
}

/** The end of a source (RFC 3550 6.6), as a compound packet of its own. */
export function bye(ssrc: number, cname: string): Buffer {
  const packet = Buffer.alloc(8);
  writeHead(packet, 1, BYE);
  packet.writeUInt32BE(ssrc, 4);
  return Buffer.concat([receiverReport({ ssrc, cname, reception: undefined }), packet]);
}

function sourceDescription(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname, "utf8").subarray(0, 255);
  // One chunk: SSRC, item type 1 (CNAME), length, text, and at least one zero up to the next 32-bit word.
  const description = Buffer.alloc(4 + 4 + Math.ceil((2 + name.length + 1) / 4) * 4);
  writeHead(description, 1, SOURCE_DESCRIPTION);
  description.writeUInt32BE(ssrc, 4);
  description.writeUInt8(1, 8);
  description.writeUInt8(name.length, 9);
  description.set(name, 10);
  return description;
}

function writeHead(packet: Buffer, count: number, type: number): void {
  packet.writeUInt8(0x80 | count, 0);
  packet.writeUInt8(type, 1);
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
}
