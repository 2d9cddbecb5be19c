import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { SECOND } from "../../base/units.ts";
import { Cameras } from "../../bridge/camera-side/cameras.ts";
import type { CameraRecord } from "../../bridge/camera-store.ts";
import { EventBus } from "../../bridge/event-bus.ts";
import { side } from "../sim/fixture.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("a camera that is removed", () => {
  it("leaves nothing on the bus, whatever is said of it until all its parts are closed", async () => {
    const clock = new VirtualClock();
    const bus = new EventBus(clock, silentLog());
    const topic = ["VideoSource", "MotionAlarm"];
    const says = (value: string): void =>
      bus.publish({ camera: "gate", kind: "motion", topic, source: [], data: [["State", value]], property: true });
    const recording = { mode: "continuous" };
    const stream = { name: "main", number: 1, url: "rtsp://192.0.2.9/a", pulling: "on-demand", recording, tracks: [] };
    const record = { id: "gate", ip: "192.0.2.9", transport: "auto", retention: {}, streams: [stream] };
    const recorder = { describe: () => undefined, gap: () => undefined, close: async () => says("false") };
    const parts = {
      store: { list: async () => [record as unknown as CameraRecord], remove: async () => undefined },
      archive: { source: () => ({}), recorder: () => recorder, retain: () => undefined },
      bus,
      side,
      ca: undefined,
      lingerMs: SECOND,
      preRollBytes: 0,
      clock,
      log: silentLog(),
      metrics: new Metrics(),
    } as unknown as Parameters<typeof Cameras.start>[0];
    const cameras = await Cameras.start(parts);
    says("true");
    await cameras.remove("gate");
    expect(bus.properties()).to.deep.equal([]);
  });
});
