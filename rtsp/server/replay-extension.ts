import { ntpOf } from "../../base/units.ts";
import { PacketGroup } from "../../media/group.ts";
import { RTP_HEADER_BYTES } from "../../media/rtp.ts";

/** ONVIF's replay header extension (ONVIF Streaming 6.3). */
const EXTENSION_ID = 0xabac;
/** NTP time and flags, in 32-bit words. */
const WORDS = 3;
const EXTENSION_FLAG = 0x10;

/** What a client of a replay is told of an access unit besides its time. */
export interface ReplayMarks {
  /** Nothing follows it without a gap: the end of what was recorded in one piece. */
  readonly end: boolean;
  /** It does not follow the one that was sent before it. */
  readonly discontinuity: boolean;
  /** The last one that this PLAY sends of the track. */
  readonly terminal: boolean;
  /** Low byte of the PLAY's CSeq, so that the client knows which PLAY it belongs to. */
  readonly sequence: number;
}

/**
 * The group with its time and `marks` in the header extension of its first packet (ONVIF Streaming 6.3), and with RTP time
 * `rtpTime`. An extension that is there already (JPEG of more than 2040 pixels) goes behind, as ONVIF Streaming 5.1.4 has it.
 *
 * ```
 * | 0xABAC                | length in words      |
 * | NTP seconds                                  |
 * | NTP fraction                                 |
 * |C|E|D|T| 0 (4) | CSeq (8) | 0 (16)            |
 * ```
 */
export function withReplayExtension(group: PacketGroup, marks: ReplayMarks): PacketGroup {
  const [first, ...rest] = group.packets;
  if (first === undefined) return group;
  const head = RTP_HEADER_BYTES + ((first[0] ?? 0) & 0x0f) * 4;
  const nested = ((first[0] ?? 0) & EXTENSION_FLAG) === 0 ? 0 : 1 + first.readUInt16BE(head + 2);
  const extension = Buffer.alloc(4 + WORDS * 4);
  extension.writeUInt16BE(EXTENSION_ID, 0);
  extension.writeUInt16BE(WORDS + nested, 2);
  const { seconds, fraction } = ntpOf(group.at);
  extension.writeUInt32BE(seconds, 4);
  extension.writeUInt32BE(fraction, 8);
  const flags = [group.key, marks.end, marks.discontinuity, marks.terminal];
  extension.writeUInt8(
    flags.reduce((bits, flag, index) => (flag ? bits | (0x80 >> index) : bits), 0),
    12,
  );
  extension.writeUInt8(marks.sequence & 0xff, 13);
  const extended = Buffer.concat([first.subarray(0, head), extension, first.subarray(head)]);
  extended.writeUInt8((extended[0] ?? 0) | EXTENSION_FLAG, 0);
  return new PacketGroup(group, [extended, ...rest]);
}

/** The group at another RTP time, for playing faster or slower than it was captured. */
export function atRtpTime(group: PacketGroup, rtpTime: number): PacketGroup {
  const shift = (rtpTime - group.rtpTime) | 0;
  const { track, at, quality, key, discontinuity } = group;
  const packets = rewritten(group, (copy) => copy.writeUInt32BE((copy.readUInt32BE(4) + shift) >>> 0, 4));
  return new PacketGroup({ track, rtpTime: rtpTime >>> 0, at, quality, key, discontinuity }, packets);
}

/** The group behind `leftOut` packets that are not sent: sequence numbers count what is (RFC 3550 5.1), or it would look lost. */
export function closedUp(group: PacketGroup, leftOut: number): PacketGroup {
  if (leftOut === 0) return group;
  const packets = rewritten(group, (copy) => copy.writeUInt16BE((copy.readUInt16BE(2) - leftOut) & 0xffff, 2));
  return new PacketGroup(group, packets);
}

function rewritten(group: PacketGroup, write: (copy: Buffer) => void): readonly Buffer[] {
  return group.packets.map((packet) => {
    const copy = Buffer.from(packet);
    write(copy);
    return copy;
  });
}
