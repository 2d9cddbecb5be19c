import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { type CameraFinding, type ExamineOptions, examineCamera } from "../../bridge/camera-side/examine.ts";
import { loadIdentity } from "../../net/tls.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { CREDENTIALS, NETWORK, side, startCamera } from "../sim/fixture.ts";

describe("looking at a camera", () => {
  const ip = `${NETWORK}.1`;
  let folder: string;
  let camera: SimCamera | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-examine-"));
  });
  afterEach(async () => {
    await camera?.close();
    camera = undefined;
  });
  after(() => rm(folder, { recursive: true }));

  const look = async (deviceUrl: string, more: Partial<ExamineOptions> = {}): Promise<readonly CameraFinding[]> =>
    Array.fromAsync(
      examineCamera({
        ip,
        xaddrs: [deviceUrl],
        plainText: false,
        credentials: CREDENTIALS,
        side,
        clock: systemClock,
        log: silentLog(),
        signal: new AbortController().signal,
        ...more,
      }),
    );

  it("goes inside TLS to its end, by the key that the camera showed first", async () => {
    camera = await startCamera({ controls: true, card: true, tls: await loadIdentity(folder, [ip], systemClock) });
    const findings = await look(camera.deviceUrl);
    expect(findings.map(({ what, result }) => `${what} ${result}`)).to.deep.equal([
      "log-in works",
      "clock works",
      "streams works",
      "picture works",
      "controls works",
      "own recording works",
    ]);
    expect(findings.at(-1)?.says).to.match(/^sim_recording \d{4}-.*Z to now: gaps can be filled/);
    expect(findings.at(-2)?.says).to.match(/pan, tilt or zoom.*snapshots/);
  });

  it("says nothing to a camera without TLS unless that is allowed", async () => {
    camera = await startCamera();
    const [finding, ...others] = await look(camera.deviceUrl);
    expect(finding?.says).to.include("switch HTTPS on in the camera, or allow plain text for this camera");
    expect(finding?.next).to.include("--plain-text");
    expect([finding?.result, others, camera.requests, camera.connections]).to.deep.equal(["fails", [], 0, 0]);
    const allowed = await look(camera.deviceUrl, { plainText: true });
    expect(allowed.filter(({ result }) => result === "fails")).to.deep.equal([]);
  });

  it("looks for a picture inside HTTP at a camera that sends it nowhere else", async () => {
    camera = await startCamera({ transports: ["http"] });
    const findings = await look(camera.deviceUrl, { plainText: true });
    const pictures = findings.filter(({ what }) => what === "picture");
    expect(pictures.map(({ result, says }) => `${result} ${says.slice(0, 15)}`)).to.deep.equal([
      "fails TCP: the camera",
      "fails UDP: the camera",
      "works comes over HTTP",
    ]);
  });

  it("says of an address on no camera network that it was not dialed, and why", async () => {
    const [finding, ...others] = await look("https://169.254.1.1/onvif/device_service", { ip: "169.254.1.1" });
    expect(finding?.says).to.include("the address is not dialed: ");
    expect([finding?.result, others]).to.deep.equal(["fails", []]);
  });

  it("ends when it is called off, and calls nothing a failure for that", async () => {
    const server = createServer();
    server.listen(0, ip);
    await once(server, "listening");
    const stop = new AbortController();
    try {
      const url = `http://${ip}:${(server.address() as AddressInfo).port}/onvif/device_service`;
      const looking = look(url, { plainText: true, signal: stop.signal });
      const [socket] = (await once(server, "connection")) as [Socket];
      stop.abort();
      expect(await looking).to.deep.equal([]);
      socket.destroy();
    } finally {
      server.close();
      await once(server, "close");
    }
  });
});
