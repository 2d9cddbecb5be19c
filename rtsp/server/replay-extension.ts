import { ntpOf } from "../../base/units.ts";
import { FRAME_HEADER_BYTES, FramedPackets } from "../../media/framed-packets.ts";
import { PacketGroup } from "../../media/group.ts";
import type { ReusedMemory } from "../../media/reused-memory.ts";
import { RTP_HEADER_BYTES } from "../../media/rtp.ts";

/** ONVIF's replay header extension (ONVIF Streaming 6.3). */
const EXTENSION_ID = 0xabac;
/** NTP time and flags, in 32-bit words. */
const WORDS = 3;
const EXTENSION_BYTES = 4 + WORDS * 4;
const EXTENSION_FLAG = 0x10;
/** Of the access unit: C, E, D, T. */
const FLAG = { clean: 0x80, end: 0x40, discontinuity: 0x20, terminal: 0x10 };

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
 * The group with its time and `marks` in the header extension of its first packet (ONVIF Streaming 6.3). An extension
 * that is there already (JPEG of more than 2040 pixels) goes behind, as ONVIF Streaming 5.1.4 has it.
 * The packets stay in `memory`: the group itself is used up.
 *
 * ```
 * | 0xABAC                | length in words      |
 * | NTP seconds                                  |
 * | NTP fraction                                 |
 * |C|E|D|T| 0 (4) | CSeq (8) | 0 (16)            |
 * ```
 */
export function withReplayExtension(group: PacketGroup, marks: ReplayMarks, memory: ReusedMemory): PacketGroup {
  if (group.packetCount === 0) return group;
  const frames = group.bytes;
  const first = frames.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + frames.readUInt16BE(2));
  const head = RTP_HEADER_BYTES + ((first[0] ?? 0) & 0x0f) * 4;
  const nested = ((first[0] ?? 0) & EXTENSION_FLAG) === 0 ? 0 : 1 + first.readUInt16BE(head + 2);
  const at = FRAME_HEADER_BYTES + head;
  const wide = group.widened(at, EXTENSION_BYTES, memory);
  const extended = wide.bytes;
  extended[FRAME_HEADER_BYTES] = (extended[FRAME_HEADER_BYTES] ?? 0) | EXTENSION_FLAG;
  extended.writeUInt16BE(EXTENSION_ID, at);
  extended.writeUInt16BE(WORDS + nested, at + 2);
  const { seconds, fraction } = ntpOf(group.at);
  extended.writeUInt32BE(seconds, at + 4);
  extended.writeUInt32BE(fraction, at + 8);
  extended[at + 12] =
    (group.key ? FLAG.clean : 0) |
    (marks.end ? FLAG.end : 0) |
    (marks.discontinuity ? FLAG.discontinuity : 0) |
    (marks.terminal ? FLAG.terminal : 0);
  extended[at + 13] = marks.sequence & 0xff;
  extended.writeUInt16BE(0, at + 14);
  return wide;
}

/** The group at another RTP time, for playing faster or slower than it was captured. The packets are moved within `memory`. */
export function atRtpTime(group: PacketGroup, rtpTime: number, memory: ReusedMemory): PacketGroup {
  const shift = (rtpTime - group.rtpTime) | 0;
  const { track, at, quality, key, discontinuity } = group;
  const packets = rewritten(group, memory, (bytes, packet) => {
    bytes.writeUInt32BE((bytes.readUInt32BE(packet + 4) + shift) >>> 0, packet + 4);
  });
  return new PacketGroup({ track, rtpTime: rtpTime >>> 0, at, quality, key, discontinuity }, packets, memory);
}

/**
 * The group behind `leftOut` packets that are not sent: sequence numbers count what is (RFC 3550 5.1), or it would look lost. The
 * packets are moved within `memory`.
 */
export function closedUp(group: PacketGroup, leftOut: number, memory: ReusedMemory): PacketGroup {
  if (leftOut === 0) return group;
  const packets = rewritten(group, memory, (bytes, packet) => {
    bytes.writeUInt16BE((bytes.readUInt16BE(packet + 2) - leftOut) & 0xffff, packet + 2);
  });
  return new PacketGroup(group, packets, memory);
}

/** A copy, in which `write` is told where each packet begins. */
function rewritten(
  group: PacketGroup,
  memory: ReusedMemory,
  write: (bytes: Buffer, packet: number) => void,
): FramedPackets {
  const bytes = memory.take(group.byteLength);
  group.bytes.copy(bytes);
  group.release();
  for (let offset = 0; offset < bytes.length; offset += FRAME_HEADER_BYTES + bytes.readUInt16BE(offset + 2))
    write(bytes, offset + FRAME_HEADER_BYTES);
  return new FramedPackets(bytes, group.packetCount);
}
