import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { asFault, type Fault } from "../../base/fault.ts";
import { lockFolder } from "../../base/lock.ts";
import { silentLog } from "../../base/log.ts";
import { type Bridge, type BridgeOptions, startBridge } from "../../bridge/bridge.ts";
import { openDataFolder } from "../../bridge/data-folder.ts";
import { settingsSchema } from "../../bridge/settings.ts";
import { Catalog } from "../../recorder/catalog.ts";
import { check } from "../../recorder/check.ts";
import { diskFiles } from "../../recorder/files.ts";
import { eventually, freeTcpPort, startTestBridge } from "../support/bridge.ts";
import { oneVolume } from "../support/one-volume.ts";
import { RtspsClient } from "../support/rtsps-client.ts";
import { WebClient } from "../support/web-client.ts";

const DOORS = ["web", "onvifHttp", "rtsps", "rtsp"] as const;
type Ports = Readonly<Record<(typeof DOORS)[number], number>>;
const ANY: Ports = { web: 0, onvifHttp: 0, rtsps: 0, rtsp: 0 };

/** Resolves with whether somebody listens there. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function occupied(): Promise<Server & { readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(server, { port: (server.address() as { port: number }).port });
}

async function freePorts(): Promise<Ports> {
  const ports = await Promise.all(DOORS.map(() => freeTcpPort()));
  return Object.fromEntries(DOORS.map((door, index) => [door, ports[index] ?? 0])) as Ports;
}

describe("the life of a bridge", () => {
  let folder = "";
  let bridge: Bridge | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-bridge-"));
  });
  afterEach(async () => {
    await bridge?.close();
    bridge = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (ports: Ports, more: Partial<BridgeOptions> = {}): Promise<Bridge> => {
    bridge = await startBridge({
      settings: settingsSchema.parse({
        dataFolder: folder,
        cameraSide: { interfaces: ["127.8.8.0/24"] },
        clientSide: {
          addresses: ["127.0.0.1"],
          web: { port: ports.web },
          rtsps: { port: ports.rtsps },
          rtsp: { enabled: true, port: ports.rtsp },
          onvifHttp: { enabled: true, port: ports.onvifHttp },
        },
      }),
      version: "0.0.0-test",
      clock: systemClock,
      log: silentLog(),
      ...more,
    });
    return bridge;
  };
  const failure = async (starting: Promise<unknown>): Promise<Fault> => {
    const thrown: unknown = await starting.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(thrown).to.be.instanceOf(Error);
    return asFault(thrown);
  };

  it("opens no door while parts are still being made, and all of them at its end", async () => {
    const ports = await freePorts();
    let early: Promise<readonly boolean[]> | undefined;
    await start(ports, {
      web: () => {
        early = Promise.all(DOORS.map((door) => listens(ports[door])));
        return { handle: (_request, response) => void response.end() };
      },
    });
    expect(await Promise.all(DOORS.map((door) => listens(ports[door])))).to.deep.equal([true, true, true, true]);
    expect(await early).to.deep.equal([false, false, false, false]);
  });

  for (const door of DOORS)
    it(`does not start where the port of ${door} is taken, says which, and leaves nothing behind`, async () => {
      const other = await occupied();
      try {
        const ports = { ...(await freePorts()), [door]: other.port };
        const fault = await failure(start(ports));
        expect(fault.kind).to.equal("unavailable");
        expect(fault.tell).to.match(new RegExp(`^cannot listen on 127\\.0\\.0\\.1 port ${other.port}: .*EADDRINUSE`));
        const mine = DOORS.filter((one) => one !== door);
        expect(await Promise.all(mine.map((one) => listens(ports[one])))).to.deep.equal([false, false, false]);
        await lockFolder(folder).close();
      } finally {
        other.close();
      }
      await start(ANY);
    });

  it("does not start on a data folder that another one has, and says what to do", async () => {
    await start(ANY);
    const ports = await freePorts();
    const first = bridge;
    try {
      const fault = await failure(start(ports));
      expect(fault.kind).to.equal("busy");
      expect(fault.tell).to.equal(
        `another Viaduct process is using ${folder}: stop it first, or choose another data folder`,
      );
      expect(await Promise.all(DOORS.map((door) => listens(ports[door])))).to.deep.equal([false, false, false, false]);
    } finally {
      bridge = first;
    }
  });

  it("closes once, however often it is asked, and every call waits for the end", async () => {
    const one = await start(ANY);
    const { https, rtsps } = one.parts.addresses().doors;
    const first = one.close();
    await one.close();
    // The second call, too, came back when everything had been let go.
    await lockFolder(folder).close();
    await first;
    await one.close();
    expect([await listens(https), await listens(rtsps)]).to.deep.equal([false, false]);
    bridge = undefined;
    await start(ANY);
  });
});

describe("a bridge at work", () => {
  it("counts what it does, and when it is closed seals what it records and ends players and pages", async () => {
    const t = await startTestBridge();
    try {
      const id = await t.adopt(await t.camera());
      const { doors } = t.bridge.parts.addresses();
      const login = await t.account();
      const player = await RtspsClient.open(doors.rtsps);
      expect((await player.play(`rtsps://127.0.0.1:${doors.rtsps}/live/${id}`, login)).status).to.equal(200);
      await eventually(() => player.packets > 20);

      const admin = new WebClient(doors.https);
      const token = t.bridge.parts.accounts.setUpToken()?.reveal();
      await admin.send("POST", "/api/setup", { body: { token, name: "admin", password: "correct horse battery" } });
      const page = await admin.openFeed(`/api/live/${id}`);
      await eventually(() => page.messages.length > 5);
      const { recorded } = t.cameras(login)[0] ?? {};
      await eventually(async () => (await recorded?.extent()) !== undefined);

      await admin.send("POST", "/onvif/device_service", { headers: { "content-type": "application/soap+xml" } });
      const { text } = await admin.send("GET", "/metrics");
      for (const line of [
        "viaduct_ready 1",
        "viaduct_cameras 1",
        "viaduct_cameras_online 1",
        "viaduct_rtsp_connections 1",
        "viaduct_rtsp_sessions 1",
        "viaduct_rtsp_dropped_groups_total 0",
      ])
        expect(text.split("\n")).to.include(line);
      expect(text).to.match(/^viaduct_recorder_bytes_total\{event="written"\} [1-9]/m);
      expect(text).to.match(/^viaduct_recorder_fragments_total\{.*\} /m);
      expect(text).to.match(/^viaduct_onvif_requests_total\{.*\} 1$/m);

      await t.bridge.close();
      await Promise.all([player.closed, page.closed]);
      const recordings = join(t.folder, "recordings");
      const catalog = await Catalog.open(join(recordings, "catalog.db"));
      const folder = await openDataFolder(t.folder);
      try {
        expect(await catalog.opened()).to.deep.equal([]);
        expect(await catalog.volumes.totals()).to.have.length(1);
        const findings = check({
          volumes: oneVolume(recordings, catalog),
          files: diskFiles,
          catalog,
          verify: true,
          keys: folder.keys,
        });
        expect(await Array.fromAsync(findings)).to.deep.equal([]);
      } finally {
        await catalog.close();
        await folder.close();
      }
    } finally {
      await t.close();
    }
  });
});
