import { expect } from "chai";
import { asFault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { SECOND } from "../../base/units.ts";
import { Cameras } from "../../bridge/camera-side/cameras.ts";
import type { CameraRecord, NewCamera } from "../../bridge/camera-store.ts";
import { EventBus } from "../../bridge/event-bus.ts";
import { side } from "../sim/fixture.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const recording = { mode: "continuous" };
const stream = { name: "main", number: 1, url: "rtsp://192.0.2.9/a", pulling: "on-demand", recording, tracks: [] };
const record = { name: "Gate", ip: "192.0.2.9", transport: "auto", retention: {}, streams: [stream] };

describe("the adopted cameras", () => {
  let bus: EventBus;
  let clock: VirtualClock;
  let saved: CameraRecord[];

  beforeEach(() => {
    clock = new VirtualClock();
    bus = new EventBus(clock, silentLog());
    saved = [];
  });

  /** `closing`: what the recorder of each does at its end. */
  const start = (closing: () => void = () => undefined): Promise<Cameras> => {
    const recorder = { describe: () => undefined, gap: () => undefined, close: async () => closing() };
    const store = {
      list: async () => [...saved],
      retired: async () => new Set(),
      add: async (camera: NewCamera) => {
        saved.push(camera as CameraRecord);
        return camera;
      },
      remove: async () => undefined,
    };
    const parts = {
      store,
      archive: { cameras: async () => [], source: () => ({}), recorder: () => recorder, retain: () => undefined },
      bus,
      side,
      ca: undefined,
      lingerMs: SECOND,
      preRollBytes: 0,
      clock,
      log: silentLog(),
      metrics: new Metrics(),
    } as unknown as Parameters<typeof Cameras.start>[0];
    return Cameras.start(parts);
  };

  it("leave nothing of a removed one on the bus, whatever is said of it until all its parts are closed", async () => {
    const topic = ["VideoSource", "MotionAlarm"];
    const says = (value: string): void =>
      bus.publish({ camera: "gate", kind: "motion", topic, source: [], data: [["State", value]], property: true });
    saved = [{ ...record, id: "gate" } as unknown as CameraRecord];
    const cameras = await start(() => says("false"));
    says("true");
    await cameras.remove("gate");
    expect(bus.properties()).to.deep.equal([]);
  });

  it("are saved one after the other, so that none is there twice and no two have one id", async () => {
    const cameras = await start();
    const other = { ...record, streams: [{ ...stream, url: "rtsp://192.0.2.9/b" }] };
    const outcomes = await Promise.all(
      [record, record, other].map((one) =>
        cameras.add(one as unknown as NewCamera).then(
          ({ id }) => id,
          (error: unknown) => asFault(error).kind,
        ),
      ),
    );
    expect(outcomes).to.deep.equal(["gate", "wrong-state", "gate-2"]);
    await cameras.close();
  });
});
