import { expect } from "chai";
import { isoOf, later } from "../../base/units.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { expectConsecutive, watchFrames, watchFramesInGStreamer } from "../support/frames.ts";
import { peer } from "../support/peer.ts";

/** How a player is told which transport to use, and by which door it comes. */
interface Way {
  readonly name: string;
  /** For ffmpeg's `-rtsp_transport`. */
  readonly ffmpeg: string;
  /** GStreamer's scheme and `protocols`. */
  readonly gstreamer: readonly [scheme: string, protocols: string];
  readonly door: "http" | "https" | "rtsp";
}

const WAYS: readonly Way[] = [
  { name: "HTTP", ffmpeg: "http", gstreamer: ["rtsph", "tcp"], door: "http" },
  { name: "HTTPS", ffmpeg: "https", gstreamer: ["rtspsh", "tcp"], door: "https" },
  { name: "UDP", ffmpeg: "udp", gstreamer: ["rtsp", "udp"], door: "rtsp" },
];

describe("transports beside RTSP over TCP", function () {
  this.timeout(90_000);
  let t: TestBridge;
  let id: string;
  let login: Login;

  before(async () => {
    t = await startTestBridge();
    id = await t.adopt(await t.camera());
    login = await t.account();
  });
  after(() => t.close());

  const url = ({ door }: Way, who: Login, path: string, scheme = "rtsp"): string =>
    `${scheme}://${who.name}:${who.secret}@127.0.0.1:${t.bridge.parts.addresses().doors[door]}/${path}`;

  /** A stretch of 4 s that is recorded. */
  const recorded = async (): Promise<string> => {
    const source = t.cameras(login)[0]?.recorded;
    await eventually(async () => {
      const extent = await source?.extent();
      return extent !== undefined && extent.to - extent.from > 8000;
    });
    const extent = await source?.extent();
    if (extent === undefined) throw new Error("nothing recorded");
    return `recorded/${id}?at=${isoOf(later(extent.from, 1000))}&for=4s`;
  };

  for (const way of WAYS) {
    it(`ffmpeg decodes every live frame once, in order, over ${way.name}`, async function () {
      const ffmpeg = peer(this, "ffmpeg");
      const numbers = await watchFrames(ffmpeg, url(way, login, `live/${id}`), ["-frames:v", "60"], way.ffmpeg);
      expectConsecutive(numbers, 60);
    });

    it(`ffmpeg decodes every recorded frame once, in order, over ${way.name}`, async function () {
      const ffmpeg = peer(this, "ffmpeg");
      const numbers = await watchFrames(ffmpeg, url(way, login, await recorded()), ["-frames:v", "50"], way.ffmpeg);
      expectConsecutive(numbers, 50);
    });

    it(`GStreamer decodes every live frame once, in order, over ${way.name}`, async function () {
      const [scheme, protocols] = way.gstreamer;
      const gst = peer(this, "gst-launch-1.0");
      const numbers = await watchFramesInGStreamer(gst, url(way, login, `live/${id}`, scheme), 60, protocols);
      // The frame with which `eos-after` ends is not handed on.
      expectConsecutive(numbers, 59);
    });

    it(`GStreamer decodes every recorded frame once, and ends by itself, over ${way.name}`, async function () {
      const [scheme, protocols] = way.gstreamer;
      const gst = peer(this, "gst-launch-1.0");
      const numbers = await watchFramesInGStreamer(
        gst,
        url(way, login, await recorded(), scheme),
        undefined,
        protocols,
      );
      expectConsecutive(numbers, 44);
    });

    const refused: readonly (readonly [why: string, address: () => Promise<string>, words: RegExp])[] = [
      ["a wrong secret", async () => url(way, { ...login, secret: "wrong" }, `live/${id}`), /401/],
      ["a hidden camera", async () => url(way, await t.account({ live: ["other"] }), `live/${id}`), /404/],
      ["what is not granted", async () => url(way, await t.account({ live: "any" }), `recorded/${id}`), /403/],
    ];
    for (const [why, address, words] of refused)
      it(`ffprobe is refused for ${why} over ${way.name}`, async function () {
        const ffprobe = peer(this, "ffprobe");
        const { code, stderr } = await ffprobe.run(["-v", "error", "-rtsp_transport", way.ffmpeg, await address()]);
        expect(code).not.to.equal(0);
        expect(stderr).to.match(words);
      });

    it(`a running stream ends when its account is disabled, over ${way.name}`, async function () {
      const ffmpeg = peer(this, "ffmpeg");
      const other = await t.account();
      const input = ["-v", "error", "-rtsp_transport", way.ffmpeg, "-i", url(way, other, `live/${id}`)];
      const running = ffmpeg.run([...input, "-f", "null", "-"]);
      const { rtspSessions, accounts } = t.bridge.parts;
      await eventually(() => rtspSessions(other.name) > 0);
      await accounts.setEnabled(other.id, false);
      await eventually(() => rtspSessions(other.name) === 0);
      const { code } = await running;
      expect(code).not.to.equal(null);
    });
  }
});
