import { expect } from "chai";
import { isoOf, later } from "../../base/units.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { framesOf } from "../support/frame-code.ts";
import { expectConsecutive, watchFrames } from "../support/frames.ts";
import { peer } from "../support/peer.ts";

const WIDTH = 640;
const HEIGHT = 360;
/** Frames of a group of pictures of a simulated camera. */
const GOP = 30;
/** Each frame as it comes: by itself, ffmpeg would show one twice where another is late. */
const RAW = "-vsync passthrough -f rawvideo -pix_fmt gray -";

describe("a camera in, and out to players", () => {
  let t: TestBridge;
  let camera: SimCamera;
  let id: string;
  let login: Login;

  before(async () => {
    t = await startTestBridge();
    camera = await t.camera({ audio: true });
    id = await t.adopt(camera);
    login = await t.account();
  });
  after(() => t.close());

  for (const scheme of ["rtsp", "rtsps"] as const) {
    it(`ffprobe reads the live stream over ${scheme}`, async function () {
      const ffprobe = peer(this, "ffprobe");
      const { code, stdout, stderr } = await ffprobe.run([
        "-v",
        "error",
        "-rtsp_transport",
        "tcp",
        "-show_entries",
        "stream=codec_name,width,height",
        "-of",
        "compact=p=0",
        t.rtsp(login, `live/${id}`, scheme),
      ]);
      expect(code, stderr).to.equal(0);
      expect(stdout.toString())
        .to.include(`codec_name=h264|width=${WIDTH}|height=${HEIGHT}`)
        .and.to.include("codec_name=pcm_mulaw");
    });
  }

  it("ffmpeg decodes every frame once over rtsps, of those that are sent to several at once, however often one comes and goes", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    const play = (frames: number): ReturnType<typeof ffmpeg.run> =>
      ffmpeg.run(
        `-v error -rtsp_transport tcp -i ${t.rtsp(login, `live/${id}`, "rtsps")} -map 0:v -frames:v ${frames} ${RAW}`.split(
          " ",
        ),
      );
    const guests = async (): Promise<void> => {
      for (let count = 0; count < 3; count += 1) await play(5);
    };
    const [one, other] = await Promise.all([play(4 * GOP), play(4 * GOP), guests()]);
    for (const { code, stdout, stderr } of [one, other]) {
      expect(code, stderr).to.equal(0);
      expectConsecutive(framesOf(stdout, WIDTH, HEIGHT), 4 * GOP);
    }
  });

  it("ffmpeg plays what was two seconds ago, of a camera that was adopted this moment", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    const other = await t.adopt(await t.camera({ width: 320, height: 176 }));
    const { code, stdout, stderr } = await ffmpeg.run(
      `-v error -rtsp_transport tcp -i ${t.rtsp(login, `recorded/${other}?at=-2s`)} -frames:v 20 ${RAW}`.split(" "),
    );
    expect(code, stderr).to.equal(0);
    expectConsecutive(framesOf(stdout, 320, 176), 20);
  });

  it("ffmpeg decodes every recorded frame of a closed range once, over file borders, and ends by itself", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    const { recorded } = t.cameras(login)[0] ?? {};
    // More than one segment of 10 s, so that the range crosses a border.
    await eventually(async () => {
      const extent = await recorded?.extent();
      return extent !== undefined && extent.to - extent.from > 14_000;
    });
    const extent = await recorded?.extent();
    if (extent === undefined) throw new Error("nothing recorded");
    const from = later(extent.from, 2000);
    const numbers = await watchFrames(ffmpeg, t.rtsp(login, `recorded/${id}?at=${isoOf(from)}&for=10s`), []);
    expectConsecutive(numbers, 140);
    expect(numbers.length).to.be.at.most(190);
  });

  it("ffmpeg gets key frames alone, and everything at four times the speed, where the address says so", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    const extent = await t.cameras(login)[0]?.recorded.extent();
    const from = isoOf(later(extent?.from ?? t.bridge.parts.clock.now(), 2000));
    const keys = await watchFrames(ffmpeg, t.rtsp(login, `recorded/${id}?at=${from}&for=8s&frames=intra`), []);
    const [first = 0] = keys;
    expect(first % GOP).to.equal(0);
    expect(keys).to.deep.equal(keys.map((_, index) => first + index * GOP));
    expect(keys.length).to.be.within(4, 5);
    const url = t.rtsp(login, `recorded/${id}?at=${from}&for=8s&speed=4`);
    expectConsecutive(await watchFrames(ffmpeg, url, []), 8 * 15);
  });

  const refused: readonly (readonly [why: string, url: () => Promise<string>, words: RegExp])[] = [
    ["an unknown account", async () => t.rtsp({ ...login, name: "nobody" }, `live/${id}`), /401/],
    ["a camera that does not exist", async () => t.rtsp(login, "live/nothing"), /404/],
    [
      "a camera that is hidden from the account",
      async () => t.rtsp(await t.account({ live: ["other"] }), `live/${id}`),
      /404/,
    ],
    ["recordings that are not granted", async () => t.rtsp(await t.account({ live: "any" }), `recorded/${id}`), /403/],
    ["live video that is not granted", async () => t.rtsp(await t.account({ playback: "any" }), `live/${id}`), /403/],
    ["a time that nobody can read", async () => t.rtsp(login, `recorded/${id}?at=yesterday`), /400/],
  ];
  for (const [why, url, words] of refused)
    it(`ffprobe is refused for ${why}`, async function () {
      const { code, stderr } = await peer(this, "ffprobe").run(["-v", "error", "-rtsp_transport", "tcp", await url()]);
      expect(code).not.to.equal(0);
      expect(stderr).to.match(words);
    });

  it("a running stream ends when its account is disabled", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    const other = await t.account();
    const running = ffmpeg.run([
      "-v",
      "error",
      "-rtsp_transport",
      "tcp",
      "-i",
      t.rtsp(other, `live/${id}`),
      "-f",
      "null",
      "-",
    ]);
    const { rtspSessions } = t.bridge.parts;
    await eventually(() => rtspSessions(other.name) > 0);
    await t.bridge.parts.accounts.change(other.id, { enabled: false });
    const { code } = await running;
    expect(code).not.to.equal(null);
  });
});
