import { CAMERA_LOGIN, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { expectGoesOn, expectMarkedFootage, HEIGHT, WIDTH, watchOverUdp } from "../support/lossy-footage.ts";
import { peer } from "../support/peer.ts";
import { type Mangle, type RtspRelay, startRtspRelay } from "../support/rtsp-relay.ts";

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

describe("RTP over UDP from a camera, on a network that", () => {
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
      await expectMarkedFootage(ffmpeg, source, whole);
    });
});

describe("RTP over UDP to GStreamer, on a network that", () => {
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
        expectGoesOn(await watchOverUdp(gst, url, whole), whole);
      } finally {
        relay.close();
      }
    });
});
