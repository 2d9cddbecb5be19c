import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { HOUR, SECOND } from "../../base/units.ts";
import type { CameraInfo, Connection, TransportSetting } from "../../bridge/camera.ts";
import { Ingest } from "../../bridge/camera-side/ingest.ts";
import { transportsFor } from "../../bridge/camera-side/transport.ts";
import { Hub } from "../../media/hub.ts";
import { cameraSide } from "../../net/sides.ts";
import type { UpstreamTransport } from "../../rtsp/wire/transport.ts";
import { startSimCamera } from "../../sim/camera.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import type { Quirk } from "../../sim/quirks.ts";
import { Numbers } from "../hostile/pulled.ts";
import { type Asked, answer, FakeCamera, framed, VIDEO_SDP } from "../rtsp/client/fake-camera.ts";
import { CAMERA_LOGIN, eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("the order of transports", () => {
  const rows: readonly (readonly [...Parameters<typeof transportsFor>, order: string])[] = [
    ["auto", undefined, false, "tcp,udp,http"],
    ["auto", "tcp", false, "tcp,udp,http"],
    ["auto", "udp", false, "udp,tcp,http"],
    ["auto", "http", false, "http,tcp,udp"],
    ["auto", "multicast", false, "tcp,udp,http"],
    ["auto", "udp", true, "tcp,http"],
    ["auto", "http", true, "http,tcp"],
    ["tcp", "udp", false, "tcp"],
    ["udp", "tcp", false, "udp"],
    ["udp", undefined, true, "udp"],
    ["http", "tcp", false, "http"],
    ["multicast", "tcp", false, "multicast"],
  ];
  for (const [setting, worked, secure, order] of rows)
    it(`is ${order} where ${setting} is set and ${worked ?? "nothing"} worked${secure ? ", over TLS" : ""}`, () => {
      expect(transportsFor(setting, worked, secure).join()).to.equal(order);
    });
});

describe("an ingest", () => {
  const isUdp = (one: Asked): boolean => one.header("transport")?.includes("client_port") === true;
  const refusingTcp = (one: Asked): string =>
    isUdp(one)
      ? answer(one, [`Transport: ${one.header("transport")};server_port=6970-6971`, "Session: 1"])
      : answer(one, [], "", "461 Unsupported Transport");
  /** Newest last. */
  let states: Connection["state"][];
  const ingestOf = ({ url }: FakeCamera, hub: Hub, clock: VirtualClock): Ingest =>
    new Ingest({
      url,
      credentials: undefined,
      tls: undefined,
      side: cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] }),
      hub,
      clock,
      log: silentLog(),
      onLost: () => undefined,
      onConnection: ({ state }) => states.push(state),
    });
  beforeEach(() => {
    states = [];
  });

  it("begins with what was not refused when it comes again, though that failed for a reason of its own", async () => {
    const clock = new VirtualClock();
    const camera = await FakeCamera.start({
      DESCRIBE: (one) =>
        one.connection === 1 ? answer(one, [], "", "503 Service Unavailable") : answer(one, [], VIDEO_SDP),
      SETUP: refusingTcp,
    });
    const ingest = ingestOf(camera, new Hub({ clock, log: silentLog() }), clock);
    try {
      ingest.start();
      await eventually(() => states.at(-1) === "offline" && camera.connections === 2);
      await clock.advance(5000);
      await eventually(() => camera.asked.some(({ method }) => method === "PLAY"));
      const setups = camera.asked.filter(({ method }) => method === "SETUP");
      expect(setups.map((one) => [one.connection, isUdp(one)])).to.deep.equal([
        [0, false],
        [2, true],
      ]);
    } finally {
      await ingest.stop();
      await camera.close();
    }
  });

  it("is not there before packets come: a camera that says that it plays, and sends nothing, is away all the time", async () => {
    const clock = new VirtualClock();
    const camera = await FakeCamera.start();
    const ingest = ingestOf(camera, new Hub({ clock, log: silentLog() }), clock);
    const plays = (): number => camera.methods.filter((method) => method === "PLAY").length;
    // Time stands still while it is being asked.
    const next = async (stepMs: number): Promise<void> => {
      if (["PLAY", "TEARDOWN"].includes(camera.methods.at(-1) ?? "")) await clock.advance(stepMs);
    };
    try {
      ingest.start();
      await eventually(async () => {
        await next(SECOND);
        return plays() > 2 && states.at(-1) === "offline";
      });
      expect(states).not.to.include("online");
      await eventually(async () => {
        if (camera.methods.at(-1) === "PLAY") camera.send(framed(0, new Numbers().packet(Buffer.from([0x65]))));
        else await next(SECOND);
        return states.at(-1) === "online";
      });
    } finally {
      await ingest.stop();
      await camera.close();
    }
  });

  it("is there as soon as it plays where it sends events alone, which may be long in coming", async () => {
    const clock = new VirtualClock();
    const metadata = VIDEO_SDP.replace("m=video", "m=application").replace("H264/", "vnd.onvif.metadata/");
    const camera = await FakeCamera.start({
      DESCRIBE: (one) => answer(one, ["Content-Type: application/sdp"], metadata),
    });
    const ingest = ingestOf(camera, new Hub({ clock, log: silentLog() }), clock);
    try {
      ingest.start();
      await eventually(() => states.length > 1);
      camera.send(framed(0, new Numbers().packet(Buffer.from("<x/>"))));
      await eventually(() => ingest.transport === "tcp");
      await ingest.stop();
      expect(states).to.deep.equal(["connecting", "online", "idle"]);
    } finally {
      await ingest.stop();
      await camera.close();
    }
  });

  it("takes no attempt that was long in vain for a sign of health: who waits is told, and the camera is left alone for longer", async () => {
    const clock = new VirtualClock();
    const hub = new Hub({ clock, log: silentLog() });
    const slow = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"];
    const camera = await FakeCamera.start(Object.fromEntries(slow.map((method) => [method, () => undefined])));
    const ingest = ingestOf(camera, hub, clock);
    let told: Fault | undefined;
    hub.ready(HOUR).catch((fault: unknown) => {
      told = asFault(fault);
    });
    try {
      ingest.start();
      for (let attempt = 1; attempt <= 2; attempt += 1) {
        for (const method of slow) {
          const asked = (): readonly Asked[] => camera.asked.filter((one) => one.method === method);
          await eventually(() => asked().length === attempt);
          await clock.advance(9 * SECOND);
          const one = asked().at(-1) as Asked;
          if (method === "SETUP") camera.send(answer(one, [`Transport: ${one.header("transport")}`, "Session: 1"]));
          else if (method !== "PLAY") camera.send(answer(one, [], method === "DESCRIBE" ? VIDEO_SDP : ""));
          else camera.hangUp();
        }
        await eventually(() => states.filter((state) => state === "offline").length === attempt);
        if (attempt === 1) await clock.advance(SECOND);
      }
      expect(told).to.include({ kind: "unavailable" });
    } finally {
      hub.giveUp(new Fault("unavailable", "the test is over"));
      await ingest.stop();
      await camera.close();
    }
  });
});

