import { expect } from "chai";
import type { SimCamera } from "../../sim/camera-options.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { watchTrackInGStreamer } from "../support/gst-watch.ts";
import { officialValidator } from "../support/official-schemas.ts";
import { peer, pythonPeer } from "../support/peer.ts";

/** For what hangs. */
const READY_MS = 180_000;

describe("the bridge's own events, as metadata of a live stream", () => {
  let t: TestBridge;
  let camera: SimCamera;
  let id: string;
  let login: Login;

  before(async () => {
    t = await startTestBridge();
    camera = await t.camera({ audio: true });
    id = await t.adopt(camera);
    login = await t.account({ live: "any", audio: "any", metadata: "any" });
    await t.cameras(login)[0]?.streams[0].live.ready(READY_MS);
  });
  after(() => t?.close());

  const documentsIn = (text: string): readonly string[] =>
    text.split(/(?=<\?xml)/).filter((one) => one.includes("<?xml"));

  it("reach ffmpeg, valid, with the camera's going and its coming back", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    const url = t.rtsp(login, `live/${id}`);
    const { child } = ffmpeg.start(
      `-v error -rtsp_transport tcp -i ${url} -map 0:d -c copy -f data -flush_packets 1 -`.split(" "),
    );
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    // Without what it says of other things, which comes in the middle of a document.
    const output = (): string => Buffer.concat(chunks).toString();
    try {
      await eventually(() => output().includes('PropertyOperation="Initialized"') || child.exitCode !== null);
      await camera.pause();
      const lost =
        /SignalLoss<(?:(?!NotificationMessage).)*PropertyOperation="Changed"(?:(?!NotificationMessage).)*Value="true"/s;
      const back =
        /SignalLoss<(?:(?!NotificationMessage).)*PropertyOperation="Changed"(?:(?!NotificationMessage).)*Value="false"/s;
      await eventually(() => lost.test(output()) || child.exitCode !== null);
      await camera.resume();
      await eventually(() => back.test(output()) || child.exitCode !== null);
      expect(child.exitCode, output()).to.equal(null);
      expect(output()).to.match(back);
      const documents = documentsIn(output()).slice(0, -1);
      expect(documents.length).to.be.at.least(2);
      const problems = officialValidator();
      for (const document of documents) expect(problems(document), document).to.deep.equal([]);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("reach GStreamer", async function () {
    const python = pythonPeer(this, "gi.repository.Gst");
    const packets = { medium: "application", decode: "identity", count: 3 } as const;
    const came = await watchTrackInGStreamer(python, t.rtsp(login, `live/${id}`), packets);
    expect(came.toString("latin1")).to.include("tt:MetadataStream");
  });

  it("are neither described nor set up without the right", async function () {
    const ffprobe = peer(this, "ffprobe");
    const show = "-v error -rtsp_transport tcp -show_entries stream=codec_type -of csv=p=0".split(" ");
    const kinds = async (who: Login): Promise<readonly string[]> =>
      (await ffprobe.run([...show, t.rtsp(who, `live/${id}`)])).stdout.toString().trim().split("\n");
    expect(await kinds(login)).to.deep.equal(["video", "audio", "data"]);
    expect(await kinds(await t.account())).to.deep.equal(["video", "audio"]);
  });

  it("come with sender reports on every track, each of a source of its own, whose times are the clock's", async function () {
    const python = peer(this, "/usr/bin/python3");
    const script = `${import.meta.dirname}/../support/sender-reports.py`;
    const { code, stdout, stderr } = await python.run([script, t.rtsp(login, `live/${id}`)]);
    expect(code, stderr).to.equal(0);
    const reports = JSON.parse(stdout.toString()) as {
      readonly media: string;
      readonly ssrc: number;
      /** How far the report's NTP time, moved on by RTP, is from when a packet came, in ms: of the one that came soonest. */
      readonly offMs: number;
    }[];
    expect(reports.map(({ media }) => media)).to.deep.equal(["video", "audio", "application"]);
    expect(new Set(reports.map(({ ssrc }) => ssrc)).size).to.equal(3);
    for (const { media, offMs } of reports) expect(Math.abs(offMs), media).to.be.lessThan(2500);
  });
});
