import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { Cam } from "onvif/promises/index.js";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { unixMillis } from "../../base/units.ts";
import { CameraControlPort } from "../../bridge/camera-side/control.ts";
import { CREDENTIALS, NETWORK, side } from "../sim/fixture.ts";
import { eventually } from "../support/bridge.ts";
import { type OnvifLogin, type OnvifTestSite, startOnvifSite } from "../support/onvif-site.ts";
import { DEBIAN_PYTHON, peer } from "../support/peer.ts";

const SCRIPT = join(import.meta.dirname, "../support/ptz-camera.py");
const ADDRESS = `${NETWORK}.77`;
const STREAM = `rtsp://${ADDRESS}:554/live`;

/** The package's types know few of its functions. */
type Functions = Readonly<Record<string, (options: object) => Promise<Readonly<Record<string, unknown>>>>>;

describe("npm's onvif controls a camera in Python through the bridge", () => {
  const closing = new AbortController();
  let child: ChildProcess;
  let output: () => string;
  let site: OnvifTestSite;
  let login: OnvifLogin;
  let control: CameraControlPort;
  let cam: Cam;

  const ask = (what: string, options: object = {}): Promise<Readonly<Record<string, unknown>>> => {
    const asked = (cam as unknown as Functions)[what];
    if (asked === undefined) throw new Error(`npm's onvif has no ${what}`);
    return asked.call(cam, options);
  };
  /** The requests that the camera has got: what the bridge asks of its own accord may stand behind that of a client. */
  const got = (): readonly unknown[] =>
    output()
      .split("\n")
      .slice(1, -1)
      .map((line) => JSON.parse(line) as unknown);

  before(async function () {
    const { user, password } = CREDENTIALS;
    const started = peer(this, DEBIAN_PYTHON).start([SCRIPT, ADDRESS, STREAM, user, password.reveal()]);
    child = started.child;
    output = () => started.output();
    await eventually(() => /^\d+\n/.test(output()));
    control = new CameraControlPort(
      {
        id: "gate",
        name: "Gate",
        manufacturer: undefined,
        model: undefined,
        serial: undefined,
        ip: ADDRESS,
        deviceUrl: `http://${ADDRESS}:${Number.parseInt(output(), 10)}/onvif/device_service`,
        credentials: CREDENTIALS,
        tlsPin: undefined,
        plainText: true,
        transport: "auto",
        retention: {},
        streams: [
          {
            name: "main",
            number: 1,
            url: STREAM,
            pulling: "always",
            recording: { mode: "off" },
            workedTransport: undefined,
            tracks: [],
          },
        ],
        adoptedAt: unixMillis(0),
      },
      {
        side,
        clock: systemClock,
        log: silentLog(),
        ca: undefined,
        signal: closing.signal,
        renew: () => Promise.resolve(),
      },
    );
    control.look();
    await eventually(() => control.controls.ptz !== undefined);
    site = await startOnvifSite({ clock: systemClock, control });
    login = await site.account();
    cam = new Cam({
      hostname: "127.0.0.1",
      port: site.port,
      username: login.name,
      password: login.secret,
      useWSSecurity: false,
      autoconnect: false,
    });
    await cam.connect();
  });
  after(async () => {
    closing.abort();
    child?.kill();
    await site?.close();
  });

  it("moves and stops it", async () => {
    await ask("continuousMove", { profileToken: "gate", x: 0.5, y: -0.25, timeout: 2000 });
    expect(got()).to.deep.include([
      "ContinuousMove",
      { ProfileToken: "py-profile", PanTilt: { x: "0.5", y: "-0.25" }, Zoom: { x: "0" }, Timeout: "PT2S" },
    ]);
    await ask("stop", { profileToken: "gate", panTilt: true });
    expect(got()).to.deep.include(["Stop", { ProfileToken: "py-profile", PanTilt: "true" }]);
    expect(await ask("getStatus", { profileToken: "gate" })).to.have.nested.property("position.x", 0.25);
  });

  it("has the bridge stop it when it says nothing more", async () => {
    const stopped = JSON.stringify(["Stop", { ProfileToken: "py-profile", PanTilt: "true", Zoom: "true" }]);
    const before = got().length;
    await ask("continuousMove", { profileToken: "gate", x: 1, timeout: 100 });
    await eventually(() =>
      got()
        .slice(before)
        .some((one) => JSON.stringify(one) === stopped),
    );
  });

  it("keeps a place, goes there and forgets it, under a token of the bridge's", async () => {
    await ask("setPreset", { profileToken: "gate", presetName: "Door" });
    const presets = (await ask("getPresets", { profileToken: "gate" })) as { Door?: { $: { token: string } } };
    const token = presets.Door?.$.token;
    expect(token).to.match(/^[0-9a-f]{12}$/);
    await ask("gotoPreset", { profileToken: "gate", preset: token });
    expect(got()).to.deep.include(["GotoPreset", { ProfileToken: "py-profile", PresetToken: "py-preset-1" }]);
    await ask("removePreset", { profileToken: "gate", presetToken: token });
    expect(got()).to.deep.include(["RemovePreset", { ProfileToken: "py-profile", PresetToken: "py-preset-1" }]);
  });

  it("reads and changes how it sees", async () => {
    expect(await ask("getImagingSettings", { token: "gate" })).to.include({ brightness: 55, contrast: 40 });
    await ask("setImagingSettings", { token: "gate", brightness: 60 });
    expect(got()).to.deep.include(["SetImagingSettings", { VideoSourceToken: "py-source", Brightness: "60" }]);
  });

  it("fetches its picture, and neither padding nor the address that the camera told", async () => {
    const { uri } = await ask("getSnapshotUri", { profileToken: "gate" });
    const url = new URL(String(uri));
    expect(url.host).to.equal(`127.0.0.1:${site.port}`);
    const picture = await control.snapshot();
    expect(picture.subarray(-2).toString("hex")).to.equal("ffd9");
    const { status } = await site.send({ path: url.pathname, method: "GET" });
    expect(status).to.equal(401);
  });

  it("is told what of it there is, whatever stands between what is known", () => {
    expect(control.controls.relays.map(({ Properties }) => Properties)).to.deep.equal([
      { Mode: "Monostable", DelayTime: 1000, IdleState: "open" },
    ]);
    expect(control.controls.ptz?.node.MaximumNumberOfPresets).to.equal(9);
    // Without end is no number of the schema that we print.
    expect(control.controls.ptz?.configuration.PanTiltLimits).to.equal(undefined);
    expect(JSON.stringify(control.controls)).not.to.include("py-");
  });
});
