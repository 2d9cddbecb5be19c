import { expect } from "chai";
import { Secret } from "../../base/secret.ts";
import { isoOf, later } from "../../base/units.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { GST_LOGIN, type GstCamera, type GstMount, startGstCamera } from "../support/gst-camera.ts";
import { type Peer, peer } from "../support/peer.ts";
import { probeCodecs } from "../support/probe.ts";

/** What GStreamer's camera sends, and what ffprobe must call it on our side. */
const MOUNTS: readonly (readonly [mount: GstMount, codecs: readonly string[]])[] = [
  ["h264", ["h264"]],
  ["h265", ["hevc"]],
  ["mjpeg", ["mjpeg"]],
  ["h264aac", ["h264", "aac"]],
  ["h264pcmu", ["h264", "pcm_mulaw"]],
  ["h264pcma", ["h264", "pcm_alaw"]],
];

/** Pictures, and packets of sound, that come one behind the other. */
const PICTURES = 45;
const SOUNDS = 10;
/** Between two of them nothing is missing: 25 pictures a second, and up to 128 ms of sound in a packet. */
const NEXT_MS = { picture: 60, sound: 200 };

/** The times in milliseconds of what ffmpeg copied of each stream, by lines of its framecrc muxer that are whole. */
function timesIn(text: string): readonly (readonly number[])[] {
  const times: number[][] = [];
  const units: number[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const [, stream, over, under] = /^#tb (\d+): (\d+)\/(\d+)$/.exec(line) ?? [];
    if (stream !== undefined) {
      units[Number(stream)] = (Number(over) * 1000) / Number(under);
      times[Number(stream)] = [];
    }
    const [, of, pts] = /^(\d+), *-?\d+, *(-?\d+),/.exec(line) ?? [];
    if (of !== undefined) times[Number(of)]?.push(Number(pts) * (units[Number(of)] ?? 0));
  }
  return times;
}

/** The most of them that follow each other: a machine that stands still leaves something out. */
function longestRun(times: readonly number[], stream: number): number {
  const nextMs = stream === 0 ? NEXT_MS.picture : NEXT_MS.sound;
  let [longest, run] = [0, 0];
  for (const [index, at] of times.entries()) {
    run = at - (times[index - 1] ?? Number.NEGATIVE_INFINITY) <= nextMs ? run + 1 : 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

/** Copies with ffmpeg until there is enough of each stream. */
async function expectFlows(ffmpeg: Peer, url: string, kind: string, streams: number): Promise<void> {
  const { child } = ffmpeg.start(
    `-v warning -rtsp_transport tcp -i ${url} -map 0 -c copy -f framecrc -flush_packets 1 -`.split(" "),
  );
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  const runs = (): readonly number[] => timesIn(Buffer.concat(chunks).toString()).map(longestRun);
  try {
    await eventually(
      () =>
        child.exitCode !== null ||
        (runs().length === streams && runs().every((run, index) => run >= (index === 0 ? PICTURES : SOUNDS))),
    );
    expect(child.exitCode, `${kind}: ${runs().join(", ")}`).to.equal(null);
  } finally {
    child.kill("SIGKILL");
  }
}

/** For what hangs. */
const READY_MS = 180_000;

describe("cameras of another make, added by their RTSP address alone", () => {
  let t: TestBridge;
  let gst: GstCamera;
  let login: Login;
  const ids = new Map<GstMount, string>();

  before(async function () {
    t = await startTestBridge();
    gst = await startGstCamera(this, { auth: true, address: t.cameraAddress() });
    login = await t.account();
    for (const [mount] of MOUNTS) ids.set(mount, (await adopt(mount)).id);
  });
  after(async () => {
    await gst?.close();
    await t?.close();
  });

  const adopt = (mount: GstMount, query = "", password = GST_LOGIN.password): Promise<{ readonly id: string }> =>
    t.bridge.parts.discovery.adopt(
      { rtsp: `${gst.url(mount).href}${query}` },
      { name: mount, plainText: true, credentials: { user: GST_LOGIN.user, password } },
    );

  /** Waits for seven seconds of recording, and plays both ways. */
  const expectPlays = async (id: string, codecs: readonly string[], ffprobe: Peer, ffmpeg: Peer): Promise<void> => {
    const camera = t.cameraOf(login, id);
    await camera.streams[0].live.ready(READY_MS);
    await eventually(async () => {
      const extent = await camera.recorded.extent();
      return extent !== undefined && extent.to - extent.from > 7000;
    });
    expect(camera.info.unrecordable).to.deep.equal([]);
    const extent = await camera.recorded.extent();
    const from = isoOf(later(extent?.from ?? later(t.bridge.parts.clock.now(), 0), 1000));
    const addresses = { live: `live/${id}`, recorded: `recorded/${id}?at=${from}` };
    for (const [kind, path] of Object.entries(addresses)) {
      const url = t.rtsp(login, path);
      const probed = await probeCodecs(ffprobe, ["-rtsp_transport", "tcp", url]);
      expect(probed.code, probed.stderr).to.equal(0);
      expect(probed.codecs, kind).to.deep.equal(codecs);
      await expectFlows(ffmpeg, url, kind, codecs.length);
    }
  };

  for (const [mount, codecs] of MOUNTS)
    it(`${mount} is recorded, and plays live and recorded as ${codecs.join(" with ")}`, async function () {
      const [ffprobe, ffmpeg] = [peer(this, "ffprobe"), peer(this, "ffmpeg")];
      await expectPlays(ids.get(mount) ?? "", codecs, ffprobe, ffmpeg);
    });

  it("one that sends over UDP alone is adopted by its address, recorded, and plays live and recorded", async function () {
    const [ffprobe, ffmpeg] = [peer(this, "ffprobe"), peer(this, "ffmpeg")];
    const udp = await startGstCamera(this, { auth: true, udpOnly: true, address: t.cameraAddress() });
    try {
      const { id } = await t.bridge.parts.discovery.adopt(
        { rtsp: udp.url("h264aac").href },
        { name: "udp", plainText: true, credentials: GST_LOGIN },
      );
      await expectPlays(id, ["h264", "aac"], ffprobe, ffmpeg);
      expect(t.cameraOf(login, id).info.streams[0].transport).to.equal("udp");
      await t.bridge.parts.discovery.remove(id);
    } finally {
      await udp.close();
    }
  });

  it("a wrong password is told in words, and no picture is promised", async function () {
    const { id } = await adopt("h264", "?again", new Secret("wrong"));
    const state = (): string => {
      const { connection } = t.cameraOf(login, id).info;
      return connection.state === "offline" ? connection.why : connection.state;
    };
    await eventually(() => /password/.test(state()));
    const { code, stderr } = await peer(this, "ffprobe").run([
      "-v",
      "error",
      "-rtsp_transport",
      "tcp",
      t.rtsp(login, `live/${id}`),
    ]);
    expect(code).not.to.equal(0);
    expect(stderr).to.match(/503/);
    await t.bridge.parts.discovery.remove(id);
  });
});
