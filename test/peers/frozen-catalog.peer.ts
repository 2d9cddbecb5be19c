import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { isFault } from "../../base/fault.ts";
import { isoOf, unixMillis } from "../../base/units.ts";
import { eventually, type Login, type TestBridge } from "../support/bridge.ts";
import { expectConsecutive, watchFrames } from "../support/frames.ts";
import { AGREEMENT, type FreezableBridge, freezableBridge } from "../support/freezable-bridge.ts";
import { type Peer, peer } from "../support/peer.ts";

for (const hasOther of [true, false])
  describe(`a bridge of which the disk of the catalog is frozen, ${hasOther ? "with another one to record to" : "which is the only one"}`, () => {
    let ffmpeg: Peer;
    let site: FreezableBridge;
    let t: TestBridge;
    let login: Login;
    let gate: string;

    before(async function () {
      ffmpeg = peer(this, "ffmpeg");
      const volumes = hasOther ? ["other"] : [];
      site = await freezableBridge(this, { frozen: "recordings", volumes, segmentSeconds: 10 });
      ({ t } = site);
      login = await t.account();
      gate = await t.adopt(await t.camera({ name: "Gate" }));
    });
    after(() => site?.close());

    const sealed = async (): Promise<number> =>
      (await readdir(join(site.folder, "other"), { recursive: true })).filter((name) => name.endsWith(".mp4")).length;
    const ever = [unixMillis(0), unixMillis(Number.MAX_SAFE_INTEGER / 2000)] as const;

    it("tells it, goes on live, refuses to play and to search, and loses nothing until it answers", async () => {
      const { archive } = t.bridge.parts;
      const extent = async (): Promise<number> => {
        const found = await archive.source(gate).extent();
        return found === undefined ? 0 : found.to - found.from;
      };
      await eventually(async () => (await extent()) > 8000);
      const from = (await archive.source(gate).extent())?.from ?? unixMillis(0);
      // From before until it has hung for a while.
      const live = watchFrames(ffmpeg, t.rtsp(login, `live/${gate}`), ["-frames:v", "200"]);
      site.disk.freeze();
      await eventually(() => archive.troubles.words !== undefined);
      await eventually(() => archive.troubles.words?.startsWith("the catalog in ") === true);
      expect((await archive.volumes()).map(({ name, state }) => [name, state])).to.deep.include(["main", "failing"]);
      const refused = await archive.spans(gate, ...ever).catch((error: unknown) => error);
      expect(isFault(refused, "unavailable") && refused.tell).to.equal(
        "the catalog of recordings gives no answer: its disk hangs",
      );
      const url = t.rtsp(login, `recorded/${gate}?at=${isoOf(from)}&for=4s`);
      const { code, stderr } = await ffmpeg.run([
        "-v",
        "warning",
        "-rtsp_transport",
        "tcp",
        "-i",
        url,
        "-f",
        "null",
        "-",
      ]);
      expect(code).to.not.equal(0);
      expect(stderr).to.match(/503|Service Unavailable/);
      if (hasOther) {
        const before = await sealed();
        await eventually(async () => (await sealed()) >= before + 1);
      }
      expectConsecutive(await live, 200);
      site.disk.thaw();
      await eventually(() => archive.troubles.words === undefined);
      const frames = await watchFrames(ffmpeg, url, []);
      expectConsecutive(frames, 50);
      await t.bridge.parts.discovery.setRecording(gate, "main", { mode: "off" });
      // Before it was recorded at all, the camera was not connected.
      const gaps = (await archive.gaps(gate, from, ever[1])).filter(({ cause, to }) => cause !== "off" && to !== from);
      expect(gaps).to.deep.equal([]);
      expect(await archive.spans(gate, ...ever)).to.have.length(1);
      await t.bridge.parts.discovery.setRecording(gate, "main", { mode: "continuous" });
      await t.bridge.close();
      expect(await site.check()).to.deep.equal(AGREEMENT);
    });

    it("ends when it is stopped meanwhile, and the next start enters what was recorded until then, as check says", async () => {
      const served = await site.serve();
      site.disk.freeze();
      await eventually(() => `${served.out()}${served.err()}`.includes("gives no answer"));
      const before = await sealed();
      // Of the second, not even the beginning can be entered.
      if (hasOther) await eventually(async () => (await sealed()) >= before + 2);
      await site.endFrozen(served);
      const { code, out } = await site.check();
      if (!hasOther) expect({ code, out, err: "" }).to.deep.equal(AGREEMENT);
      else
        for (const line of out.trim().split("\n"))
          expect(line).to.match(/^other: .*\.mp4: is not in the catalog: the next start enters it$/);
      await (await site.serve()).stop();
      expect(await site.check()).to.deep.equal(AGREEMENT);
    });
  });
