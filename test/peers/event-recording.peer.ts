import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { unixMillis } from "../../base/units.ts";
import type { StreamInfo } from "../../bridge/camera.ts";
import { readRecordingPlan } from "../../bridge/recording-plan.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { startGstCamera } from "../support/gst-camera.ts";
import { type Peer, peer } from "../support/peer.ts";

/** Files of a stream of a camera that are sealed, the oldest first. */
async function filesOf(folder: string, camera: string): Promise<readonly string[]> {
  const root = join(folder, "recordings", camera);
  const names = await readdir(root, { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.endsWith(".mp4"))
    .sort()
    .map((name) => join(root, name));
}

describe("a camera that is recorded when something moves", () => {
  let t: TestBridge;
  let login: Login;
  let ffprobe: Peer;

  before(async function () {
    ffprobe = peer(this, "ffprobe");
    t = await startTestBridge({ encryption: "none" });
    login = await t.account();
  });
  after(() => t?.close());

  const info = (id: string, name: string): StreamInfo => {
    const camera = t.cameras(login).find((one) => one.info.id === id);
    const found = camera?.info.streams.find((stream) => stream.name === name);
    if (found === undefined) throw new Error(`no stream ${name} of ${id}`);
    return found;
  };

  it("leaves files that ffprobe opens, of the main stream and of the sub-stream, and nothing between", async () => {
    // It moves every few seconds, and rests as long.
    const id = await t.adopt(await t.camera({ name: "Gate" }));
    const plan = readRecordingPlan({ mode: "events", events: { of: ["motion"], beforeSeconds: 1, afterSeconds: 1 } });
    await eventually(() => info(id, "sub").tracks.length > 0);
    for (const name of ["main", "sub"]) await t.bridge.parts.discovery.setRecording(id, name, plan);
    for (const state of ["recording", "waiting", "recording", "waiting"])
      await eventually(() => info(id, "main").recording.state === state);
    // A file is closed some time after its event is over.
    const { segments } = t.bridge.parts.archive.place.catalog;
    await eventually(async () => {
      const begin = { startUs: 0, file: "" };
      const closed = await Promise.all(["main", "sub"].map((name) => segments.after(id, name, begin)));
      return closed.every((ofStream) => ofStream.length > 0);
    });
    const files = await filesOf(t.folder, id);
    expect(files.length).to.be.at.least(2);
    const widths = new Set<string>();
    for (const file of files) {
      const args = [
        "-v",
        "error",
        "-show_entries",
        "stream=width",
        "-show_entries",
        "packet=flags",
        "-of",
        "csv",
        file,
      ];
      const { code, stdout, stderr } = await ffprobe.run(args);
      expect([code, stderr]).to.deep.equal([0, ""]);
      const lines = stdout.toString().trim().split("\n");
      expect(lines[0], "the first packet is a key frame").to.match(/^packet,K/);
      widths.add(lines.find((line) => line.startsWith("stream,")) ?? "");
    }
    expect(widths.size, "sizes of picture").to.equal(2);
  });

  it("is recorded within its hours alone, where it is one of GStreamer's", async function () {
    const gst = await startGstCamera(this, { address: t.cameraAddress() });
    try {
      const target = { rtsp: gst.url("h264").href };
      const { id } = await t.bridge.parts.discovery.adopt(target, { plainText: true, recording: { mode: "off" } });
      expect(info(id, "main").recording.state).to.equal("off");
      const begun = Date.now();
      const minute = (offset: number): string => new Date(begun + offset * 60_000).toISOString().slice(11, 16);
      const days = [1, 2, 3, 4, 5, 6, 7];
      const plan = (from: string, to: string) =>
        readRecordingPlan({ mode: "schedule", hours: { zone: "UTC", weekly: [{ days, from, to }] } });
      await t.bridge.parts.discovery.setRecording(id, "main", plan(minute(10), minute(20)));
      expect(info(id, "main").recording.state).to.equal("closed");
      await t.bridge.parts.discovery.setRecording(id, "main", plan(minute(-5), minute(20)));
      await eventually(() => info(id, "main").recording.state === "recording");
      await t.bridge.parts.discovery.setRecording(id, "main", plan(minute(10), minute(20)));
      // One, or more where it took long to close its hours again.
      await eventually(async () => (await filesOf(t.folder, id)).length > 0);
      const [file = ""] = await filesOf(t.folder, id);
      const { code, stdout } = await ffprobe.run([
        "-v",
        "error",
        "-show_entries",
        "format=duration",
        "-of",
        "csv",
        file,
      ]);
      expect(code).to.equal(0);
      expect(Number(stdout.toString().split(",")[1])).to.be.greaterThan(0);
      const camera = t.cameras(login).find((one) => one.info.id === id);
      const extent = await camera?.recorded.extent();
      expect(extent?.to).to.be.lessThan(unixMillis(Date.now()));
    } finally {
      await gst.close();
    }
  });
});