describe("the bridge", () => {
  let t: TestBridge;
  let folder: string;
  let camera: SimCamera;
  let id: string;

  const start = async (
    quirks: readonly Quirk[],
    o: { readonly sends?: readonly UpstreamTransport[]; readonly asked?: TransportSetting } = {},
  ): Promise<void> => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-transport-"));
    t = await startTestBridge({ folder });
    camera = await startSimCamera({
      name: "Gate",
      address: t.cameraAddress(),
      httpPort: 0,
      rtspPort: 0,
      user: CAMERA_LOGIN.user,
      password: CAMERA_LOGIN.password.reveal(),
      quirks,
      ...(o.sends && { transports: o.sends }),
      clock: systemClock,
      log: silentLog(),
    });
    const adopted = await t.bridge.parts.discovery.adopt(
      { rtsp: camera.rtspUrl },
      { credentials: CAMERA_LOGIN, plainText: true, ...(o.asked && { transport: o.asked }) },
    );
    ({ id } = adopted);
  };
  const info = async (): Promise<CameraInfo> => t.cameraOf(await login, id).info;
  let login: ReturnType<TestBridge["account"]>;

  afterEach(async () => {
    await t.close();
    await camera.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** [what is set, what the camera sends by, what it is pulled by]. */
  const rows: readonly (readonly [TransportSetting, sends: readonly UpstreamTransport[], UpstreamTransport])[] = [
    ["auto", ["tcp", "udp", "http", "multicast"], "tcp"],
    ["auto", ["udp", "http", "multicast"], "udp"],
    ["auto", ["http", "multicast"], "http"],
    ["udp", ["tcp", "udp", "http", "multicast"], "udp"],
    ["http", ["tcp", "udp", "http", "multicast"], "http"],
    ["multicast", ["tcp", "udp", "http", "multicast"], "multicast"],
  ];
  for (const [asked, sends, used] of rows)
    it(`pulls by ${used} what a camera sends by ${sends.join(", ")}, where ${asked} is set when it is adopted`, async () => {
      await start([], { sends, asked });
      login = t.account();
      await eventually(async () => (await info()).streams[0].transport !== undefined);
      expect((await info()).streams[0].transport).to.equal(used);
      expect((await info()).transport).to.equal(asked);
    });

  it("never chooses multicast by itself, and says of a camera that has nothing else that it refuses the rest", async () => {
    await start([], { sends: ["multicast"] });
    login = t.account();
    await eventually(async () => {
      const { connection } = await info();
      return connection.state === "offline" && /does not send over/.test(connection.why);
    });
    await t.bridge.parts.discovery.setTransport(id, "multicast");
    await eventually(async () => (await info()).streams[0].transport === "multicast");
  });

  it("remembers that a camera sends over UDP alone, and asks for that first after a restart", async () => {
    await start(["udp-only"]);
    login = t.account();
    await eventually(async () => (await info()).streams[0].transport === "udp");
    expect((await info()).transport).to.equal("auto");
    await t.close();
    const before = camera.connections;
    t = await startTestBridge({ folder, network: new URL(camera.rtspUrl).hostname.replace(/\.\d+$/, "") });
    login = t.account();
    await eventually(async () => (await info()).connection.state === "online");
    expect(camera.connections - before).to.equal(1);
    expect((await info()).streams[0].transport).to.equal("udp");
  });

  it("asks another way at once when that is set", async () => {
    await start([]);
    login = t.account();
    await eventually(async () => (await info()).streams[0].transport === "tcp");
    await t.bridge.parts.discovery.setTransport(id, "udp");
    await eventually(async () => (await info()).streams[0].transport === "udp");
    expect((await info()).transport).to.equal("udp");
  });

  it("says in words that a camera does not send the one way that is set", async () => {
    await start(["udp-only"]);
    login = t.account();
    await t.bridge.parts.discovery.setTransport(id, "tcp");
    await eventually(async () => {
      const { connection } = await info();
      return connection.state === "offline" && /does not send over TCP/.test(connection.why);
    });
  });
});
