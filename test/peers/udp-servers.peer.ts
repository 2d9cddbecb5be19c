import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Context } from "mocha";
import { createDepacketizer } from "../../media/depacketizer.ts";
import type { PacketGroup } from "../../media/group.ts";
import { lengthPrefixed } from "../../media/nal.ts";
import type { Track } from "../../media/track.ts";
import { eventually, freeTcpPort, startTestBridge } from "../support/bridge.ts";
import { FPS, GOP, NumberedFrames, numbersIn } from "../support/numbered-frames.ts";
import { type Peer, peer } from "../support/peer.ts";
import { pullUntil } from "../support/pull-until.ts";
import { flows, startPushedCamera } from "../support/pushed-camera.ts";

const START_CODE = Buffer.of(0, 0, 0, 1);
/** Longer than any test looks, also on a busy machine: VLC and ffmpeg begin it once. */
const FILM_SECONDS = 300;

/** H.264 as a byte stream, and its description as far as it is needed. */
function byteStream(track: Pick<Track, "codec" | "kind" | "fmtp">, groups: readonly PacketGroup[]): Buffer {
  const described = { encoding: "H264", payloadType: 96, clockRateHz: 90_000, channels: 1, ...track };
  const depacketizer = createDepacketizer(described);
  const samples = groups.flatMap((group) => depacketizer?.push(group) ?? []);
  return Buffer.concat(samples.flatMap(({ data }) => lengthPrefixed(data).flatMap((nal) => [START_CODE, nal])));
}

describe("the RTSP client pulls from servers that know UDP alone", () => {
  let folder: string;
  let film: string;
  let ffmpeg: Peer;
  const running: ChildProcess[] = [];
  const pushed: { close(): Promise<void> }[] = [];

  before(async function () {
    ffmpeg = peer(this, "ffmpeg");
    folder = await mkdtemp(join(tmpdir(), "viaduct-udp-servers-"));
    // VLC runs as nobody.
    await chmod(folder, 0o755);
    film = join(folder, "film.mp4");
    const source = new NumberedFrames();
    const groups = Array.from({ length: FILM_SECONDS * FPS }, (_, index) => source.group(index));
    const raw = join(folder, "film.h264");
    await writeFile(raw, byteStream({ codec: "H264", kind: "video", fmtp: "" }, groups));
    const made = await ffmpeg.run(["-v", "error", "-r", `${FPS}`, "-i", raw, "-c", "copy", film]);
    expect(made.code, made.stderr).to.equal(0);
  });
  afterEach(async () => {
    for (const child of running.splice(0)) {
      const ended = once(child, "exit");
      if (child.exitCode === null && child.kill("SIGTERM")) await ended;
    }
    for (const camera of pushed.splice(0)) await camera.close();
  });
  after(() => (folder === undefined ? undefined : rm(folder, { recursive: true, force: true })));

  const start = (program: string, args: readonly string[]): void => {
    running.push(spawn(program, args, { stdio: "ignore" }));
  };

  /** The numbers of the pictures that ffmpeg decodes, without a complaint. */
  async function decoded(args: readonly string[], input?: Buffer): Promise<readonly number[]> {
    const gray = ["-f", "rawvideo", "-pix_fmt", "gray", "-fps_mode", "passthrough", "-"];
    const { stdout, stderr } = await ffmpeg.run(["-v", "warning", ...args, ...gray], input && { input });
    expect(stderr).to.equal("");
    return numbersIn(stdout);
  }

  /** None is missing, and the first one is a key frame. */
  function expectWhole(numbers: readonly number[]): void {
    expect(numbers.length).to.be.at.least(2 * GOP);
    expect((numbers[0] ?? 1) % GOP, "begins with a key frame").to.equal(0);
    expect(numbers).to.deep.equal(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  }

  async function expectFilm(url: string): Promise<void> {
    const { tracks, groups, transport } = await pullUntil(new URL(url), 3 * GOP);
    expect(transport).to.equal("udp");
    const [track] = tracks;
    if (track === undefined) throw new Error("no track");
    expect(groups.some((group) => group.discontinuity)).to.equal(false);
    const first = groups.findIndex((group) => group.key);
    expectWhole(await decoded(["-f", "h264", "-i", "-"], byteStream(track, groups.slice(first))));
  }

  /** Adopts it by its address and nothing else, and looks at the files that are recorded. */
  async function expectRecorded(url: string): Promise<void> {
    // These servers send datagrams from no address in particular, so that they are cameras at the one of loopback.
    const t = await startTestBridge({ network: "127.0.0", encryption: "none" });
    try {
      const login = await t.account();
      const { discovery } = t.bridge.parts;
      const { id } = await discovery.adopt({ rtsp: url }, { plainText: true });
      const camera = t.cameras(login).find(({ info }) => info.id === id);
      await eventually(async () => {
        const extent = await camera?.recorded.extent();
        return extent !== undefined && extent.to - extent.from > 4000;
      });
      expect(camera?.info.transport).to.equal("auto");
      expect(camera?.info.streams[0].transport).to.equal("udp");
      // Seals what is open.
      await discovery.remove(id);
      const files = (await readdir(t.folder, { recursive: true })).filter((name) => name.endsWith(".mp4")).sort();
      const numbers: number[] = [];
      for (const file of files) numbers.push(...(await decoded(["-i", join(t.folder, file)])));
      expectWhole(numbers);
    } finally {
      await t.close();
    }
  }

  async function startVlc(context: Context): Promise<string> {
    const vlc = peer(context, "cvlc").program;
    const port = await freeTcpPort();
    const url = `rtsp://127.0.0.1:${port}/film`;
    const args = ["-q", "--rtsp-host", "127.0.0.1", "--rtsp-port", `${port}`, film];
    // It does not run as root.
    const [program, ...first] = asNobody(context, vlc, folder);
    start(program, [...first, ...args, "--sout", `#rtp{sdp=${url}}`, "--sout-keep"]);
    await eventually(() => flows(url));
    return url;
  }

  async function startPerl(context: Context): Promise<string> {
    const camera = await startPushedCamera(context, ["-i", film, "-c", "copy"]);
    pushed.push(camera);
    return camera.url;
  }

  const servers: readonly (readonly [what: string, start: (context: Context) => Promise<string>])[] = [
    ["VLC, which refuses RTP inside the connection as it should", startVlc],
    ["rtsp-server-perl, which takes a request for that to be broken", startPerl],
  ];
  for (const [what, startServer] of servers) {
    it(what, async function () {
      await expectFilm(await startServer(this));
    });

    it(`${what}, through the whole bridge into a recording`, async function () {
      await expectRecorded(await startServer(this));
    });
  }
});

/** The command that runs `program` without our rights, where we are root. */
function asNobody(context: Context, program: string, home: string): readonly [string, ...string[]] {
  if (process.getuid?.() !== 0) return [program];
  return [peer(context, "runuser").program, "-u", "nobody", "--", "env", `HOME=${home}`, program];
}
