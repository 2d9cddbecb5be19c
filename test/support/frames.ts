import { expect } from "chai";
import { framesOf } from "./frame-code.ts";
import type { Peer } from "./peer.ts";

const WIDTH = 640;
const HEIGHT = 360;

/** Of a client's sockets over UDP: what comes in while it stands still for some seconds. The system may give less (net.core.rmem_max). */
export const UDP_BUFFER_BYTES = 4 * 1024 * 1024;

/** Every frame that comes, as gray bytes on standard output. */
const RAW = ["-map", "0:v", "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"];

/** Decodes what ffmpeg gets at `url` and reads the numbers that the simulated camera burnt into its frames. */
export async function watchFrames(
  ffmpeg: Peer,
  url: string,
  more: readonly string[],
  transport = "tcp",
): Promise<readonly number[]> {
  const { code, stdout, stderr } = await ffmpeg.run([
    "-v",
    "warning",
    "-rtsp_transport",
    transport,
    "-buffer_size",
    `${UDP_BUFFER_BYTES}`,
    "-i",
    url,
    ...more,
    ...RAW,
  ]);
  expect(code, stderr).to.equal(0);
  return framesOf(stdout, WIDTH, HEIGHT);
}

/**
 * The same with GStreamer: up to `most` frames, or all of them. Its exit code is not looked at: rtspsrc that is stopped while it
 * receives may call its own PAUSE off, and says that it failed (gstrtspsrc.c, gst_rtspsrc_pause, 1.22).
 */
export async function watchFramesInGStreamer(
  gst: Peer,
  url: string,
  most?: number,
  protocols = "tcp",
): Promise<readonly number[]> {
  const source = `rtspsrc location=${url} protocols=${protocols} tls-validation-flags=0 latency=0 udp-buffer-size=${UDP_BUFFER_BYTES} timeout=0`;
  // Who joins a group that is running must wait for a key frame; everybody else is given one.
  const depay = protocols === "udp-mcast" ? "rtph264depay wait-for-keyframe=true" : "rtph264depay";
  const decode = `${depay} ! h264parse ! avdec_h264 ! videoconvert ! video/x-raw,format=GRAY8`;
  const end = most === undefined ? "fdsink" : `identity eos-after=${most} ! fdsink`;
  const { stdout, stderr } = await gst.run(["-q", ...`${source} ! ${decode} ! ${end} fd=1 sync=false`.split(" ")]);
  expect(stdout.length, stderr).to.be.above(0);
  return framesOf(stdout, WIDTH, HEIGHT);
}

/** Every frame once, in order, none missing. */
export function expectConsecutive(numbers: readonly number[], atLeast: number): void {
  expect(numbers.length, `frames from ${numbers[0]} to ${numbers.at(-1)}`).to.be.at.least(atLeast);
  const first = numbers[0] ?? 0;
  expect(numbers).to.deep.equal(numbers.map((_, index) => first + index));
}
