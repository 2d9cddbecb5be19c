import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { unixMillis } from "../../base/units.ts";
import { CameraEvents } from "../../bridge/camera-side/camera-events.ts";
import { EventReading } from "../../bridge/camera-side/event-reading.ts";
import type { CameraRecord } from "../../bridge/camera-store.ts";
import { type BridgeEvent, EventBus } from "../../bridge/event-bus.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import type { Quirk } from "../../sim/quirks.ts";
import type { Item, Notification } from "../../wsdl/notification.ts";
import { CREDENTIALS, side, startCamera } from "../sim/fixture.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

/** `VideoSource/MotionAlarm Changed gate true`. */
function words({ notification: { topic, operation, source, data } }: BridgeEvent): string {
  return [topic.join("/"), operation ?? "-", ...[...source, ...data].map(([, value]) => value)].join(" ");
}

function listener(clock: VirtualClock): {
  readonly bus: EventBus;
  readonly told: string[];
  readonly events: BridgeEvent[];
} {
  const bus = new EventBus(clock, silentLog());
  const told: string[] = [];
  const events: BridgeEvent[] = [];
  bus.listen((event) => {
    events.push(event);
    told.push(words(event));
  });
  return { bus, told, events };
}

describe("a camera's events", () => {
  let clock: VirtualClock;
  let camera: SimCamera;
  let events: CameraEvents;
  let heard: ReturnType<typeof listener>;

  const start = async (quirks: readonly Quirk[], more: Partial<CameraRecord> = {}): Promise<void> => {
    clock = new VirtualClock();
    camera = await startCamera({ quirks, clock });
    heard = listener(clock);
    const record = {
      id: "gate",
      ip: new URL(camera.deviceUrl).hostname,
      deviceUrl: camera.deviceUrl,
      credentials: CREDENTIALS,
      ...more,
    } as CameraRecord;
    events = new CameraEvents({ camera: record, bus: heard.bus, side, ca: undefined, clock, log: silentLog() });
    events.start();
  };
  afterEach(async () => {
    await finished(events.close());
    await camera.close();
  });

  /** Moves time until it is so. */
  async function until(so: () => boolean, stepMs = 500, limitMs = 3_600_000): Promise<void> {
    for (let passed = 0; !so(); passed += stepMs) {
      if (passed > limitMs) throw new Error(`not so after ${limitMs} ms: ${heard.told.join("; ")}`);
      await clock.advance(stepMs);
      await breathe();
    }
  }

  /** What is on its way in sockets has no part in virtual time. */
  async function breathe(): Promise<void> {
    const { requests } = camera;
    for (let turn = 0; turn < 50 && camera.requests === requests; turn += 1)
      await new Promise<void>((resolve) => setImmediate(resolve));
  }

  async function finished(work: Promise<void>): Promise<void> {
    const state = { done: false };
    const ended = work.finally(() => {
      state.done = true;
    });
    while (!state.done) await clock.advance(50);
    await ended;
  }

  const moved = (): boolean => {
    const motion = heard.told.filter((one) => one.startsWith("VideoSource/MotionAlarm"));
    return motion.some((one) => one.endsWith("gate true")) && motion.some((one) => one.endsWith("Changed gate false"));
  };

  const usual: readonly (readonly Quirk[])[] = [
    [],
    ["motion-by-rule"],
    ["misspelt-topic"],
    ["past-termination"],
    ["past-termination", "clock-off"],
    ["hasty-events"],
    ["late-events"],
    ["hidden-events"],
    ["subscription-parameters"],
    ["wrong-host-uri"],
    ["token-only", "clock-off"],
    ["no-get-services"],
    ["unended-motion"],
  ];
  for (const quirks of usual)
    it(`are told under the usual topic, with beginning and end: ${quirks.join(", ") || "no quirk"}`, async () => {
      await start(quirks);
      await until(moved);
      expect(heard.events.every(({ kind }) => kind === "motion")).to.equal(true);
      expect(heard.events.find(({ raw }) => raw !== undefined)?.raw?.topic.length).to.be.greaterThan(1);
    });

  it("come again after the camera was away", async () => {
    await start([]);
    await until(moved);
    await camera.pause();
    await until(() => heard.told.at(-1)?.endsWith("false") === true);
    const before = heard.told.length;
    await camera.resume();
    await until(() => heard.told.length > before);
  });

  it("come again from a camera that has forgotten the subscription without a word", async () => {
    await start(["forgotten-subscription"]);
    await until(() => camera.subscriptions > 1, 5000);
  });

  it("take one place at a time, which is given back", async () => {
    await start(["event-slots-leak", "forgotten-subscription"]);
    await until(() => camera.subscriptions > 5, 5000, 24 * 3_600_000);
    expect(camera.subscribers).to.be.at.most(1);
    await finished(events.close());
    expect(camera.subscribers).to.equal(0);
  });

  it("are asked for rarely where the log-in is refused", async () => {
    await start([], { credentials: undefined });
    for (let minute = 0; minute < 60; minute += 1) {
      await clock.advance(60_000);
      await breathe();
    }
    expect(camera.subscriptions).to.equal(0);
    expect(camera.requests).to.be.at.most(60);
  });
});

