import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { StreamInfo } from "../../bridge/camera.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { RtspsClient } from "../support/rtsps-client.ts";

describe("the streams of a camera", () => {
  let folder: string;
  let t: TestBridge;
  let camera: SimCamera;
  let id: string;
  let login: Login;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-streams-"));
    t = await startTestBridge({ folder, lingerSeconds: 0.5 });
    camera = await t.camera({ name: "Gate" });
    id = await t.adopt(camera);
    login = await t.account();
  });
  afterEach(async () => {
    await t.close();
    // It outlives a bridge that is started again.
    await camera.close();
    await rm(folder, { recursive: true, force: true });
  });

  const info = (name: string): StreamInfo => {
    const found = t.cameras(login)[0]?.info.streams.find((stream) => stream.name === name);
    if (found === undefined) throw new Error(`no stream ${name}`);
    return found;
  };
  const idle = (): Promise<void> =>
    eventually(() => info("sub").connection.state === "idle" && info("sub").tracks.length > 0);
  const play = async (path: string): Promise<{ readonly status: number; readonly client: RtspsClient }> => {
    const { rtsps } = t.bridge.parts.addresses().doors;
    const client = await RtspsClient.open(rtsps);
    const { status } = await client.play(`rtsps://127.0.0.1:${rtsps}/${path}`, login);
    return { status, client };
  };

  it("are all adopted; the sub-stream is looked at once, and left alone when nobody watches", async () => {
    await eventually(() => info("sub").tracks.length > 0);
    expect(info("main").pulling).to.equal("always");
    expect(info("sub").pulling).to.equal("on-demand");
    await idle();
    await eventually(() => camera.sessions === 1);
  });

  it("are pulled once for all who watch, and the sub-stream until nobody does", async () => {
    await idle();
    const before = camera.connections;
    const players = await Promise.all([1, 2, 3].map(() => play(`live/${id}/sub`)));
    expect(players.map(({ status }) => status)).to.deep.equal([200, 200, 200]);
    await eventually(() => players.every(({ client }) => client.packets > 20));
    expect(camera.sessions).to.equal(2);
    expect(camera.connections - before).to.equal(1);
    for (const { client } of players) client.close();
    await idle();
    await eventually(() => camera.sessions === 1);
  });

  it("are described from memory, after a restart too, without a word to the camera", async () => {
    await idle();
    await t.close();
    const before = camera.connections;
    t = await startTestBridge({
      folder,
      lingerSeconds: 0.5,
      network: new URL(camera.rtspUrl).hostname.replace(/\.\d+$/, ""),
    });
    login = await t.account();
    expect(info("sub").tracks.map(({ encoding }) => encoding)).to.deep.equal(["H264"]);
    await camera.resume();
    await eventually(() => info("main").connection.state === "online");
    const connections = camera.connections - before;
    const { rtsps } = t.bridge.parts.addresses().doors;
    const client = await RtspsClient.open(rtsps);
    const basic = Buffer.from(`${login.name}:${login.secret}`).toString("base64");
    const described = await client.ask("DESCRIBE", `rtsps://127.0.0.1:${rtsps}/live/${id}/sub`, [
      `Authorization: Basic ${basic}`,
    ]);
    client.close();
    expect(described.status).to.equal(200);
    expect(described.body.toString()).to.include("H264/90000");
    expect(camera.connections - before).to.equal(connections);
    expect(info("sub").connection.state).to.equal("idle");
  });

  it("end a PLAY with 503 where the camera is gone, and begin when it is back", async () => {
    await idle();
    await camera.pause();
    const { status, client } = await play(`live/${id}/sub`);
    client.close();
    expect(status).to.equal(503);
    await camera.resume();
    await eventually(async () => {
      const again = await play(`live/${id}/sub`);
      again.client.close();
      return again.status === 200;
    });
  });

  it("are pulled and recorded as it is set, from then on", async () => {
    const { discovery } = t.bridge.parts;
    await eventually(() => info("main").recording.state === "recording");
    await discovery.setPulling(id, "main", "on-demand");
    await discovery.setPulling(id, "sub", "always");
    expect(info("main").connection.state).to.equal("online");
    await discovery.setRecording(id, "main", { mode: "off" });
    await eventually(() => info("main").connection.state === "idle");
    await eventually(() => info("main").recording.state === "off");
    expect(t.cameras(login)[0]?.info.recording).to.equal(false);
    expect(info("sub").connection.state).to.equal("online");
    await discovery.setRecording(id, "main", { mode: "continuous" });
    await discovery.setRecording(id, "sub", { mode: "continuous" });
    await eventually(() => ["main", "sub"].every((name) => info(name).recording.state === "recording"));
    expect(info("main").pulling).to.equal("on-demand");
  });

  it("that are none are not there to be played, described or set", async () => {
    expect((await play(`live/${id}/other`)).status).to.equal(404);
    expect((await play(`recorded/${id}/sub`)).status).to.equal(404);
    const fault = await t.bridge.parts.discovery.setPulling(id, "other", "always").catch((error: unknown) => error);
    expect(fault).to.include({ kind: "not-found" });
  });
});
