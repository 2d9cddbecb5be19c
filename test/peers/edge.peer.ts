import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { SECOND, unixMillis } from "../../base/units.ts";
import { pictureOf } from "../../media/picture-of.ts";
import type { PictureSize } from "../../media/picture-size.ts";
import type { Track } from "../../media/track.ts";
import { Archive } from "../../recorder/archive.ts";
import { diskFiles } from "../../recorder/files.ts";
import { exitCodeOf, verify } from "../../recorder/verify.ts";
import { H264Encoder } from "../../sim/h264.ts";
import { eventually } from "../support/bridge.ts";
import { edgeCamera, edgeFiller } from "../support/edge-camera.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { type Peer, peer, pythonPeer } from "../support/peer.ts";
import { scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { makeSigner } from "../support/signer.ts";

const SCRIPT = join(import.meta.dirname, "../support/gst-edge.py");
const FPS = 25;
const GAP_SECONDS = 12;

describe("GStreamer's ONVIF server as a camera with a card", () => {
  it("fills a gap, each picture at its instant, and nothing beside it", async function () {
    const python = pythonPeer(this, "gi.repository.GstRtspServer");
    const ffprobe = peer(this, "ffprobe");
    const { folder, remove } = await scratchFolder();
    const running = python.start([SCRIPT, "127.0.0.1", "card-1"]);
    const archive = await Archive.open({
      folder,
      clock: systemClock,
      log: silentLog(),
      metrics: new Metrics(),
      signer: await makeSigner(),
    });
    try {
      const deviceUrl = await deviceUrlOf(running);
      // Two seconds of a minute ago, and two more behind a gap.
      const startMs = Math.floor(systemClock.now() / SECOND) * SECOND - 60 * SECOND;
      const recorder = archive.recorder("gate", "main");
      recorder.describe([VIDEO_TRACK]);
      const camera = new GroupCamera();
      const film = (from: number, to: number): void => {
        for (let index = from * FPS; index < to * FPS; index += 1)
          recorder.push(camera.group(0, videoSample(index, { startMs })));
      };
      film(0, 2);
      recorder.gap({ cause: "network", why: "the camera does not answer" });
      await recorder.idle();
      film(2 + GAP_SECONDS, 4 + GAP_SECONDS);
      await recorder.close();

      const fill = edgeFiller(archive, () => [edgeCamera({ deviceUrl })], { settings: { fill: ["gate"] } });
      await fill.look();
      await fill.idle();
      await fill.close();

      const range = [unixMillis(startMs), unixMillis(startMs + 30 * SECOND)] as const;
      const seconds = (at: number): number => (at - startMs) / SECOND;
      const fetched = await archive.fetchedSpans("gate", ...range);
      expect(fetched.map(({ from, to }) => [seconds(from), seconds(to)])).to.deep.equal([[2, 2 + GAP_SECONDS]]);
      expect((await archive.gaps("gate", ...range)).filter(({ to }) => to !== undefined)).to.deep.equal([]);
      const times: number[] = [];
      for await (const { at } of archive.source("gate", "main").read({ from: range[0] }, new AbortController().signal))
        times.push(Math.round(at - startMs));
      expect(times).to.deep.equal(
        Array.from({ length: (4 + GAP_SECONDS) * FPS }, (_, index) => (index * SECOND) / FPS),
      );

      await archive.close();
      const files = (await Array.fromAsync(filesBelow(folder))).sort();
      const report = await verify({ files: diskFiles, paths: files, archive: { folder, camera: undefined } });
      expect(exitCodeOf(report)).to.equal(0);
      const own = report.stretches.filter(
        ({ why }) => why?.startsWith("fetched from the camera's own recording") === true,
      );
      const lengths = own.map(({ fromUs, toUs }) => (toUs - fromUs) / 1e6);
      expect(lengths.reduce((sum, one) => sum + one, 0)).to.equal(GAP_SECONDS);
      // Every picture of it can be decoded.
      let decoded = 0;
      for (const file of new Set(own.map((one) => one.file))) {
        const count = [
          "-count_frames",
          "-select_streams",
          "v",
          "-show_entries",
          "stream=nb_read_frames",
          "-of",
          "csv=p=0",
        ];
        decoded += Number((await ffprobe.run(["-v", "error", ...count, file])).stdout.toString());
      }
      expect(decoded).to.equal(GAP_SECONDS * FPS);
    } finally {
      await ended(running);
      await archive.close().catch(() => undefined);
      await remove();
    }
  });
});

describe("GStreamer's ONVIF server as a camera with a card, for a sub-stream", () => {
  for (const [name, cards, expected] of [
    [
      "fills each stream from the recording with its pictures",
      ["card-1", "card-2"],
      [
        ["main", "fetched", "160x128"],
        ["sub", "fetched", "96x64"],
      ],
    ],
    [
      "leaves the gap of the sub-stream where the camera has the main one alone",
      ["card-1"],
      [
        ["main", "fetched", "160x128"],
        ["sub", "nothing", undefined],
      ],
    ],
    [
      "leaves the gap of the main stream where the camera has the sub-stream alone",
      ["card-2"],
      [
        ["main", "nothing", undefined],
        ["sub", "fetched", "96x64"],
      ],
    ],
  ] as const)
    it(name, async function () {
      const python = pythonPeer(this, "gi.repository.GstRtspServer");
      const { folder, remove } = await scratchFolder();
      const running = python.start([SCRIPT, "127.0.0.1", ...cards]);
      const archive = await Archive.open({ folder, clock: systemClock, log: silentLog(), metrics: new Metrics() });
      try {
        const deviceUrl = await deviceUrlOf(running);
        const startMs = Math.floor(systemClock.now() / SECOND) * SECOND - 5 * 60 * SECOND;
        // It lasts, and what is younger than two minutes may be recorded yet.
        const to = unixMillis(startMs + (2 + GAP_SECONDS) * SECOND);
        for (const stream of ["main", "sub"]) {
          const recorder = archive.recorder("gate", stream);
          recorder.describe([VIDEO_TRACK]);
          const camera = new GroupCamera();
          for (let index = 0; index < 2 * FPS; index += 1)
            recorder.push(camera.group(0, videoSample(index, { startMs })));
          recorder.gap({ cause: "network", why: "the camera does not answer" });
          await recorder.close();
        }
        const tracks = {
          main: [describedAs({ width: 160, height: 128 })],
          sub: [describedAs({ width: 96, height: 64 })],
        };
        const adopted = edgeCamera({ deviceUrl, subUrl: "rtsp://127.0.0.1/live/sub", tracks });
        const fill = edgeFiller(archive, () => [adopted]);
        const from = unixMillis(startMs + 2 * SECOND);
        const found: unknown[] = [];
        for (const stream of ["main", "sub"]) {
          await fill.ask("gate", { stream, from, to }, { who: "anna", interface: "web" });
          await fill.idle();
          const [ended] = fill.list("gate");
          const spans = await archive.fetchedSpans("gate", from, to, stream);
          const [track] = spans.length === 0 ? [] : await archive.source("gate", stream).tracks(from);
          const size = track && pictureOf(track);
          found.push([ended?.stream, ended?.state, size && `${size.width}x${size.height}`]);
        }
        await fill.close();
        expect(found).to.deep.equal(expected);
      } finally {
        await ended(running);
        await archive.close();
        await remove();
      }
    });
});

type Running = ReturnType<Peer["start"]>;

/** Of the camera that was started, once it listens. */
async function deviceUrlOf(camera: Running): Promise<string> {
  await eventually(() => /^\d+$/m.test(camera.output()));
  return `http://127.0.0.1:${/^\d+$/m.exec(camera.output())?.[0] ?? ""}/onvif/device_service`;
}

async function ended({ child }: Running): Promise<void> {
  const closed = once(child, "close");
  child.kill();
  await closed;
}

/** As a camera describes such pictures. */
function describedAs(size: PictureSize): Track {
  const { sps, pps } = new H264Encoder({ ...size, fps: FPS });
  return {
    ...VIDEO_TRACK,
    fmtp: `packetization-mode=1;sprop-parameter-sets=${sps.toString("base64")},${pps.toString("base64")}`,
  };
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  const { files, folders } = await diskFiles.list(folder);
  for (const name of files) if (name.endsWith(".mp4")) yield join(folder, name);
  for (const name of folders) yield* filesBelow(join(folder, name));
}
