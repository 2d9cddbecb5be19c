import { once } from "node:events";
import { expect } from "chai";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type ClientNetwork, clientNetwork } from "../support/client-network.ts";
import { framesOf } from "../support/frame-code.ts";
import { expectConsecutive } from "../support/frames.ts";
import type { Peer } from "../support/peer.ts";

/** Small, so that a client's socket holds what comes while it stands still for some seconds: a key frame is not compressed. */
const WIDTH = 320;
const HEIGHT = 176;

/** A program that shows the group's pictures until it is ended. */
interface Watching {
  /** How many pictures it has shown. */
  readonly count: () => number;
  readonly frames: () => readonly number[];
  end(): Promise<void>;
}

function watch(program: Peer, args: string): Watching {
  const { child } = program.start(args.split(" "));
  const ended = once(child, "close");
  const chunks: Buffer[] = [];
  let bytes = 0;
  child.stdout?.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
  });
  const count = (): number => Math.floor(bytes / (WIDTH * HEIGHT));
  return {
    count,
    frames: () => framesOf(Buffer.concat(chunks).subarray(0, count() * WIDTH * HEIGHT), WIDTH, HEIGHT),
    async end() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

const inFfmpeg = (ffmpeg: Peer, url: string): Watching =>
  watch(
    ffmpeg,
    `-v error -rtsp_transport udp_multicast -i ${url} -map 0:v -vsync passthrough -f rawvideo -pix_fmt gray -`,
  );

/** It joins a group that is running, and must wait for a key frame. */
const inGStreamer = (gst: Peer, url: string): Watching =>
  watch(
    gst,
    `-q rtspsrc location=${url} protocols=udp-mcast latency=0 timeout=0 ! rtph264depay wait-for-keyframe=true ! h264parse ! avdec_h264 ! videoconvert ! video/x-raw,format=GRAY8 ! fdsink fd=1 sync=false`,
  );

describe("live streams by multicast, to another machine", () => {
  let network: ClientNetwork;
  let t: TestBridge;
  let id: string;
  let login: Login;
  const watching: Watching[] = [];

  before(async function () {
    network = clientNetwork(this);
    t = await startTestBridge({ clientAddress: network.address, multicast: true });
    id = await t.adopt(await t.camera({ width: WIDTH, height: HEIGHT }));
    login = await t.account();
  });
  after(async () => {
    await t?.close();
    network?.close();
  });

  // The next one counts from none on.
  afterEach(async () => {
    for (const one of watching.splice(0)) await one.end();
    await eventually(() => t.bridge.parts.rtspSessions(login.name) === 0);
  });

  /** Of the camera's stream: recorder, sessions, and one for all of a group. */
  const readers = (): number => t.cameras(login)[0]?.info.streams[0].readers ?? 0;

  it("GStreamer decodes every frame once, in order, where the address asks for multicast", async function () {
    const one = inGStreamer(network.peer(this, "gst-launch-1.0"), t.rtsp(login, `live/${id}?multicast`));
    watching.push(one);
    await eventually(() => one.count() >= 60);
    expectConsecutive(one.frames(), 60);
  });

  it("several read one sending, each from a key frame on", async function () {
    const ffmpeg = network.peer(this, "ffmpeg");
    const gst = network.peer(this, "gst-launch-1.0");
    const url = t.rtsp(login, `live/${id}`);
    watching.push(inFfmpeg(ffmpeg, url));
    await eventually(() => t.bridge.parts.rtspSessions(login.name) === 1);
    const before = readers();
    watching.push(inFfmpeg(ffmpeg, url), inGStreamer(gst, url));
    await eventually(() => t.bridge.parts.rtspSessions(login.name) === 3);
    expect(readers()).to.equal(before);
    await eventually(() => watching.every((one) => one.count() >= 60));
    for (const one of watching) expectConsecutive(one.frames(), 60);
  });

  it("is refused for a camera that is not granted, and for a recording", async function () {
    const ffprobe = network.peer(this, "ffprobe");
    const refused: readonly (readonly [url: string, words: RegExp])[] = [
      [t.rtsp(await t.account({ live: ["other"] }), `live/${id}`), /404/],
      [t.rtsp(login, `recorded/${id}`), /461/],
    ];
    for (const [url, words] of refused) {
      const { code, stderr } = await ffprobe.run(["-v", "error", "-rtsp_transport", "udp_multicast", url]);
      expect(code).not.to.equal(0);
      expect(stderr).to.match(words);
    }
  });

  it("ends for an account that is disabled, and leaves the group to nobody", async function () {
    const ffmpeg = network.peer(this, "ffmpeg");
    const other = await t.account();
    const before = readers();
    const input = ["-v", "error", "-rtsp_transport", "udp_multicast", "-i", t.rtsp(other, `live/${id}`)];
    const running = ffmpeg.run([...input, "-f", "null", "-"]);
    const { rtspSessions, accounts } = t.bridge.parts;
    await eventually(() => rtspSessions(other.name) > 0);
    expect(readers()).to.equal(before + 1);
    await accounts.change(other.id, { enabled: false });
    await eventually(() => rtspSessions(other.name) === 0);
    expect(readers()).to.equal(before);
    await running;
  });
});
