import { expect } from "chai";
import { isoOf } from "../../base/units.ts";
import type { VolumeStatus } from "../../recorder/volume.ts";
import { eventually, type Login, type TestBridge } from "../support/bridge.ts";
import { expectConsecutive, watchFrames } from "../support/frames.ts";
import { AGREEMENT, type FreezableBridge, freezableBridge } from "../support/freezable-bridge.ts";
import { type Peer, peer } from "../support/peer.ts";

describe("a bridge of which one disk is frozen", () => {
  let ffmpeg: Peer;
  let site: FreezableBridge;
  let t: TestBridge;
  let login: Login;
  let gate: string;
  let yard: string;

  before(async function () {
    ffmpeg = peer(this, "ffmpeg");
    site = await freezableBridge(this, { frozen: "fast", volumes: ["fast", "other"] });
    ({ t } = site);
    login = await t.account();
    const adopt = async (name: string, volume: string): Promise<string> => {
      const id = await t.adopt(await t.camera({ name }));
      await t.bridge.parts.discovery.setRecording(id, "main", { mode: "continuous", volume });
      return id;
    };
    gate = await adopt("Gate", "fast");
    yard = await adopt("Yard", "other");
  });
  after(() => site?.close());

  /** What it finds at last. */
  async function until<T>(find: () => Promise<T | undefined>): Promise<T> {
    let found: T | undefined;
    await eventually(async () => {
      found = await find();
      return found !== undefined;
    });
    return found as T;
  }
  const volume = async (name: string): Promise<VolumeStatus | undefined> =>
    (await t.bridge.parts.archive.volumes()).find((one) => one.name === name);

  it("tells it, records all elsewhere, and ffmpeg plays the other camera, live and recorded", async () => {
    const { archive } = t.bridge.parts;
    await eventually(async () => (await volume("fast"))?.streams === 1 && (await volume("other"))?.streams === 1);
    const extent = await until(async () => {
      const found = await archive.source(yard).extent();
      return found !== undefined && found.to - found.from > 8000 ? found : undefined;
    });
    site.disk.freeze();
    await eventually(() => archive.troubles.words?.endsWith("gives no answer") === true);
    expect((await volume("fast"))?.state).to.equal("failing");
    await eventually(async () => (await volume("other"))?.streams === 2);
    expectConsecutive(await watchFrames(ffmpeg, t.rtsp(login, `live/${yard}`), ["-frames:v", "30"]), 30);
    const url = t.rtsp(login, `recorded/${yard}?at=${isoOf(extent.from)}&for=6s`);
    expectConsecutive(await watchFrames(ffmpeg, url, []), 80);
    // What is on it can be read all the same.
    expect((await watchFrames(ffmpeg, t.rtsp(login, `recorded/${gate}?at=-2s`), ["-frames:v", "15"])).length).to.equal(
      15,
    );
  });

  it("takes it back when it answers, with what was on it", async () => {
    site.disk.thaw();
    await eventually(async () => (await volume("fast"))?.state === "here");
    await eventually(async () => (await volume("fast"))?.streams === 1);
    await t.bridge.close();
    expect(await site.check()).to.deep.equal(AGREEMENT);
  });

  it("closes all but it when it is to end, and ends when the kernel lets it", async () => {
    const served = await site.serve();
    site.disk.freeze();
    await eventually(() => `${served.out()}${served.err()}`.includes("gives no answer"));
    await site.endFrozen(served);
    expect(await site.check()).to.deep.equal(AGREEMENT);
  });
});
