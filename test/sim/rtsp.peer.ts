import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { SimCamera } from "../../sim/camera-options.ts";
import { clientNetwork } from "../support/client-network.ts";
import { framesOf } from "../support/frame-code.ts";
import { expectConsecutive } from "../support/frames.ts";
import { GST_WATCH } from "../support/gst-watch.ts";
import { type Peer, peer, pythonPeer } from "../support/peer.ts";
import { LOGIN, playable, startCamera } from "./fixture.ts";

describe("players and a simulated camera", () => {
  let camera: SimCamera;
  before(async () => {
    camera = await startCamera({ audio: true });
  });
  after(() => camera.close());

  it("ffprobe sees picture and sound as they are", async function () {
    const { code, stdout, stderr } = await peer(this, "ffprobe").run([
      "-v",
      "warning",
      "-rtsp_transport",
      "tcp",
      "-of",
      "compact=p=0",
      "-show_entries",
      "stream=codec_name,profile,width,height,sample_rate,color_space,avg_frame_rate",
      playable(camera),
    ]);
    expect(stderr).to.equal("");
    expect(code).to.equal(0);
    expect(stdout.toString().trim().split("\n")).to.deep.equal([
      "codec_name=h264|profile=Constrained Baseline|width=640|height=360|color_space=bt709|avg_frame_rate=15/1",
      "codec_name=pcm_mulaw|profile=unknown|sample_rate=8000|avg_frame_rate=0/0",
    ]);
  });

  it("ffmpeg decodes every frame once, in order, without a warning, and sees the key frames", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    const { code, stdout, stderr } = await ffmpeg.run([
      "-v",
      "warning",
      "-rtsp_transport",
      "tcp",
      "-i",
      playable(camera),
      "-map",
      "0:v",
      "-frames:v",
      "50",
      "-fps_mode",
      "passthrough",
      "-f",
      "rawvideo",
      "-pix_fmt",
      "gray",
      "-",
    ]);
    expect(stderr).to.equal("");
    expect(code).to.equal(0);
    const numbers = framesOf(stdout, 640, 360);
    expect(numbers).to.deep.equal(Array.from({ length: 50 }, (_, index) => (numbers[0] ?? 0) + index));
  });

  /** That all frames of a stretch are decoded, once each and in order. */
  const expectEveryFrame = async (ffmpeg: Peer, transport: string, from: SimCamera): Promise<void> => {
    const { code, stdout, stderr } = await ffmpeg.run(
      `-v warning -rtsp_transport ${transport} -i ${playable(from)} -map 0:v -frames:v 50 -fps_mode passthrough -f rawvideo -pix_fmt gray -`.split(
        " ",
      ),
    );
    expect(stderr).to.equal("");
    expect(code).to.equal(0);
    const numbers = framesOf(stdout, 640, 360);
    expect(numbers).to.deep.equal(Array.from({ length: 50 }, (_, index) => (numbers[0] ?? 0) + index));
  };

  for (const transport of ["udp", "http"] as const)
    it(`ffmpeg plays every frame by ${transport}`, async function () {
      await expectEveryFrame(peer(this, "ffmpeg"), transport, camera);
    });

  it("ffmpeg plays every frame by multicast on another machine", async function () {
    const network = clientNetwork(this);
    const other = await startCamera({ address: network.address });
    try {
      await expectEveryFrame(network.peer(this, "ffmpeg"), "udp_multicast", other);
    } finally {
      await other.close();
      network.close();
    }
  });

  it("ffmpeg hears a beep", async function () {
    const { stderr } = await peer(this, "ffmpeg").run([
      "-hide_banner",
      "-rtsp_transport",
      "tcp",
      "-i",
      playable(camera),
      "-map",
      "0:a",
      "-t",
      "2.5",
      "-af",
      "volumedetect",
      "-f",
      "null",
      "-",
    ]);
    const loudest = Number(/max_volume: (-?[\d.]+) dB/.exec(stderr)?.[1]);
    expect(loudest, stderr).to.be.within(-12, -10);
  });

  it("GStreamer plays picture and sound", async function () {
    const python = pythonPeer(this, "gi.repository.Gst");
    const folder = await mkdtemp(join(tmpdir(), "viaduct-sim-"));
    try {
      const file = join(folder, "sound");
      const args = [GST_WATCH, playable(camera), "--frames", "25", "--sound", file];
      const { code, stdout, stderr } = await python.run(args);
      expect([code, stderr]).to.deep.equal([0, ""]);
      expectConsecutive(framesOf(stdout, 640, 360), 25);
      // Packets of 40 ms, 16 bits at 8 kHz.
      const { size } = await stat(file);
      expect([size > 0, size % 640]).to.deep.equal([true, 0]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("a wrong password is refused", async function () {
    const wrong = playable(camera, { ...LOGIN, password: "wrong" });
    const { code, stderr } = await peer(this, "ffprobe").run(["-v", "error", "-rtsp_transport", "tcp", wrong]);
    expect(code).not.to.equal(0);
    expect(stderr).to.include("401");
  });
});
