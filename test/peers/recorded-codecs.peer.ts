import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { Context } from "mocha";
import { isoOf, later } from "../../base/units.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { startGstCamera } from "../support/gst-camera.ts";
import { watchTrackInGStreamer } from "../support/gst-watch.ts";
import { type Peer, peer, pythonPeer } from "../support/peer.ts";
import { probeCodecs } from "../support/probe.ts";
import { startPushedCamera } from "../support/pushed-camera.ts";

/** Frames or buffers that GStreamer is asked for. */
const BUFFERS = 25;

const MOVING = ["-f", "lavfi", "-i", "testsrc=size=320x240:rate=25"];

/** Codecs that few cameras have, by what others make of them behind the bridge. */
const ROWS: readonly {
  readonly what: string;
  /** Its address; it ends with the test. */
  readonly start: (context: Context) => Promise<{ readonly url: string; close(): Promise<void> }>;
  /** What ffprobe calls them, live, replayed and in the file. */
  readonly codecs: readonly string[];
  readonly medium: "video" | "audio";
  /** GStreamer: from the RTP of that to what is seen or heard. */
  readonly decode: string;
  /** What so many buffers of that have at least. */
  readonly bytes: number;
}[] = [
  {
    what: "MPEG-4 Visual",
    // GStreamer's server sends none.
    start: (context) => startPushedCamera(context, [...MOVING, "-c:v", "mpeg4", "-g", "25"]),
    codecs: ["mpeg4"],
    medium: "video",
    decode: "rtpmp4vdepay ! avdec_mpeg4 ! videoconvert ! video/x-raw,format=GRAY8",
    bytes: (BUFFERS - 1) * 320 * 240,
  },
  {
    what: "H.264 with Opus",
    start: async (context) => {
      const gst = await startGstCamera(context);
      return { url: gst.url("h264opus").href, close: () => gst.close() };
    },
    codecs: ["h264", "opus"],
    medium: "audio",
    decode: "rtpopusdepay ! opusdec ! audioconvert ! audio/x-raw,format=S16LE,channels=1",
    bytes: (BUFFERS - 1) * 960 * 2,
  },
];

describe("MPEG-4 Visual and Opus", () => {
  let t: TestBridge;
  let login: Login;
  const cameras: { close(): Promise<void> }[] = [];

  before(async () => {
    t = await startTestBridge({ network: "127.0.0", encryption: "none" });
    login = await t.account();
  });
  after(() => t?.close());

  afterEach(async () => {
    for (const camera of cameras.splice(0)) await camera.close();
  });

  const namesIn = async (ffprobe: Peer, args: readonly string[]): Promise<readonly string[]> => {
    const { code, stderr, codecs } = await probeCodecs(ffprobe, args);
    expect([code, stderr]).to.deep.equal([0, ""]);
    return codecs;
  };

  for (const { what, start, codecs, medium, decode, bytes } of ROWS)
    it(`${what}: ffmpeg and GStreamer play it live and recorded, and the file by itself`, async function () {
      const [ffprobe, ffmpeg] = [peer(this, "ffprobe"), peer(this, "ffmpeg")];
      const python = pythonPeer(this, "gi.repository.Gst");
      const camera = await start(this);
      cameras.push(camera);
      const { discovery } = t.bridge.parts;
      const { id } = await discovery.adopt({ rtsp: camera.url }, { name: what, plainText: true });
      const { recorded } = t.cameraOf(login, id);
      await eventually(async () => {
        const extent = await recorded.extent();
        return extent !== undefined && extent.to - extent.from > 6000;
      });
      expect(t.cameraOf(login, id).info.unrecordable).to.deep.equal([]);
      const extent = await recorded.extent();
      const from = isoOf(later(extent?.from ?? t.bridge.parts.clock.now(), 1000));
      for (const path of [`live/${id}`, `recorded/${id}?at=${from}&for=4s`]) {
        const url = t.rtsp(login, path);
        expect(await namesIn(ffprobe, ["-rtsp_transport", "tcp", url]), path).to.deep.equal(codecs);
        const decoded = await watchTrackInGStreamer(python, url, { medium, decode, count: BUFFERS });
        expect(decoded.length, path).to.be.at.least(bytes);
      }
      // Seals what is open.
      await discovery.remove(id);
      const names = (await readdir(t.folder, { recursive: true })).filter(
        (name) => name.includes(`/${id}/`) && name.endsWith(".mp4"),
      );
      expect(names).not.to.deep.equal([]);
      for (const name of names) {
        const file = join(t.folder, name);
        expect(await namesIn(ffprobe, [file])).to.deep.equal(codecs);
        const played = await ffmpeg.run(["-v", "warning", "-i", file, "-map", "0", "-f", "null", "-"]);
        expect([played.code, played.stderr]).to.deep.equal([0, ""]);
      }
    });
});
