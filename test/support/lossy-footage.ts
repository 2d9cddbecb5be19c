import { expect } from "chai";
import { createDepacketizer } from "../../media/depacketizer.ts";
import type { PacketGroup } from "../../media/group.ts";
import { lengthPrefixed } from "../../media/nal.ts";
import type { RecordedSource } from "../../media/source.ts";
import type { Track } from "../../media/track.ts";
import { eventually } from "./bridge.ts";
import { framesOf } from "./frame-code.ts";
import { UDP_BUFFER_BYTES } from "./frames.ts";
import type { Peer } from "./peer.ts";

/** Small, for a key frame of a simulated camera is not compressed: the larger, the rarer it comes whole. */
export const WIDTH = 320;
export const HEIGHT = 176;
/** Of a simulated camera. */
const GOP = 30;
const FRAME_MS = 1000 / 15;
/** Timers of a busy machine, on the camera's side and on ours. */
const CLOCK_MS = 250;
const PATIENT_MS = 20_000;
/** Frames that are looked at. */
const ENOUGH = 3 * GOP;
const START_CODE = Buffer.of(0, 0, 0, 1);

/**
 * What was recorded of a camera over a network that may lose packets: each loss is marked; what is not behind one decodes without a
 * complaint, each frame at its time by the number that is burnt into it, and nothing is missing but what ends with a key frame.
 */
export async function expectMarkedFootage(ffmpeg: Peer, source: RecordedSource, isWhole: boolean): Promise<void> {
  let groups: readonly PacketGroup[] = [];
  const losses = (): number => groups.slice(1).filter((group) => group.discontinuity).length;
  await eventually(async () => {
    groups = await everything(source);
    // At random, a short film may have none.
    return wholeGroups(groups).length >= ENOUGH && (isWhole || losses() > 0);
  });
  const [track] = await source.tracks();
  const marked = losses();
  const frames = await decoded(ffmpeg, track as Track, wholeGroups(groups));
  if (isWhole) expect(marked, "losses").to.equal(0);
  else expect(marked, "losses").to.be.above(0);
  const offsets = frames.map(({ number, at }) => at - number * FRAME_MS);
  for (const offset of offsets) expect(offset).to.be.closeTo(offsets[0] ?? 0, CLOCK_MS);
  expectGoesOn(
    frames.map(({ number }) => number),
    isWhole,
  );
}

/**
 * Live frames that GStreamer shows over UDP, where it waits for a key frame behind each loss. Where nothing is lost, it waits for what is
 * late for as long as a machine may stand still.
 */
export async function watchOverUdp(gst: Peer, url: string, isWhole: boolean): Promise<readonly number[]> {
  const patience = `latency=${isWhole ? PATIENT_MS : 400} udp-buffer-size=${UDP_BUFFER_BYTES} timeout=0`;
  const source = `rtspsrc location=${url} protocols=udp ${patience} ! rtph264depay wait-for-keyframe=true`;
  const decode = "h264parse ! avdec_h264 ! videoconvert ! video/x-raw,format=GRAY8";
  const line = `-q ${source} ! ${decode} ! identity eos-after=${ENOUGH} ! fdsink fd=1 sync=false`;
  const { stdout, stderr } = await gst.run(line.split(" "));
  const numbers = framesOf(stdout, WIDTH, HEIGHT);
  expect(numbers.length, stderr).to.be.at.least(ENOUGH - 1);
  return numbers;
}

/** Every frame behind the one before it, or, where something may be missing, a later key frame. */
export function expectGoesOn(numbers: readonly number[], whole: boolean): void {
  numbers.forEach((number, index) => {
    const before = numbers[index - 1] ?? number - 1;
    if (number === before + 1) return;
    expect(whole, `frame ${number} behind ${before}`).to.equal(false);
    expect(number % GOP, `frame ${number} behind ${before}`).to.equal(0);
    expect(number).to.be.above(before);
  });
}

async function everything(source: RecordedSource): Promise<readonly PacketGroup[]> {
  const extent = await source.extent();
  return extent === undefined ? [] : Array.fromAsync(source.read(extent, new AbortController().signal));
}

/** From each key frame on, up to the first group that does not follow the one before: what a client may take for whole. */
function wholeGroups(groups: readonly PacketGroup[]): readonly PacketGroup[] {
  let whole = false;
  return groups.filter((group) => {
    whole = group.key || (whole && !group.discontinuity);
    return whole;
  });
}

/** The frames of groups of pictures, decoded by ffmpeg, which must find nothing to complain about. */
async function decoded(
  ffmpeg: Peer,
  track: Track,
  groups: readonly PacketGroup[],
): Promise<readonly { readonly number: number; readonly at: number }[]> {
  const depacketizer = createDepacketizer(track);
  if (depacketizer === undefined) throw new Error(`no depacketizer for ${track.codec}`);
  const samples = groups.flatMap((group) => depacketizer.push(group));
  const stream = samples.flatMap(({ data }) => lengthPrefixed(data).flatMap((nal) => [START_CODE, nal]));
  const { stdout, stderr } = await ffmpeg.run(
    "-v warning -f h264 -i - -f rawvideo -pix_fmt gray -fps_mode passthrough -".split(" "),
    { input: Buffer.concat(stream) },
  );
  expect(stderr).to.equal("");
  const numbers = framesOf(stdout, WIDTH, HEIGHT);
  expect(numbers).to.have.length(groups.length);
  return numbers.map((number, index) => ({ number, at: groups[index]?.at ?? 0 }));
}
