import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { asFault, type Fault } from "../../base/fault.ts";
import { encryptedStreams } from "../../bridge/camera-side/encryption.ts";
import type { AdoptionChoice } from "../../bridge/ports.ts";
import { cameraSide } from "../../net/sides.ts";
import { type Identity, loadIdentity } from "../../net/tls.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { CAMERA_LOGIN, eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { WebClient } from "../support/web-client.ts";

describe("plain text towards cameras", () => {
  let t: TestBridge;
  const folders: string[] = [];

  beforeEach(async () => {
    t = await startTestBridge();
  });
  afterEach(async () => {
    await t.close();
    await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
  });

  const identityFor = async (address: string): Promise<Identity & { readonly file: string }> => {
    const folder = await mkdtemp(join(tmpdir(), "viaduct-camera-tls-"));
    folders.push(folder);
    return { ...(await loadIdentity(folder, [address], systemClock)), file: join(folder, "tls-cert.pem") };
  };
  const secureCamera = async (): Promise<SimCamera & { readonly file: string }> => {
    const address = t.cameraAddress();
    const tls = await identityFor(address);
    return Object.assign(await t.camera({ address, tls }), { file: tls.file });
  };
  const adopt = async (camera: SimCamera, choice: AdoptionChoice = {}): Promise<{ readonly id: string }> => {
    const { discovery } = t.bridge.parts;
    const { hostname } = new URL(camera.deviceUrl);
    await discovery.startScan([hostname]);
    const find = discovery.list().find((one) => one.ip === hostname)?.id ?? "";
    return discovery.adopt({ find }, { credentials: CAMERA_LOGIN, ...choice });
  };
  const refused = async (adopting: Promise<unknown>): Promise<Fault> =>
    adopting.then<never, Fault>(() => expect.fail("adopted"), asFault);
  const online = async (id: string): Promise<void> => {
    const login = await t.account();
    const state = (): string | undefined => t.cameras(login).find(({ info }) => info.id === id)?.info.connection.state;
    await eventually(() => state() === "online");
  };

  it("is not needed for a camera that has HTTPS and RTSPS: its key is remembered", async () => {
    const camera = await secureCamera();
    const { id } = await adopt(camera);
    await online(id);
    expect(new URL(camera.rtspUrl).protocol).to.equal("rtsps:");
  });

  it("is not taken from a camera without TLS: nothing is sent, and the refusal says what to do", async () => {
    const camera = await t.camera();
    const fault = await refused(adopt(camera));
    expect(fault.kind).to.equal("denied");
    expect(fault.tell).to.match(/switch HTTPS on in the camera, or allow plain text for this camera/);
    expect(camera.connections).to.equal(0);
    await online((await adopt(camera, { plainText: true })).id);
  });

  it("is not taken by an address of rtsp: either", async () => {
    const camera = await t.camera();
    const { discovery } = t.bridge.parts;
    const fault = await refused(discovery.adopt({ rtsp: camera.rtspUrl }, { credentials: CAMERA_LOGIN }));
    expect([fault.kind, fault.tell]).to.deep.equal([
      "denied",
      "this address (rtsp:) is one without encryption: use rtsps:, or allow plain text for this camera: everybody on its network can read its pictures then",
    ]);
    expect(camera.connections).to.equal(0);
  });

  for (const transport of ["udp", "multicast"] as const)
    it(`keeps a camera from being asked for ${transport}, at its adoption and later`, async () => {
      const camera = await secureCamera();
      expect((await refused(adopt(camera, { transport }))).tell).to.match(
        /over UDP and multicast pictures are in plain/,
      );
      const { id } = await adopt(camera);
      const { discovery } = t.bridge.parts;
      expect((await refused(discovery.setTransport(id, transport))).kind).to.equal("denied");
      await discovery.setTransport(id, "tcp");
    });

  it("goes into the audit log with who allowed it, where, and for which camera", async () => {
    const { accounts, addresses } = t.bridge.parts;
    const admin = new WebClient(addresses().doors.https);
    const token = accounts.setUpToken()?.reveal();
    await admin.send("POST", "/api/setup", { body: { token, name: "admin", password: "correct horse battery" } });
    const camera = await t.camera();
    const target = { rtsp: camera.rtspUrl };
    const login = { user: CAMERA_LOGIN.user, password: CAMERA_LOGIN.password.reveal() };
    expect((await admin.send("POST", "/api/discovery/adopt", { body: { target, ...login } })).status).to.equal(403);
    const body = { target, ...login, name: "Gate", plainText: true };
    expect((await admin.send("POST", "/api/discovery/adopt", { body })).status).to.equal(201);
    const lines = (await readFile(join(t.folder, "audit.log"), "utf8")).trim().split("\n");
    const last = lines.map((line) => JSON.parse(line) as object).at(-1);
    expect(last).to.include({
      who: "admin",
      action: "adopt-camera",
      camera: "gate",
      interface: "web",
      why: "adopted, plain text allowed",
    });
  });

  it("is no matter for a camera with a certificate of the site's authority, and another one is refused in words", async () => {
    const [known, unknown] = [await secureCamera(), await secureCamera()];
    await t.close();
    const network = new URL(known.deviceUrl).hostname.replace(/\.\d+$/, "");
    t = await startTestBridge({ ca: known.file, network });
    const { discovery } = t.bridge.parts;
    for (const camera of [known, unknown]) await camera.resume();
    try {
      const { id } = await discovery.adopt({ rtsp: known.rtspUrl }, { credentials: CAMERA_LOGIN });
      await online(id);
      const fault = await refused(discovery.adopt({ rtsp: unknown.rtspUrl }, { credentials: CAMERA_LOGIN }));
      expect([fault.kind, fault.tell]).to.deep.equal([
        "denied",
        "the camera's certificate is not one of this site's authority (cameraSide.ca) for the address that is dialed: give the camera one",
      ]);
    } finally {
      for (const camera of [known, unknown]) await camera.close();
    }
  });

  /** Where a camera speaks TLS, and nobody else. */
  const tlsPort = async (address: string): Promise<{ readonly port: number; close(): Promise<unknown> }> => {
    const server = createServer(await identityFor(address), (socket) => socket.on("error", () => undefined));
    server.listen(0, address);
    await once(server, "listening");
    const close = (): Promise<unknown> => {
      server.close();
      return once(server, "close");
    };
    return { port: (server.address() as AddressInfo).port, close };
  };
  const loopback = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });

  it("does not keep a camera without HTTPS from showing its key where it names rtsps:", async () => {
    const server = await tlsPort("127.0.0.1");
    const streams = [
      { name: "main", url: new URL("rtsp://127.0.0.1:554/a") },
      { name: "sub", url: new URL(`rtsps://127.0.0.1:${server.port}/b`) },
    ] as const;
    const pins: string[] = [];
    const tls = { onPin: (spki: string) => void pins.push(spki) };
    try {
      const o = { plainText: true, side: loopback, clock: systemClock, tls };
      expect(await encryptedStreams(streams, o)).to.equal(streams);
      expect(pins[0]).to.match(/^[A-Za-z0-9+/]{43}=$/);
    } finally {
      await server.close();
    }
  });

  it("is avoided where a camera names rtsp: and has RTSPS at its own port, with the key that is known", async () => {
    const address = "127.0.0.1";
    const server = await tlsPort(address);
    const { port } = server;
    const streams = [{ name: "main", url: new URL(`rtsp://${address}:554/a?b=rtsp://c`) }] as const;
    const look = (pin?: string): ReturnType<typeof encryptedStreams> => {
      const tls = pin === undefined ? { onPin: () => undefined } : { pin };
      return encryptedStreams(streams, { plainText: false, side: loopback, clock: systemClock, tls }, port);
    };
    try {
      expect((await look())[0].url.href).to.equal(`rtsps://${address}:${port}/a?b=rtsp://c`);
      expect((await refused(look("A".repeat(43)))).tell).to.match(/another certificate/);
    } finally {
      await server.close();
    }
    expect((await refused(look())).tell).to.match(/switch RTSPS on in the camera, or allow plain text/);
  });
});
