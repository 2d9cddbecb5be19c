import { unixMillis } from "../../base/units.ts";
import { PacketGroup } from "../../media/group.ts";
import { createPacketizer } from "../../media/packetizer.ts";
import type { SampleFormat } from "../../media/sample.ts";
import type { Track } from "../../media/track.ts";
import { H264Encoder } from "../../sim/h264.ts";
import { BLOCK, Picture } from "../../sim/picture.ts";
import { START_MS } from "./recorder-samples.ts";

/** Macroblocks side by side, one for each bit of a frame's number. */
const BITS = 24;
const WIDTH = BITS * BLOCK;
const HEIGHT = 2 * BLOCK;
const BRIGHT = 200;
const DARK = 40;

export const FPS = 25;
/** Frames from key frame to key frame. */
export const GOP = 25;

/** H.264 as a camera would send it, of pictures that hold nothing but their number, so that any decoder can tell which it got. */
export class NumberedFrames {
  readonly #picture = new Picture(WIDTH, HEIGHT);
  readonly #encoder = new H264Encoder({ width: WIDTH, height: HEIGHT, fps: FPS });
  readonly #packetizer = createPacketizer(formatOf(this.#encoder), {
    payloadType: 96,
    ssrc: 1,
    sequence: 0,
    clockRateHz: 90_000,
  });

  get track(): Track {
    return this.#packetizer.track;
  }

  /** Frame `index` of one that began at `START_MS`. The first one that is asked for must be a multiple of {@link GOP}. */
  group(index: number): PacketGroup {
    for (let bit = 0; bit < BITS; bit += 1)
      this.#picture.fillBlock(bit, 0, [((index >> bit) & 1) === 1 ? BRIGHT : DARK, 128, 128]);
    const { nals, key } = this.#encoder.encode(this.#picture, index % GOP === 0);
    const data = Buffer.concat(nals.flatMap((nal) => [lengthOf(nal, 4), nal]));
    const at = unixMillis(START_MS + (index * 1000) / FPS);
    const rtpTime = ((index * 90_000) / FPS) >>> 0;
    const marks = { rtpTime, at, quality: "camera", key, discontinuity: false } as const;
    const packets = this.#packetizer.packets({ ...marks, data, format: formatOf(this.#encoder) }, rtpTime);
    return new PacketGroup({ track: 0, ...marks }, packets);
  }
}

/** The numbers of frames that a decoder gave as gray bytes, one picture after the other. */
export function numbersIn(gray: Buffer): readonly number[] {
  const numbers: number[] = [];
  const middle = (HEIGHT / 4) * WIDTH + BLOCK / 2;
  for (let start = 0; start + WIDTH * HEIGHT <= gray.length; start += WIDTH * HEIGHT) {
    let number = 0;
    for (let bit = 0; bit < BITS; bit += 1)
      if ((gray[start + middle + bit * BLOCK] ?? 0) > (BRIGHT + DARK) / 2) number += 2 ** bit;
    numbers.push(number);
  }
  return numbers;
}

function formatOf({ sps, pps }: { readonly sps: Buffer; readonly pps: Buffer }): SampleFormat {
  const head = Buffer.concat([Buffer.of(1), sps.subarray(1, 4), Buffer.of(0xff, 0xe1)]);
  const config = Buffer.concat([head, lengthOf(sps, 2), sps, Buffer.of(1), lengthOf(pps, 2), pps]);
  return { codec: "H264", width: WIDTH, height: HEIGHT, config };
}

function lengthOf(bytes: Buffer, size: number): Buffer {
  const length = Buffer.alloc(size);
  length.writeUIntBE(bytes.length, 0, size);
  return length;
}
