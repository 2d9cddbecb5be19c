import { expect } from "chai";
import { createDepacketizer } from "../../media/depacketizer.ts";
import type { PacketGroup } from "../../media/group.ts";
import { lengthPrefixed } from "../../media/nal.ts";
import type { RecordedSource } from "../../media/source.ts";
import type { Track } from "../../media/track.ts";
import { CAMERA_LOGIN, eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { framesOf } from "../support/frame-code.ts";
import { type Peer, peer } from "../support/peer.ts";
import { type Mangle, type RtspRelay, startRtspRelay } from "../support/rtsp-relay.ts";

/** Small, for a key frame of a simulated camera is not compressed: the larger, the rarer it comes whole. */
const WIDTH = 320;
const HEIGHT = 176;
/** Of a simulated camera. */
const GOP = 30;
const FRAME_MS = 1000 / 15;
/** Timers of a busy machine, on the camera's side and on ours. */
const CLOCK_MS = 250;
/** Frames that are looked at. */
const ENOUGH = 3 * GOP;
const START_CODE = Buffer.of(0, 0, 0, 1);

/** Numbers from 0 to 1, the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const delayed =
  (mostMs: number, random: () => number): Mangle =>
  (packet, forward) =>
    void setTimeout(() => forward(packet), random() * mostMs);
/** As a queue does that is longer at times: nothing overtakes. */
const queued = (mostMs: number, random: () => number): Mangle => {
  let dueMs = 0;
  return (packet, forward) => {
    const nowMs = performance.now();
    dueMs = Math.max(dueMs, nowMs + random() * mostMs);
    setTimeout(() => forward(packet), dueMs - nowMs);
  };
};
const twice =
  (every: number): Mangle =>
  (packet, forward) => {
    forward(packet);
    if (packet.readUInt16BE(2) % every === 0) forward(packet);
  };
const lossy =
  (share: number, random: () => number): Mangle =>
  (packet, forward) => {
    if (random() >= share) forward(packet);
  };
const both =
  (first: Mangle, second: Mangle): Mangle =>
  (packet, forward) =>
    first(packet, (one) => second(one, forward));

/** What happens between a camera and the bridge, and whether the bridge can make it good. */
const WAYS: readonly (readonly [what: string, mangle: () => Mangle, whole: boolean])[] = [
  ["overtaken by up to 60 ms, and every tenth twice", () => both(twice(10), delayed(60, seeded(1))), true],
  ["held up by up to 200 ms", () => queued(200, seeded(2)), true],
  ["lost, two in a hundred", () => lossy(0.02, seeded(3)), false],
];

describe("RTP over UDP from a camera, on a network that", function () {
  this.timeout(90_000);
  let t: TestBridge;
  let login: Login;
  const relays: RtspRelay[] = [];
  const ids: string[] = [];

  before(async () => {
    t = await startTestBridge();
    login = await t.account();
    for (const [what, mangle] of WAYS) {
      const camera = await t.camera({ quirks: ["udp-only"], width: WIDTH, height: HEIGHT });
      const address = t.cameraAddress();
      const { hostname: host, port } = new URL(camera.rtspUrl);
      const relay = await startRtspRelay({ address, server: { host, port: Number(port) }, mangle: mangle() });
      relays.push(relay);
      const url = camera.rtspUrl.replace(`${host}:${port}`, `${address}:${relay.port}`);
      const { id } = await t.bridge.parts.discovery.adopt(
        { rtsp: url },
        { name: what, credentials: CAMERA_LOGIN, plainText: true },
      );
      ids.push(id);
    }
  });
  after(async () => {
    for (const relay of relays) relay.close();
    await t?.close();
  });

  for (const [index, [what, , whole]] of WAYS.entries())
    it(`${what}: ${whole ? "every frame is recorded, at its time" : "what is missing is marked, and what follows a key frame is whole, at its time"}`, async function () {
      const ffmpeg = peer(this, "ffmpeg");
      const source = t.cameras(login).find(({ info }) => info.id === ids[index])?.recorded;
      if (source === undefined) throw new Error("no camera");
      let groups: readonly PacketGroup[] = [];
      await eventually(async () => {
        groups = await everything(source);
        return wholeGroups(groups).length >= ENOUGH;
      });
      const [track] = await source.tracks();
      const marked = groups.slice(1).filter((group) => group.discontinuity).length;
      const frames = await decoded(ffmpeg, track as Track, wholeGroups(groups));
      if (whole) expect(marked, "losses").to.equal(0);
      else expect(marked, "losses").to.be.above(0);
      const offsets = frames.map(({ number, at }) => at - number * FRAME_MS);
      for (const offset of offsets) expect(offset).to.be.closeTo(offsets[0] ?? 0, CLOCK_MS);
      expectGoesOn(
        frames.map(({ number }) => number),
        whole,
      );
    });
});

describe("RTP over UDP to GStreamer, on a network that", function () {
  this.timeout(90_000);
  let t: TestBridge;
  let login: Login;
  let id: string;

  before(async () => {
    t = await startTestBridge();
    login = await t.account();
    id = await t.adopt(await t.camera({ width: WIDTH, height: HEIGHT }));
  });
  after(() => t?.close());

  for (const [what, mangle, whole] of WAYS)
    it(`${what}: ${whole ? "every frame is shown" : "it knows what is missing, and goes on with a key frame"}`, async function () {
      const gst = peer(this, "gst-launch-1.0");
      const server = { host: "127.0.0.1", port: t.bridge.parts.addresses().doors.rtsp ?? 0 };
      const relay = await startRtspRelay({ address: "127.0.0.1", server, mangle: mangle() });
      try {
        const url = `rtsp://${login.name}:${login.secret}@127.0.0.1:${relay.port}/live/${id}`;
        const source = `rtspsrc location=${url} protocols=udp latency=400 ! rtph264depay wait-for-keyframe=true`;
        const decode = "h264parse ! avdec_h264 ! videoconvert ! video/x-raw,format=GRAY8";
        const line = `-q ${source} ! ${decode} ! identity eos-after=${ENOUGH} ! fdsink fd=1 sync=false`;
        const { stdout, stderr } = await gst.run(line.split(" "), { limitMs: 60_000 });
        const numbers = framesOf(stdout, WIDTH, HEIGHT);
        expect(numbers.length, stderr).to.be.at.least(ENOUGH - 1);
        expectGoesOn(numbers, whole);
      } finally {
        relay.close();
      }
    });
});

/** Every frame behind the one before it, or, where something may be missing, a later key frame. */
function expectGoesOn(numbers: readonly number[], whole: boolean): void {
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
