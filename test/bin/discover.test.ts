import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { type SimCamera, startSimCamera } from "../../sim/camera.ts";
import { freeUdpPort, nextCameraNetwork } from "../support/bridge.ts";
import { viaduct } from "../support/viaduct.ts";

describe("viaduct discover", function () {
  this.timeout(60_000);
  const network = nextCameraNetwork();
  let camera: SimCamera;
  let where: readonly string[] = [];

  before(async () => {
    const discoveryPort = await freeUdpPort();
    camera = await startSimCamera({
      name: "Loading bay",
      address: `${network}.1`,
      httpPort: 0,
      rtspPort: 0,
      discoveryPort,
      user: "service",
      password: "c4mera-pass",
      clock: systemClock,
      log: silentLog(),
    });
    where = ["--interface", `${network}.0/24`, "--port", String(discoveryPort), "--seconds", "0.1"];
  });
  after(() => camera?.close());

  it("prints a table of what answers", async () => {
    const { code, out, err } = await viaduct(["discover", `${network}.1`, ...where]);
    expect({ code, err }).to.deep.equal({ code: 0, err: "" });
    expect(out.split("\n").map((line) => line.split(/ {2,}/))).to.deep.equal([
      ["ADDRESS", "NAME", "MODEL", "PLACE", "ONVIF SERVICE"],
      [`${network}.1`, "Loading bay", "Simulated", camera.deviceUrl],
      [""],
    ]);
  });

  it("prints JSON for programs", async () => {
    const { code, out, err } = await viaduct(["discover", `${network}.0/30`, ...where, "--json"]);
    expect({ code, err }).to.deep.equal({ code: 0, err: "" });
    const [found, ...others] = JSON.parse(out) as readonly Record<string, unknown>[];
    expect(others).to.deep.equal([]);
    expect(found).to.include({ ip: `${network}.1`, name: "Loading bay", hardware: "Simulated" });
    expect(found?.["xaddrs"]).to.deep.equal([camera.deviceUrl]);
  });

  it("says what to do where nothing answers, which is no failure", async () => {
    const call = ["discover", `${network}.2`, ...where];
    const [table, json] = await Promise.all([viaduct(call), viaduct([...call, "--json"])]);
    expect(table).to.include({ code: 0, err: "" });
    expect(table.out).to.match(/^No camera answered\. .*name their addresses or ranges\.\n$/);
    expect(json).to.deep.equal({ code: 0, out: "[]\n", err: "" });
  });

  it("fails where this machine has no address on the camera network, and nothing else is named", async () => {
    const { code, out, err } = await viaduct(["discover", ...where]);
    expect({ code, out }).to.deep.equal({ code: 1, out: "" });
    expect(err).to.include("this machine has no address on a camera network");
  });
});
