import { type UnixMillis, unixMillis } from "../../base/units.ts";
import { PacketGroup } from "../../media/group.ts";
import { h265Track, pickH265 } from "../../media/h265.ts";
import { H265_CODEC } from "../../media/nal-codec.ts";
import { NalPacketizer } from "../../media/nal-packetizer.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import { track } from "./recorder-samples.ts";
import { sampleOf, signedFilm } from "./signed-film.ts";

const PICTURES_A_SECOND = 5;
const CLOCK_RATE_HZ = 90_000;

/** Records six seconds of H.265 from an instant on, and ends the recorder. */
export async function recordH265(recorder: StreamRecorder, from: UnixMillis): Promise<void> {
  const { pictures } = signedFilm("axis.265");
  const sets = pickH265(pictures[0] ?? []) as Parameters<typeof h265Track>[1];
  const described = h265Track(track("video", "H265", CLOCK_RATE_HZ), sets);
  const packetizer = new NalPacketizer(H265_CODEC, [], described, { payloadType: 96, ssrc: 1, sequence: 0 });
  recorder.describe([described]);
  for (const [index, nals] of pictures.entries()) {
    const rtpTime = (index * CLOCK_RATE_HZ) / PICTURES_A_SECOND;
    const at = unixMillis(from + (index * 1000) / PICTURES_A_SECOND);
    const key = nals.some((nal) => H265_CODEC.random(H265_CODEC.type(nal)));
    const marks = { track: 0, rtpTime, at, quality: "camera", key, discontinuity: false } as const;
    const format = { codec: "VND.ONVIF.METADATA" } as const;
    const sample = { ...marks, data: sampleOf(nals), format, cameraAheadMs: undefined };
    recorder.push(new PacketGroup(marks, packetizer.packets(sample, rtpTime)));
  }
  await recorder.close();
}
