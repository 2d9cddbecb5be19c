import { expect } from "chai";
import { unixMillis } from "../../base/units.ts";
import { H264Encoder } from "../../sim/h264.ts";
import type { Picture } from "../../sim/picture.ts";
import { Scene } from "../../sim/scene.ts";
import { framesOf } from "../support/frame-code.ts";
import { peer } from "../support/peer.ts";

const FRAMES = 60;
const FIRST = 4_567;
const FPS = 15;
const KEYS = [0, 17, 18, 45];

const SIZES: readonly (readonly [width: number, height: number])[] = [
  [640, 360],
  [320, 192],
  [322, 242],
  [1920, 1080],
];

/** An elementary stream with start codes, and the seen part of each picture in planes, as it went in. */
function encode(width: number, height: number, which: number): { stream: Buffer; pictures: readonly Buffer[] } {
  const scene = new Scene({ width, height, name: "Loading bay & gate, 3rd/4th (ÄÖÜ)", which });
  const encoder = new H264Encoder({ width, height, fps: FPS });
  const parts: Buffer[] = [];
  const pictures: Buffer[] = [];
  for (let index = 0; index < FRAMES; index += 1) {
    scene.draw(FIRST + index, unixMillis(Date.UTC(2026, 11, 31, 23, 59, 57) + (index * 1000) / FPS));
    const { nals, key } = encoder.encode(scene.picture, KEYS.includes(index));
    expect(key).to.equal(KEYS.includes(index));
    for (const nal of nals) parts.push(Buffer.of(0, 0, 0, 1), nal);
    pictures.push(planesOf(scene.picture));
  }
  return { stream: Buffer.concat(parts), pictures };
}

function planesOf({ luma, blue, red, stride, width, height }: Picture): Buffer {
  const cut = (plane: Uint8Array, by: number): Buffer[] =>
    Array.from({ length: height / by }, (_, y) =>
      Buffer.from(plane.subarray((y * stride) / by, (y * stride) / by + width / by)),
    );
  return Buffer.concat([...cut(luma, 1), ...cut(blue, 2), ...cut(red, 2)]);
}

describe("the simulated camera's H.264 encoder", () => {
  for (const [index, [width, height]] of SIZES.entries()) {
    it(`makes ${width}x${height} that ffmpeg decodes to the very pixels, without a warning`, async function () {
      const ffmpeg = peer(this, "ffmpeg");
      const { stream, pictures } = encode(width, height, index);
      const { code, stdout, stderr } = await ffmpeg.run(
        ["-v", "warning", "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"],
        { input: stream },
      );
      expect(stderr).to.equal("");
      expect(code).to.equal(0);
      expect(stdout.length).to.equal(Buffer.concat([...pictures]).length);
      const frameBytes = stdout.length / FRAMES;
      const damaged = pictures.flatMap((picture, number) =>
        picture.equals(stdout.subarray(number * frameBytes, (number + 1) * frameBytes)) ? [] : [number],
      );
      expect(damaged, "frames that differ").to.deep.equal([]);
    });
  }

  it("burns in numbers that survive a lossy encoder, and puts key frames where it was told to", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    const { stream } = encode(320, 192, 0);
    const { stdout, stderr } = await ffmpeg.run(
      ["-v", "warning", "-f", "h264", "-i", "-", "-q:v", "20", "-c:v", "mpeg2video", "-f", "mpegts", "-"],
      { input: stream },
    );
    expect(stderr).to.equal("");
    const gray = await ffmpeg.run(
      ["-v", "error", "-f", "mpegts", "-i", "-", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"],
      { input: stdout },
    );
    expect(framesOf(gray.stdout, 320, 192)).to.deep.equal(Array.from({ length: FRAMES }, (_, index) => FIRST + index));
    const shown = await peer(this, "ffprobe").run(
      [
        "-v",
        "warning",
        "-f",
        "h264",
        "-show_frames",
        "-show_entries",
        "frame=key_frame,pict_type",
        "-of",
        "csv=p=0",
        "-",
      ],
      { input: stream },
    );
    const lines = shown.stdout.toString().trim().split("\n");
    expect(lines.flatMap((line, index) => (line.startsWith("1,I") ? [index] : []))).to.deep.equal(KEYS);
  });

  it("shows damage as a wrong checksum", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    const { stream } = encode(320, 192, 0);
    const { stdout } = await ffmpeg.run(
      ["-v", "error", "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-"],
      { input: stream },
    );
    // The second bit of the fourth frame.
    const at = 3 * 320 * 192 + 160 * 320 + 32;
    for (let y = 0; y < 16; y += 1) stdout.fill(230, at + y * 320, at + y * 320 + 16);
    expect(() => framesOf(stdout, 320, 192)).to.throw(/frame 3 .*checksum/);
    for (let y = 0; y < 16; y += 1) stdout.fill(128, at + y * 320, at + y * 320 + 16);
    expect(() => framesOf(stdout, 320, 192)).to.throw(/frame 3 .*neither/);
  });
});
