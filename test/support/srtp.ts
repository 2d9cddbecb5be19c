import { type SrtpKeys, srtpCipher } from "../../media/srtp-cipher.ts";

/** The payload of a packet without CSRCs and extension, by a receiver that knows its index; undefined for what was not sealed so. */
export function openRtp(keys: SrtpKeys, packet: Buffer, index: number): Buffer | undefined {
  const cipher = srtpCipher(keys, "rtp");
  const trailer = Buffer.alloc(4);
  trailer.writeUInt32BE(Math.floor(index / 2 ** 16));
  const mkiBytes = keys.mki.length;
  const contentEnd = packet.length - mkiBytes - cipher.tagBytes;
  const [tagAt, mkiAt] = cipher.isAead ? [contentEnd, packet.length - mkiBytes] : [contentEnd + mkiBytes, contentEnd];
  if (!packet.subarray(mkiAt, mkiAt + mkiBytes).equals(keys.mki)) return undefined;
  const tag = packet.subarray(tagAt, tagAt + cipher.tagBytes);
  const ssrc = packet.readUInt32BE(8);
  return cipher.open(packet.subarray(0, 12), packet.subarray(12, contentEnd), tag, { ssrc, index, trailer });
}
