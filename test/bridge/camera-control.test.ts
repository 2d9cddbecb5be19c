import { expect } from "chai";
import { isFault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import { CameraControlPort } from "../../bridge/camera-side/control.ts";
import type { CameraRecord } from "../../bridge/camera-store.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { CREDENTIALS, side, startCamera } from "../sim/fixture.ts";
import { eventually } from "../support/bridge.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("the control of a camera", () => {
  let clock: VirtualClock;
  let camera: SimCamera;
  let control: CameraControlPort;
  let closing: AbortController;

  beforeEach(async () => {
    clock = new VirtualClock();
    camera = await startCamera({ controls: true, clock });
    closing = new AbortController();
    const record = {
      id: "gate",
      ip: new URL(camera.deviceUrl).hostname,
      deviceUrl: camera.deviceUrl,
      credentials: CREDENTIALS,
      streams: [{ url: camera.rtspUrl }],
    } as unknown as CameraRecord;
    control = new CameraControlPort(record, {
      side,
      clock,
      log: silentLog(),
      ca: undefined,
      signal: closing.signal,
      renew: () => Promise.resolve(),
    });
  });
  afterEach(async () => {
    closing.abort();
    await camera.close();
  });

  const move = (seconds: number): Promise<object> =>
    control.ptz("ContinuousMove", { Velocity: { PanTilt: { x: 0.01, y: 0 } }, Timeout: seconds * SECOND });
  const stop = (more: object = {}): Promise<object> => control.ptz("Stop", more);
  const moving = (): boolean => camera.motion?.moving === true;
  const stopped = (): Promise<void> => eventually(() => !moving());

  it("stops it when a move's time is over, though a Stop, another move or a preset failed in between", async () => {
    for (const ask of [stop, () => move(60), () => control.ptz("GotoPreset", { PresetToken: "none" })]) {
      await move(5);
      await camera.pause();
      expect(
        await ask().then(
          () => "taken",
          () => "failed",
        ),
      ).to.equal("failed");
      await camera.resume();
      expect(moving(), "before its time is over").to.equal(true);
      // The camera itself would go on for as long as it was asked to, at most a minute.
      camera.motion?.go({ pan: 0.01 }, MINUTE);
      await clock.advance(5 * SECOND);
      await stopped();
    }
  });

  it("stops it a second after a Stop that could not reach it", async () => {
    await move(60);
    await camera.pause();
    await stop().catch(() => undefined);
    await camera.resume();
    await clock.advance(SECOND);
    await stopped();
  });

  it("lets it go on turning after a Stop of its zoom alone, until the time is over", async () => {
    await move(5);
    await stop({ PanTilt: false, Zoom: true });
    camera.motion?.go({ pan: 0.01 }, MINUTE);
    await clock.advance(5 * SECOND);
    await stopped();
  });

  it("lets a Stop through where so much waits that everything else is refused", async () => {
    await move(60);
    const asked = Array.from({ length: 30 }, () => control.ptz("GetStatus", {}));
    const ends = Promise.allSettled(asked);
    await stop();
    expect(moving()).to.equal(false);
    const refused = (await ends).filter((one) => one.status === "rejected" && isFault(one.reason, "busy"));
    expect(refused).not.to.have.length(0);
  });

  it("does not let Stops wait without bound", async () => {
    await move(60);
    const ends = await Promise.allSettled(Array.from({ length: 100 }, () => stop()));
    expect(ends.filter(({ status }) => status === "fulfilled").length).to.be.within(1, 20);
    expect(moving()).to.equal(false);
  });

  it("stops it at its end, also while it finds out anew what the camera has", async () => {
    await control.ptz("GetStatus", {});
    await clock.advance(10 * MINUTE - SECOND);
    await move(60);
    await clock.advance(2 * SECOND);
    control.look();
    expect(moving()).to.equal(true);
    await control.close();
    expect(moving()).to.equal(false);
  });

  it("leaves a preset tour alone that was begun after a move", async () => {
    await move(5);
    camera.motion?.stop();
    const [tour] = (await control.ptz("GetPresetTours", {})).PresetTour ?? [];
    await control.ptz("OperatePresetTour", { PresetTourToken: tour?.token ?? "", Operation: "Start" });
    const { requests } = camera;
    await clock.advance(10 * SECOND);
    await control.close();
    expect(camera.requests).to.equal(requests);
  });

  it("asks nothing of it at its end where nothing moves", async () => {
    await move(60);
    await stop();
    const { requests } = camera;
    await control.close();
    expect(camera.requests).to.equal(requests);
  });
});
