import { expect } from "chai";
import type { SimCamera } from "../../sim/camera-options.ts";
import { clientNetwork } from "../support/client-network.ts";
import { framesOf } from "../support/frame-code.ts";
import { type Peer, peer } from "../support/peer.ts";
import { LOGIN, playable, startCamera } from "./fixture.ts";

describe("players and a simulated camera", function () {
  this.timeout(60_000);
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
    const { stdout, stderr } = await peer(this, "gst-launch-1.0").run([
      "-v",
      "rtspsrc",
      "name=camera",
      `location=${camera.rtspUrl}`,
      "protocols=tcp",
      "latency=0",
      `user-id=${LOGIN.user}`,
      `user-pw=${LOGIN.password}`,
      ..."camera. ! rtph264depay ! h264parse ! avdec_h264 ! identity name=picture silent=false eos-after=25 ! fakesink sync=false".split(
        " ",
      ),
      ..."camera. ! rtppcmudepay ! mulawdec ! identity name=sound silent=false ! fakesink sync=false".split(" "),
    ]);
    // By what was decoded: at its end rtspsrc breaks off its own PAUSE, and fails where that had not gone out yet (GStreamer 1.22).
    const decoded = (what: string): readonly number[] =>
      [...stdout.toString().matchAll(new RegExp(`\\(${what}:sink\\) \\((\\d+) bytes`, "g"))].map(([, bytes]) =>
        Number(bytes),
      );
    // GStreamer prints the newest message of whoever has one: where sound and picture have one at a time, a picture's comes twice.
    const pictures = decoded("picture");
    expect(pictures.length, stderr).to.be.at.least(24);
    // I420, and 40 ms of 16 bits at 8 kHz.
    expect(new Set(pictures), stderr).to.deep.equal(new Set([640 * 360 * 1.5]));
    expect(new Set(decoded("sound")), stderr).to.deep.equal(new Set([640]));
  });

  it("a wrong password is refused", async function () {
    const wrong = playable(camera, { ...LOGIN, password: "wrong" });
    const { code, stderr } = await peer(this, "ffprobe").run(["-v", "error", "-rtsp_transport", "tcp", wrong]);
    expect(code).not.to.equal(0);
    expect(stderr).to.include("401");
  });
});
