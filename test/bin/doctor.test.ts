import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import type { Finding } from "../../base/finding.ts";
import { silentLog } from "../../base/log.ts";
import { startSimCamera } from "../../sim/camera.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { nextCameraNetwork } from "../support/bridge.ts";
import { viaduct } from "../support/viaduct.ts";

/** One of those at which a camera is looked for when nobody names a port; the address is this test's own. */
const USUAL_PORT = 8899;

describe("viaduct doctor camera", () => {
  const network = nextCameraNetwork();
  const ip = `${network}.1`;
  const password = "c4mera-pass";
  const call = (args: readonly string[], given = password) =>
    viaduct(["doctor", "camera", ...args, "--interface", `${network}.0/24`], {
      env: { VIADUCT_CAMERA_PASSWORD: given },
    });
  let camera: SimCamera;

  before(async () => {
    camera = await startSimCamera({
      name: "Loading bay",
      address: ip,
      httpPort: USUAL_PORT,
      rtspPort: 0,
      user: "service",
      password,
      controls: true,
      quirks: ["clock-off"],
      clock: systemClock,
      log: silentLog(),
    });
  });
  after(() => camera?.close());

  it("says what works, and what somebody should know", async () => {
    const { code, out, err } = await call([ip, "--user", "service", "--plain-text", "--json"]);
    expect({ code, err }).to.deep.equal({ code: 0, err: "" });
    const findings = JSON.parse(out) as readonly Finding[];
    expect(findings.map(({ what, result }) => `${what} ${result}`)).to.deep.equal([
      "log-in works",
      "clock note",
      "streams works",
      "picture works",
      "picture works",
      "controls works",
      "own recording works",
    ]);
    expect(findings.find(({ what }) => what === "clock")?.says).to.equal("187 min behind");
    expect(out).not.to.include(password);
  });

  it("says what to do about a wrong password, without telling it", async () => {
    const { code, out } = await call([ip, "--user", "service", "--plain-text"], "wr0ng-pass");
    expect(code).to.equal(1);
    expect(out).to.match(/^FAIL {2}log-in {4}wrong user name or password/);
    expect(out).not.to.include("wr0ng-pass");
  });

  it("tells no camera a log-in without TLS unless that is allowed, at whatever address", async () => {
    const { requests } = camera;
    for (const address of [ip, `http://${ip}:${USUAL_PORT}/onvif/device_service`]) {
      const { code, out } = await call([address, "--user", "service"]);
      expect({ code, out: out.includes("allow plain text for this camera") }, out).to.deep.equal({
        code: 1,
        out: true,
      });
    }
    expect(camera.requests).to.equal(requests);
  });

  it("takes addresses of services, and no log-in in them", async () => {
    const rows: readonly (readonly [address: string, code: number, words: string])[] = [
      [`http://${ip}:${USUAL_PORT}/onvif/device_service`, 0, ""],
      [`http://service:pass@${ip}/onvif/device_service`, 2, "use --user, and VIADUCT_CAMERA_PASSWORD"],
      ["rtsp://service:pass@10.0.0.1/", 2, "rtsp://10.0.0.1/ is no IP address and no address of a service"],
    ];
    for (const [address, code, words] of rows) {
      const ended = await call([address, "--user", "service", "--plain-text"]);
      expect({ code: ended.code, told: ended.err.includes(words) }, ended.err).to.deep.equal({ code, told: true });
    }
  });

  it("says that nobody is there", async () => {
    const { code, out } = await call([`${network}.2`, "--plain-text"]);
    expect(code).to.equal(1);
    expect(out).to.include("Check cable, address and power");
  });
});
