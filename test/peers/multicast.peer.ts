import { expect } from "chai";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type ClientNetwork, clientNetwork } from "../support/client-network.ts";
import { expectConsecutive, watchFrames, watchFramesInGStreamer } from "../support/frames.ts";

describe("live streams by multicast, to another machine", () => {
  let network: ClientNetwork;
  let t: TestBridge;
  let id: string;
  let login: Login;

  before(async function () {
    network = clientNetwork(this);
    t = await startTestBridge({ clientAddress: network.address, multicast: true });
    id = await t.adopt(await t.camera());
    login = await t.account();
  });
  after(async () => {
    await t?.close();
    network?.close();
  });

  /** Of the camera's stream: recorder, sessions, and one for all of a group. */
  const readers = (): number => t.cameras(login)[0]?.info.streams[0].readers ?? 0;

  it("GStreamer decodes every frame once, in order, where the address asks for multicast", async function () {
    const gst = network.peer(this, "gst-launch-1.0");
    const url = t.rtsp(login, `live/${id}?multicast`);
    expectConsecutive(await watchFramesInGStreamer(gst, url, 60, "udp-mcast"), 59);
  });

  it("several read one sending, each from a key frame on", async function () {
    const ffmpeg = network.peer(this, "ffmpeg");
    const gst = network.peer(this, "gst-launch-1.0");
    const url = t.rtsp(login, `live/${id}`);
    const first = watchFrames(ffmpeg, url, ["-frames:v", "150"], "udp_multicast");
    await eventually(() => t.bridge.parts.rtspSessions(login.name) === 1);
    const before = readers();
    const others = [
      watchFrames(ffmpeg, url, ["-frames:v", "50"], "udp_multicast"),
      watchFramesInGStreamer(gst, url, 50, "udp-mcast"),
    ];
    await eventually(() => t.bridge.parts.rtspSessions(login.name) === 3);
    expect(readers()).to.equal(before);
    expectConsecutive(await first, 150);
    for (const numbers of await Promise.all(others)) expectConsecutive(numbers, 49);
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
