import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { loadIdentity } from "../../net/tls.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { framesOf } from "../support/frame-code.ts";
import { expectConsecutive } from "../support/frames.ts";
import { GST_WATCH } from "../support/gst-watch.ts";
import { type Outcome, peer, pythonPeer } from "../support/peer.ts";

/** Some groups of pictures: a key frame of a simulated camera has 350 kB. */
const MOVIE_BYTES = 1_500_000;

describe("other people's clients of the whole bridge", () => {
  let t: TestBridge;
  let id: string;
  let login: Login;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-clients-"));
    t = await startTestBridge();
    id = await t.adopt(await t.camera());
    login = await t.account();
  });
  after(async () => {
    await t?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  describe("GStreamer over RTSPS, which looks at the certificate", () => {
    const watch = (python: ReturnType<typeof peer>, certificate: string): Promise<Outcome> =>
      python.run([GST_WATCH, t.rtsp(login, `live/${id}`, "rtsps"), "--ca", certificate, "--frames", "40"]);

    it("plays every frame where it trusts the bridge's", async function () {
      const python = pythonPeer(this, "gi.repository.Gst");
      const { code, stdout, stderr } = await watch(python, join(t.folder, "tls-cert.pem"));
      expect(code, stderr).to.equal(0);
      expectConsecutive(framesOf(stdout, 640, 360), 40);
    });

    it("plays nothing where it trusts another", async function () {
      const python = pythonPeer(this, "gi.repository.Gst");
      await loadIdentity(folder, ["127.0.0.1"], systemClock);
      const { code, stdout, stderr } = await watch(python, join(folder, "tls-cert.pem"));
      expect(code).to.equal(1);
      expect(stdout).to.have.length(0);
      expect(stderr).to.match(/^failed/m);
    });
  });

  it("motion, a recorder, keeps every frame, once and in order", async function () {
    const [motion, ffmpeg] = [peer(this, "motion"), peer(this, "ffmpeg")];
    const target = join(folder, "motion");
    await mkdir(target);
    const settings = {
      netcam_url: t.rtsp(login, `live/${id}`).replace(`${login.name}:${login.secret}@`, ""),
      netcam_userpass: `${login.name}:${login.secret}`,
      netcam_params: "rtsp_transport=tcp",
      width: 640,
      height: 360,
      framerate: 15,
      // It keeps what comes, as it comes, all the time.
      emulate_motion: "on",
      movie_passthrough: "on",
      picture_output: "off",
      target_dir: target,
      webcontrol_port: 0,
      stream_port: 0,
    };
    const file = join(folder, "motion.conf");
    await writeFile(
      file,
      Object.entries(settings)
        .map(([name, value]) => `${name} ${value}\n`)
        .join(""),
    );
    const running = motion.start(["-n", "-c", file]);
    const { child } = running;
    const ended = once(child, "exit");
    let movie = "";
    try {
      await eventually(async () => {
        const [name] = (await readdir(target)).filter((one) => one.endsWith(".mp4"));
        movie = join(target, name ?? "");
        return name !== undefined && (await stat(movie)).size > MOVIE_BYTES;
      });
    } catch (error) {
      throw new Error(running.output(), { cause: error });
    } finally {
      child.kill("SIGTERM");
      await ended;
    }
    const { stdout, stderr } = await ffmpeg.run([
      "-v",
      "error",
      "-i",
      movie,
      "-f",
      "rawvideo",
      "-pix_fmt",
      "gray",
      "-fps_mode",
      "passthrough",
      "-",
    ]);
    expect(stdout.length, stderr).to.be.above(0);
    expectConsecutive(framesOf(stdout, 640, 360), 60);
  });
});
