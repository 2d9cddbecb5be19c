import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { SECOND } from "../../base/units.ts";
import type { BridgedCamera } from "../../bridge/camera.ts";
import { type Controls, type HeardEncoder, NO_CONTROLS } from "../../bridge/camera-control.ts";
import { EventBus } from "../../bridge/event-bus.ts";
import { OwnEvents } from "../../bridge/own-events.ts";
import { fakeCameras } from "../support/onvif-cameras.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("what the bridge tells of a camera's encoder", () => {
  let clock: VirtualClock;
  let controls: Controls;
  let own: OwnEvents;
  let told: string[];

  const encoder = (bitrateKilobits: number, first?: number): HeardEncoder => {
    const settings = { encoding: "H264", width: 640, height: 360, fps: 15, quality: 3, bitrateKilobits } as const;
    const before = first === undefined ? {} : { first: { ...settings, bitrateKilobits: first } };
    return { settings, choices: [], ...before } as unknown as HeardEncoder;
  };
  const hear = async (heard: HeardEncoder): Promise<void> => {
    controls = { ...NO_CONTROLS, encoders: new Map([["main", heard]]) };
    await clock.advance(SECOND);
  };

  beforeEach(() => {
    clock = new VirtualClock();
    controls = NO_CONTROLS;
    told = [];
    const [first] = fakeCameras(clock.now()).list();
    if (first === undefined) throw new Error("there is no camera");
    const camera: BridgedCamera = {
      ...first,
      control: {
        ...first.control,
        get controls() {
          return controls;
        },
      },
    };
    const bus = new EventBus(clock, silentLog());
    bus.listen(({ xml }) => {
      if (xml.includes("Media/ConfigurationChanged")) told.push(xml);
    });
    own = new OwnEvents({ bus, cameras: { list: () => [camera], find: () => camera }, clock });
  });
  afterEach(() => own.close());

  it("is nothing when the camera tells of it for the first time", async () => {
    await hear(encoder(1024, 1024));
    expect(told).to.have.length(0);
  });

  it("is a change that came before it was looked at for the first time", async () => {
    await hear(encoder(2048, 1024));
    expect(told).to.have.length(1);
    await hear(encoder(2048, 1024));
    expect(told).to.have.length(1);
  });

  it("is each change after that, though it goes back to what was at first", async () => {
    await hear(encoder(1024, 1024));
    await hear(encoder(2048, 1024));
    await hear(encoder(1024, 1024));
    expect(told).to.have.length(2);
  });
});