describe("what a camera says", () => {
  const at = unixMillis(0);
  const say = (
    path: string,
    data: readonly Item[],
    source: readonly Item[] = [["VideoSourceToken", "000"]],
  ): Notification => ({
    at,
    topic: path.split("/"),
    operation: "Changed",
    source,
    data,
  });
  const reading = (): ReturnType<typeof listener> & { readonly clock: VirtualClock; readonly read: EventReading } => {
    const clock = new VirtualClock();
    const heard = listener(clock);
    return { ...heard, clock, read: new EventReading({ camera: "gate", bus: heard.bus, clock }) };
  };

  const rows: readonly (readonly [said: Notification, told: string | undefined, kind: string | undefined])[] = [
    [say("VideoSource/MotionAlarm", [["State", "true"]]), "VideoSource/MotionAlarm Initialized gate true", "motion"],
    [
      say("RuleEngine/CellMotionDetector/Motion", [["IsMotion", "1"]]),
      "VideoSource/MotionAlarm Initialized gate true",
      "motion",
    ],
    [
      say("RuleEngine/{urn:axis}VMD3/vmd3_video_1", [["active", "1"]]),
      "VideoSource/MotionAlarm Initialized gate true",
      "motion",
    ],
    [
      say("VideoSource/ImageTooDark/ImagingService", [["State", "true"]]),
      "VideoSource/GlobalSceneChange/ImagingService Initialized gate true",
      "tamper",
    ],
    [
      say("Device/Trigger/DigitalInput", [["LogicalState", "true"]], [["InputToken", "1"]]),
      "Device/Trigger/DigitalInput Initialized gate gate_1 true",
      "digital-input",
    ],
    [
      say("Device/Trigger/Relay", [["LogicalState", "active"]], [["RelayToken", "1"]]),
      "Device/Trigger/Relay Initialized gate gate_1 active",
      "relay",
    ],
    [
      say("RuleEngine/MyRuleDetector/PeopleDetect", [["State", "true"]]),
      "RuleEngine/MyRuleDetector/PeopleDetect Initialized gate true",
      "person",
    ],
    [say("Device/{urn:avg}Tamper", [["X", "y"]], []), "Device/{urn:avg}Tamper Initialized gate y", undefined],
    [say("VideoSource/SignalLoss", [["State", "true"]]), undefined, undefined],
    [say("Media/ProfileChanged", [["Token", "main"]]), undefined, undefined],
    [say("VideoSource/SignalLost", [["State", "true"]]), "VideoSource/SignalLost Initialized gate true", undefined],
  ];
  for (const [said, told, kind] of rows)
    it(`as ${said.topic.join("/")} is ${told === undefined ? "the bridge's own to say" : `told as ${told}`}`, () => {
      const { read, told: heard, events } = reading();
      read.read(said);
      expect(heard).to.deep.equal(told === undefined ? [] : [told]);
      expect(events[0]?.kind).to.equal(kind);
    });

  it("of several detectors is one motion, from the first that begins to the last that ends", () => {
    const { read, told } = reading();
    const one = (value: boolean): void => read.read(say("VideoSource/MotionAlarm", [["State", String(value)]]));
    const two = (value: boolean): void =>
      read.read(say("RuleEngine/CellMotionDetector/Motion", [["IsMotion", String(value)]]));
    one(true);
    two(true);
    one(false);
    two(false);
    expect(told).to.deep.equal([
      "VideoSource/MotionAlarm Initialized gate true",
      "VideoSource/MotionAlarm Changed gate false",
    ]);
  });

  it("never to be over is over a minute after it was said the last time, unless the camera ends it by itself", async () => {
    const { read, told, clock } = reading();
    const motion = (value: boolean): void => read.read(say("VideoSource/MotionAlarm", [["State", String(value)]]));
    motion(true);
    await clock.advance(59_000);
    motion(true);
    await clock.advance(59_000);
    expect(told).to.have.length(1);
    await clock.advance(1000);
    expect(told.at(-1)).to.equal("VideoSource/MotionAlarm Changed gate false");
    motion(true);
    motion(false);
    motion(true);
    await clock.advance(3_600_000);
    expect(told.at(-1)).to.equal("VideoSource/MotionAlarm Changed gate true");
    read.close();
    expect(told.at(-1)).to.equal("VideoSource/MotionAlarm Changed gate false");
    expect(clock.pending).to.equal(0);
  });

  it("is over when the camera says so, though its ends of many others were heard before", async () => {
    const { read, told, clock } = reading();
    const inside = (object: string, value: boolean): void =>
      read.read(say("RuleEngine/FieldDetector/ObjectsInside", [["IsInside", String(value)]], [["Object", object]]));
    const seen = async (object: string): Promise<void> => {
      inside(object, true);
      inside(object, false);
      await clock.advance(1000);
    };
    // Each with a name of its own, and one thing among them that comes again and again.
    for (let count = 0; count < 540; count += 1) {
      await seen(String(count));
      if (count % 60 === 0) await seen("gate");
    }
    const before = told.length;
    for (const object of ["gate", "539"]) inside(object, true);
    await clock.advance(3_600_000);
    expect(told.slice(before).filter((one) => one.includes("false"))).to.deep.equal([]);
  });

  it("is over in the item that said that it is so, however that was written, and in no other", async () => {
    const { read, told, clock } = reading();
    const data: readonly Item[] = [
      ["IsInside", " True "],
      ["Enabled", "true"],
      ["Count", "1"],
    ];
    read.read(say("RuleEngine/FieldDetector/ObjectsInside", data));
    await clock.advance(60_000);
    expect(told.at(-1)).to.equal("RuleEngine/FieldDetector/ObjectsInside Changed gate false true 1");
  });

  it("is over when the camera is not listened to any more, whatever it is", () => {
    const { read, told, clock } = reading();
    read.read(say("RuleEngine/MyRuleDetector/PeopleDetect", [["State", "true"]]));
    read.read(say("RuleEngine/MyRuleDetector/Visitor", [["State", "true"]]));
    read.close();
    expect(told.slice(2)).to.deep.equal([
      "RuleEngine/MyRuleDetector/PeopleDetect Changed gate false",
      "RuleEngine/MyRuleDetector/Visitor Changed gate false",
    ]);
    expect(clock.pending).to.equal(0);
  });

  it("of contacts stays so until the camera says otherwise: a closed one is not open because nothing more is said of it", async () => {
    const { read, told, clock } = reading();
    read.read(say("Device/Trigger/DigitalInput", [["LogicalState", "true"]], [["InputToken", "1"]]));
    read.read(say("Device/Trigger/Relay", [["LogicalState", "active"]], [["RelayToken", "1"]]));
    await clock.advance(3_600_000);
    read.close();
    expect(told).to.have.length(2);
  });

  it("is heard to its end, though it says more in a second than is taken", () => {
    const { read, told } = reading();
    read.read(say("VideoSource/MotionAlarm", [["State", "true"]]));
    for (let count = 0; count < 5000; count += 1) read.read(say("Device/{urn:x}Heat", [["Degrees", String(count)]]));
    expect(told.length).to.equal(200);
    read.read(say("VideoSource/MotionAlarm", [["State", "false"]]));
    expect(told.at(-1)).to.equal("VideoSource/MotionAlarm Changed gate false");
  });

  it("is taken as a whole, as much as one answer holds", () => {
    const { read, told } = reading();
    for (let count = 0; count < 100; count += 1) read.read(say("Device/{urn:x}Heat", [["Degrees", String(count)]]));
    expect(told).to.have.length(100);
  });

  it("of ever new things is remembered within bounds", () => {
    const { read, bus } = reading();
    for (let count = 0; count < 5000; count += 1)
      read.read(say(`RuleEngine/Made${count}/Up`, [["State", "true"]], [["Rule", String(count)]]));
    expect(bus.properties()).to.have.length(128);
  });
});
