import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { GST_LOGIN, type GstCamera, startGstCamera } from "../support/gst-camera.ts";
import { pythonPeer } from "../support/peer.ts";

const TONE_HZ = 440;

/** For what hangs. */
const READY_MS = 180_000;

describe("a tone from GStreamer's client, through the bridge, to the speaker of GStreamer's camera", () => {
  let t: TestBridge;
  let gst: GstCamera;
  let id: string;
  let login: Login;

  before(async function () {
    t = await startTestBridge();
    gst = await startGstCamera(this, { auth: true, address: t.cameraAddress() });
    ({ id } = await t.bridge.parts.discovery.adopt(
      { rtsp: gst.url("talk").href },
      { name: "talk", credentials: GST_LOGIN, plainText: true },
    ));
    login = await t.account({ live: "any", audio: "any", talk: "any" });
    await t.cameras(login)[0]?.streams[0].live.ready(READY_MS);
  });
  after(async () => {
    await gst?.close();
    await t?.close();
  });

  for (const [protocols, scheme] of [
    ["tcp", "rtsp"],
    ["udp", "rtsp"],
    ["tcp", "rtsps"],
  ] as const)
    it(`arrives with its pitch: ${protocols}, ${scheme}`, async function () {
      const python = pythonPeer(this, "gi");
      const pitches = (): readonly number[] =>
        [...gst.output().matchAll(/^heard (\d+) Hz$/gm)].map(([, pitch]) => Number(pitch));
      const before = pitches().length;
      const script = join(import.meta.dirname, "../support/gst-talk.py");
      const args = [script, t.rtsp(login, `live/${id}`, scheme), protocols, String(TONE_HZ)];
      const talker = python.start(args, { keepInput: true });
      const { child } = talker;
      try {
        await eventually(() => pitches().length >= before + 4 || child.exitCode !== null);
        child.stdin?.end();
        if (child.exitCode === null) await once(child, "exit");
        expect(talker.output()).to.match(/^speaker PCMU$/m);
        const [, sent, seen] = /sent (\d+) packets, saw (\d+) pictures/.exec(talker.output()) ?? [];
        expect(Number(sent), talker.output()).to.be.greaterThan(90);
        expect(Number(seen), talker.output()).to.be.greaterThan(20);
        // The first half second may begin with silence.
        for (const pitch of pitches().slice(before + 1)) expect(pitch, gst.output()).to.be.closeTo(TONE_HZ, 4);
      } finally {
        child.kill("SIGKILL");
      }
    });
});
