import { expect } from "chai";
import { RTSP_QUIRKS } from "../../rtsp/client/known-quirks.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";

describe("what a camera does wrong, at a bridge", () => {
  let t: TestBridge;
  let login: Login;
  before(async () => {
    t = await startTestBridge();
    login = await t.account();
  });
  after(() => t?.close());

  const names = (id: string): readonly string[] => t.cameraOf(login, id).info.quirks.map(({ name }) => name);

  it("is told with the camera, in words, each fault once", async () => {
    const shown = ["changing-session", "early-marker", "no-sprop", "wrong-reports"] as const;
    const id = await t.adopt(await t.camera({ audio: true, quirks: [...shown, "needs-range"] }));
    await eventually(() => names(id).length >= shown.length);
    expect([...names(id)].sort((a, b) => a.localeCompare(b))).to.deep.equal(shown);
    const { does, copes } = RTSP_QUIRKS["changing-session"];
    expect(t.cameraOf(login, id).info.quirks).to.deep.include({ name: "changing-session", does, copes });
  });

  it("stays with the recording, as the quality of its time; a camera with a right clock has its own", async () => {
    const ids = [await t.adopt(await t.camera({ quirks: ["wrong-reports"] })), await t.adopt(await t.camera())];
    const qualities: string[] = [];
    for (const id of ids) {
      const { recorded } = t.cameraOf(login, id);
      await eventually(async () => (await recorded.extent()) !== undefined);
      const extent = await recorded.extent();
      const stop = new AbortController();
      for await (const group of recorded.read({ from: extent?.from ?? nothing() }, stop.signal)) {
        qualities.push(group.quality);
        break;
      }
    }
    expect(qualities).to.deep.equal(["arrival", "camera"]);
  });

  it("is nothing where there is nothing", async () => {
    const id = await t.adopt(await t.camera({ audio: true }));
    await eventually(async () => (await t.cameraOf(login, id).recorded.extent()) !== undefined);
    expect(names(id)).to.deep.equal([]);
  });
});

function nothing(): never {
  throw new Error("nothing was recorded");
}
