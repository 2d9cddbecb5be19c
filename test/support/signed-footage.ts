import { H264_CODEC } from "../../media/nal-codec.ts";
import type { Footage } from "./exported.ts";
import { GroupCamera } from "./group-camera.ts";
import { videoSample } from "./recorder-samples.ts";
import { type SignedFilm, sampleOf } from "./signed-film.ts";

const FPS = 25;

/** A film that a camera has signed, faster than it was taken, as that of a recorder. */
export function signedFootage({ pictures }: SignedFilm, sound = false): Footage {
  const source = new GroupCamera();
  const frame = (index: number) => {
    const nals = pictures[index] ?? [];
    const key = nals.some((nal) => H264_CODEC.random(H264_CODEC.type(nal)));
    return source.group(0, { ...videoSample(index), key, data: sampleOf(nals) });
  };
  return { seconds: pictures.length / FPS, sound, frame };
}
