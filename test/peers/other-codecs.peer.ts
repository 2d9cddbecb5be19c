import { expect } from "chai";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { GST_LOGIN, type GstCamera, type GstMount, startGstCamera } from "../support/gst-camera.ts";
import { watchTrackInGStreamer } from "../support/gst-watch.ts";
import { peer, pythonPeer } from "../support/peer.ts";
import { probeCodecs } from "../support/probe.ts";

const PICTURE = "videoconvert ! video/x-raw,format=GRAY8";
const SOUND = "audioconvert ! audio/x-raw,format=S16LE,channels=1";

/** Codecs of cameras that the bridge does not record, by what others make of them behind the bridge. */
const ROWS: readonly {
  readonly mount: GstMount;
  /** What ffprobe calls them. */
  readonly codecs: readonly string[];
  readonly unrecordable: RegExp;
  readonly medium: "video" | "audio";
  /** GStreamer: from the RTP of the one that is not recorded to what is seen or heard. */
  readonly decode: string;
  /** Frames or buffers that are waited for, and bytes that they have at least. */
  readonly buffers: number;
  readonly bytes: number;
}[] = [
  {
    mount: "h264g726",
    codecs: ["h264", "adpcm_g726le"],
    unrecordable: /G726-32/i,
    medium: "audio",
    decode: `rtpg726depay ! avdec_g726 ! ${SOUND}`,
    buffers: 10,
    bytes: 2000,
  },
  {
    mount: "vp8",
    codecs: ["vp8"],
    unrecordable: /VP8/i,
    medium: "video",
    decode: `rtpvp8depay ! vp8dec ! ${PICTURE}`,
    buffers: 20,
    bytes: 19 * 320 * 240,
  },
];

/** For what hangs. */
const READY_MS = 180_000;

describe("codecs that are shown and not recorded", () => {
  let t: TestBridge;
  let gst: GstCamera;
  let login: Login;

  before(async function () {
    t = await startTestBridge();
    gst = await startGstCamera(this, { auth: true, address: t.cameraAddress() });
    login = await t.account();
  });
  after(async () => {
    await gst?.close();
    await t?.close();
  });

  for (const { mount, codecs, unrecordable, medium, decode, buffers, bytes } of ROWS)
    it(`${mount}: passes through untouched, to ffmpeg and to GStreamer, and the camera's page says what is not recorded`, async function () {
      const [ffprobe, python] = [peer(this, "ffprobe"), pythonPeer(this, "gi.repository.Gst")];
      const { id } = await t.bridge.parts.discovery.adopt(
        { rtsp: gst.url(mount).href },
        { name: mount, credentials: GST_LOGIN, plainText: true },
      );
      await t.cameraOf(login, id).streams[0].live.ready(READY_MS);
      const url = t.rtsp(login, `live/${id}`);
      const probed = await probeCodecs(ffprobe, ["-rtsp_transport", "tcp", url]);
      expect(probed.code, probed.stderr).to.equal(0);
      expect(probed.codecs).to.deep.equal(codecs);
      const decoded = await watchTrackInGStreamer(python, url, { medium, decode, count: buffers });
      expect(decoded.length).to.be.at.least(bytes);
      await eventually(() => t.cameraOf(login, id).info.unrecordable.some((text) => unrecordable.test(text)));
      expect(t.cameraOf(login, id).info.unrecordable).to.have.length(1);
      await t.bridge.parts.discovery.remove(id);
    });
});
