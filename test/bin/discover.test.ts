import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { startSimCamera } from "../../sim/camera.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { freeUdpPort, nextCameraNetwork } from "../support/bridge.ts";
import { type Ended, viaduct } from "../support/viaduct.ts";

describe("viaduct discover", () => {
  const network = nextCameraNetwork();
  let camera: SimCamera;
  /** Each takes the two seconds for which answers are waited for, so all ask at the same time. */
  let table: Ended;
  let json: Ended;
  let nothing: Ended;
  let noJson: Ended;
  let nowhere: Ended;

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
    const where = ["--interface", `${network}.0/24`, "--port", String(discoveryPort), "--seconds", "0.1"];
    const calls = [[`${network}.1`], [`${network}.0/30`, "--json"], [`${network}.2`], [`${network}.2`, "--json"], []];
    const ended = await Promise.all(calls.map((args) => viaduct(["discover", ...where, ...args])));
    [table, json, nothing, noJson, nowhere] = ended as [Ended, Ended, Ended, Ended, Ended];
  });
  after(() => camera?.close());

  it("prints a table of what answers", () => {
    expect(table).to.include({ code: 0, err: "" });
    expect(table.out.split("\n").map((line) => line.split(/ {2,}/))).to.deep.equal([
      ["ADDRESS", "NAME", "MODEL", "PLACE", "ONVIF SERVICE"],
      [`${network}.1`, "Loading bay", "Simulated", camera.deviceUrl],
      [""],
    ]);
  });

  it("prints JSON for programs", () => {
    expect(json).to.include({ code: 0, err: "" });
    const [found, ...others] = JSON.parse(json.out) as readonly Record<string, unknown>[];
    expect(others).to.deep.equal([]);
    expect(found).to.include({ ip: `${network}.1`, name: "Loading bay", hardware: "Simulated" });
    expect(found?.["xaddrs"]).to.deep.equal([camera.deviceUrl]);
  });

  it("says what to do where nothing answers, which is no failure", () => {
    expect(nothing).to.include({ code: 0, err: "" });
    expect(nothing.out).to.match(/^No camera answered\. .*name their addresses or ranges\.\n$/);
    expect(noJson).to.deep.equal({ code: 0, out: "[]\n", err: "" });
  });

  it("fails where this machine has no address on the camera network, and nothing else is named", () => {
    expect(nowhere).to.include({ code: 1, out: "" });
    expect(nowhere.err).to.include("this machine has no address on a camera network");
  });
});
