import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { MINUTE } from "../../base/units.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { RtspViewer } from "../support/rtsp-viewer.ts";

describe("the end of what was watched, in the audit log", () => {
  let t: TestBridge;
  let id = "";
  let login: Login;

  before(async () => {
    t = await startTestBridge();
    id = await t.adopt(await t.camera({ width: 320, height: 180 }));
    login = await t.account();
    await t.cameras(login)[0]?.streams[0].live.ready(MINUTE);
  });
  after(() => t?.close());

  const ends = async (action: string): Promise<readonly Record<string, unknown>[]> =>
    (await readFile(join(t.folder, "audit.log"), "utf8"))
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((entry) => entry["action"] === action);

  for (const [kind, action] of [
    ["live", "live-end"],
    ["recorded", "playback-end"],
  ] as const)
    it(`tells of ${kind} video who, for how long, how much, and of which stretch`, async () => {
      const viewer = await RtspViewer.connect(t, login, "TCP");
      const path = `/${kind}/${id}`;
      // Recorded footage may be a second away.
      await eventually(async () => (await viewer.ask("DESCRIBE", path)).status === 200);
      expect((await viewer.setUp(path)).status).to.equal(200);
      await eventually(async () => (await viewer.ask("PLAY", path)).status === 200);
      await eventually(() => viewer.client.packets.length >= 5);
      expect(await ends(action)).to.deep.equal([]);
      expect((await viewer.ask("TEARDOWN", path)).status).to.equal(200);
      viewer.client.socket.destroy();
      await eventually(async () => (await ends(action)).length > 0);
      const [end] = await ends(action);
      expect(end).to.include({ who: login.name, camera: id, interface: "rtsp", outcome: "allowed" });
      expect(end?.["address"]).to.equal("127.0.0.1");
      expect(end?.["bytes"]).to.be.greaterThan(500);
      expect(end?.["seconds"]).to.be.at.least(0);
      expect(Date.parse(String(end?.["from"]))).to.be.at.most(Date.parse(String(end?.["to"])));
    });
});
