import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { MINUTE } from "../../base/units.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { isQuirk, QUIRKS } from "../../sim/quirks.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { beginningOf, startCamera } from "./fixture.ts";
import { exchange } from "./raw.ts";

describe("a simulated camera's life", () => {
  let camera: SimCamera;
  beforeEach(async () => {
    camera = await startCamera();
  });
  afterEach(() => camera.close());

  it("goes off the network and comes back at the same addresses", async () => {
    const { deviceUrl, rtspUrl } = camera;
    await beginningOf(new URL(rtspUrl), 2);
    await camera.pause();
    const fault = await beginningOf(new URL(rtspUrl), 2).catch((error: unknown) => error);
    expect(fault).to.include({ kind: "unavailable" });
    await camera.resume();
    expect(camera).to.include({ deviceUrl, rtspUrl });
    expect((await beginningOf(new URL(rtspUrl), 2)).nalTypes).to.include(5);
  });

  it("breaks running sessions when it goes, and counts them and its connections", async () => {
    expect(camera).to.include({ connections: 0, sessions: 0 });
    const running = beginningOf(new URL(camera.rtspUrl), Number.POSITIVE_INFINITY).catch((error: unknown) => error);
    while (camera.sessions === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(camera).to.include({ connections: 1, sessions: 1 });
    await camera.pause();
    expect(await running).to.include({ kind: "unavailable" });
    expect(camera).to.include({ connections: 1, sessions: 0 });
  });

  it("sends garbage that no client can take", async () => {
    const running = beginningOf(new URL(camera.rtspUrl), Number.POSITIVE_INFINITY).catch((error: unknown) => error);
    while (camera.sessions === 0) await new Promise((resolve) => setImmediate(resolve));
    camera.sendGarbage();
    expect(await running).to.include({ kind: "invalid" });
  });

  it("describes its new size after a change", async () => {
    const before = await beginningOf(new URL(camera.rtspUrl), 2);
    camera.setResolution(320, 192);
    const after = await beginningOf(new URL(camera.rtspUrl), 2);
    expect(after.fmtp).not.to.equal(before.fmtp);
    expect(() => camera.setResolution(321, 192))
      .to.throw()
      .with.property("kind", "invalid");
  });

  it("draws no picture that its code does not fit into, nor at odd rates", async () => {
    for (const more of [
      { width: 300 },
      { height: 100 },
      { height: 361 },
      { fps: 0 },
      { fps: 2.5 },
      { width: 10_000 },
    ]) {
      const fault = await startCamera(more).catch((error: unknown) => error);
      expect(fault).to.include({ kind: "invalid" }).and.have.property("tell");
    }
  });

  it("does not start at an address that it does not have", async () => {
    const fault = await startCamera({ address: "192.0.2.222" }).catch((error: unknown) => error);
    expect(String(fault)).to.include("EADDRNOTAVAIL");
  });
});

describe("a simulated camera's RTSP", () => {
  let camera: SimCamera;
  let clock: VirtualClock;
  beforeEach(async () => {
    clock = new VirtualClock();
    camera = await startCamera({ audio: true, clock });
  });
  afterEach(() => camera.close());

  const cases: readonly (readonly [what: string, methods: readonly string[], status: number])[] = [
    ["another method", ["RECORD"], 501],
    ["to play what was not set up", ["PLAY"], 454],
    ["to set up a track that does not exist", ["SETUP", "SETUP", "SETUP"], 404],
    ["for a sign of life without a session", ["GET_PARAMETER"], 200],
  ];
  for (const [what, methods, status] of cases)
    it(`answers ${status} when asked ${what}`, async () => {
      const answers = await exchange(camera.rtspUrl, methods);
      expect(/.*RTSP\/1\.0 (\d+)/s.exec(answers)?.[1]).to.equal(String(status));
    });

  it("answers 404 elsewhere, and 401 before anything else", async () => {
    expect(await exchange(`${camera.rtspUrl}x`, ["DESCRIBE"])).to.match(/^RTSP\/1.0 401 .*RTSP\/1.0 404 /s);
  });

  it("hangs up on what is no RTSP", async () => {
    const { hostname, port } = new URL(camera.rtspUrl);
    for (const text of [
      "GET / HTTP/1.1\r\n\r\n",
      "x".repeat(20_000),
      "OPTIONS * RTSP/1.0\r\nContent-Length: 1e9\r\n\r\n",
    ]) {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => undefined);
      socket.resume();
      socket.write(text);
      await once(socket, "close");
    }
  });

  it("hangs up on clients that show no sign of life", async () => {
    const { hostname, port } = new URL(camera.rtspUrl);
    const before = clock.pending;
    const socket = connect(Number(port), hostname);
    socket.resume();
    await once(socket, "connect");
    while (clock.pending === before) await new Promise((resolve) => setImmediate(resolve));
    const closed = once(socket, "close");
    await clock.advance(2 * MINUTE);
    await closed;
  });

  it("leaves no timer behind", async () => {
    await exchange(camera.rtspUrl, ["SETUP", "SETUP"]);
    await camera.close();
    expect(clock.pending).to.equal(0);
  });
});

describe("quirks", () => {
  it("are known by name, each with words and a source", () => {
    for (const [name, { does, source }] of Object.entries(QUIRKS)) {
      expect(isQuirk(name)).to.equal(true);
      expect(does).to.match(/^\S.{10,90}$/);
      expect(source).to.match(/\S/);
    }
    expect(isQuirk("toString")).to.equal(false);
  });
});
