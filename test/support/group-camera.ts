import { FramedPackets } from "../../media/framed-packets.ts";
import { PacketGroup } from "../../media/group.ts";
import { createPacketizer } from "../../media/packetizer.ts";
import type { ReusedMemory } from "../../media/reused-memory.ts";
import { RTP_HEADER_BYTES } from "../../media/rtp.ts";
import type { Sample } from "../../media/sample.ts";
import { H264, indexIn, METADATA, PCMU } from "./recorder-samples.ts";

/** Makes the groups that a camera would send. */
export class GroupCamera {
  readonly #packetizers = [H264, PCMU, METADATA].map((format, index) =>
    createPacketizer(format, {
      payloadType: 96 + index,
      ssrc: index + 1,
      sequence: 0,
      clockRateHz: format.codec === "PCMU" ? 8000 : 90_000,
    }),
  );

  /** `track`: where it stands in the description, if not at its own place. */
  group(index: number, sample: Sample, track: number = index): PacketGroup {
    const packets = this.#packetizers[index]?.packets(sample, sample.rtpTime) ?? [];
    const { rtpTime, at: instant, quality, key, discontinuity } = sample;
    return new PacketGroup({ track, rtpTime, at: instant, quality, key, discontinuity }, packets);
  }
}

/** Hands a group on as a hub that holds nothing for those who join: unless somebody keeps it, the next one lies where it lay. */
export function pass(group: PacketGroup, memory: ReusedMemory, to: (group: PacketGroup) => void): void {
  const bytes = memory.take(group.byteLength);
  group.bytes.copy(bytes);
  const passing = new PacketGroup(group, new FramedPackets(bytes, group.packetCount), memory);
  to(passing);
  passing.release();
}

/** The `index` of the access unit in a group. RTP headers are not looked at: they are random, and hold everything now and then. */
export function indexInGroup({ packets }: PacketGroup): number {
  return indexIn(Buffer.concat(packets.map((packet) => packet.subarray(RTP_HEADER_BYTES))));
}
