import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { GST_LOGIN, type GstCamera, startGstCamera } from "../support/gst-camera.ts";
import { pythonPeer } from "../support/peer.ts";

/** How far from a tone the camera may hear it: what is lost shifts the rest. */
const OFF_HZ = 4;
/** Half seconds that have to be heard. */
const ENOUGH = 4;

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

  // One may talk at a time, and who has ended is gone a moment later.
  afterEach(() => eventually(() => t.bridge.parts.rtspSessions(login.name) === 0));

  // Each another tone, for the end of the one before may still be on its way.
  for (const [protocols, scheme, toneHz] of [
    ["tcp", "rtsp", 440],
    ["udp", "rtsp", 520],
    ["tcp", "rtsps", 600],
  ] as const)
    it(`arrives with its pitch: ${protocols}, ${scheme}`, async function () {
      const python = pythonPeer(this, "gi");
      /** What was heard from the tone on, in half seconds. */
      const heard = (): readonly number[] => {
        const pitches = [...gst.output().matchAll(/^heard (\d+) Hz$/gm)].map(([, pitch]) => Number(pitch));
        const first = pitches.findIndex((pitch) => Math.abs(pitch - toneHz) <= OFF_HZ);
        return first < 0 ? [] : pitches.slice(first);
      };
      const script = join(import.meta.dirname, "../support/gst-talk.py");
      const args = [script, t.rtsp(login, `live/${id}`, scheme), protocols, String(toneHz)];
      const talker = python.start(args, { keepInput: true });
      const { child } = talker;
      try {
        const ended = once(child, "close");
        const says = (word: string): boolean => talker.output().split("\n").includes(word);
        await eventually(
          () =>
            (says("watching") && says("talking") && heard().length >= ENOUGH) ||
            /^failed:/m.test(talker.output()) ||
            child.exitCode !== null,
        );
        child.stdin?.end();
        await ended;
        for (const words of ["speaker PCMU", "watching", "talking"])
          expect(says(words), `${words}: ${talker.output()}`).to.equal(true);
        expect(heard()).to.have.length.at.least(ENOUGH);
        for (const pitch of heard()) expect(pitch, gst.output()).to.be.closeTo(toneHz, OFF_HZ);
      } finally {
        child.kill("SIGKILL");
      }
    });
});
