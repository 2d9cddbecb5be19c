import { expect } from "chai";
import * as fc from "fast-check";
import { type Hours, TimeProfile } from "../../auth/time-profile.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { unixMillis } from "../../base/units.ts";
import { type RecordableStream, StreamRecording } from "../../bridge/camera-side/stream-recording.ts";
import { EventBus } from "../../bridge/event-bus.ts";
import { type RecordingPlan, readRecordingPlan } from "../../bridge/recording-plan.ts";
import type { PacketGroup } from "../../media/group.ts";
import { ReusedMemory } from "../../media/reused-memory.ts";
import type { LiveReader } from "../../media/source.ts";
import { Archive } from "../../recorder/archive.ts";
import { MemoryBudget } from "../../recorder/memory-budget.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import { onvifTopic } from "../../wsdl/topic.ts";
import { GroupCamera, indexInGroup, pass } from "../support/group-camera.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const FPS = 5;
/** A key frame every second. */
const PICTURES = { fps: FPS, gop: FPS };
const LOST = { cause: "network", why: "no answer" } as const;

/** A stream that sends as long as somebody holds it. */
class FakeStream implements RecordableStream {
  readonly tracks = [VIDEO_TRACK];
  readers = new Set<LiveReader>();
  holders = 0;
  keyRequests = 0;
  readonly #memory = new ReusedMemory();

  follow(reader: LiveReader): () => void {
    this.readers.add(reader);
    return () => this.readers.delete(reader);
  }

  hold(): () => void {
    this.holders += 1;
    return () => {
      this.holders -= 1;
    };
  }

  requestKey(): void {
    this.keyRequests += 1;
  }

  send(group: PacketGroup): void {
    if (this.holders === 0) return;
    pass(group, this.#memory, (passing) => {
      for (const reader of this.readers) reader.deliver(passing);
    });
  }
}

describe("the recording of a stream", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let clock: VirtualClock;
  let archive: Archive;
  let bus: EventBus;
  let stream: FakeStream;
  let recorder: StreamRecorder | undefined;
  let recording: StreamRecording;
  let picture = 0;
  /** When the first picture was captured, by the clock of now. */
  let startMs: number;
  let camera: GroupCamera;

  const open = async (): Promise<void> => {
    archive = await Archive.open({
      folder,
      clock,
      log: silentLog(),
      metrics: new Metrics(),
      settings: { segmentMs: 60_000 },
    });
    bus = new EventBus(clock, silentLog());
    stream = new FakeStream();
    recording = new StreamRecording({
      camera: "gate",
      name: "main",
      stream,
      archive: {
        recorder(id, name) {
          recorder = archive.recorder(id, name);
          return recorder;
        },
      },
      bus,
      clock,
      budget: new MemoryBudget(1e8),
    });
    bus.listen((event) => recording.see(event));
  };

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    clock = new VirtualClock(unixMillis(START_MS));
    picture = 0;
    startMs = START_MS;
    camera = new GroupCamera();
    await open();
    recording.flows();
  });
  afterEach(async () => {
    await recording.close();
    await archive.close();
    await remove();
  });

  /** Time passes; the camera sends, and whoever owns the recording looks once a second. */
  async function pass(seconds: number, bytes?: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      for (let index = 0; index < FPS; index += 1) {
        stream.send(camera.group(0, videoSample(picture, { ...PICTURES, startMs, ...(bytes && { bytes }) })));
        picture += 1;
      }
      await clock.advance(1000);
      recording.look();
      // The disk has no part in virtual time.
      await recorder?.idle();
    }
  }

  const motion = (active: boolean): void =>
    bus.publish({
      camera: "gate",
      kind: "motion",
      topic: onvifTopic("VideoSource/MotionAlarm"),
      source: [["Source", "gate"]],
      data: [["State", String(active)]],
      property: true,
    });
  const crossed = (): void =>
    bus.publish({
      camera: "gate",
      kind: "line-crossed",
      topic: onvifTopic("RuleEngine/LineDetector/Crossed"),
      source: [["Source", "gate"]],
      data: [["ObjectId", "1"]],
      property: false,
    });

  /** What is kept, in whole seconds from the start, as `from-to`. */
  async function kept(): Promise<readonly string[]> {
    await recorder?.idle();
    const spans = await archive.spans("gate", unixMillis(0), unixMillis(START_MS * 2), "main");
    return spans.map(({ from, to }) => `${(from - START_MS) / 1000}-${(to - START_MS) / 1000}`);
  }

  async function gaps(): Promise<readonly string[]> {
    await recorder?.idle();
    const found = await archive.gaps("gate", unixMillis(0), unixMillis(START_MS * 2), "main");
    const second = (at: number | undefined): string => (at === undefined ? "" : String((at - START_MS) / 1000));
    return found.map(({ from, to, cause }) => `${second(from)}-${second(to)} ${cause}`);
  }

  const events = (more: object = {}): RecordingPlan =>
    readRecordingPlan({
      mode: "events",
      events: { of: ["motion", "tns1:RuleEngine"], beforeSeconds: 3, afterSeconds: 5, ...more },
    });

  it("keeps what comes all the time, and pulls the stream for it", async () => {
    recording.follow({ mode: "continuous" });
    await pass(10);
    expect(stream.holders).to.equal(1);
    expect(recording.info.state).to.equal("recording");
    recording.follow({ mode: "off" });
    expect(stream.holders).to.equal(0);
    await pass(5);
    expect(recording.info.state).to.equal("off");
    expect(await kept()).to.deep.equal(["0-10"]);
    expect(await gaps()).to.deep.equal(["10- off"]);
  });

  it("is told as recorded from one segment to the next, and not when nothing comes any more", async () => {
    recording.follow({ mode: "continuous" });
    await pass(5);
    for (let second = 0; second < 125; second += 1) {
      await pass(1);
      expect(recording.info.state, `second ${second}`).to.equal("recording");
    }
    expect((await archive.source("gate").extent()) !== undefined).to.equal(true);
    expect((await archive.volumes())[0]?.segments).to.be.at.least(2);
    recording.lost(LOST);
    await recorder?.idle();
    expect(recording.info.state).to.equal("starting");
  });

  it("keeps what was before an event, from a key frame on, and what comes for a while behind it", async () => {
    recording.follow(events());
    await pass(10);
    expect(recording.info.state).to.equal("waiting");
    motion(true);
    await pass(4);
    expect(recording.info.state).to.equal("recording");
    motion(false);
    await pass(20);
    expect(recording.info.state).to.equal("waiting");
    expect(await kept()).to.deep.equal(["6-19"]);
    expect(await gaps()).to.deep.equal(["0-6 no-event", "19- no-event"]);
  });

  it("goes on through a burst, and leaves nothing out where two nearly touch", async () => {
    recording.follow(events());
    await pass(10);
    for (const second of [0, 1, 2]) {
      crossed();
      await pass(second + 3);
    }
    await pass(2);
    crossed();
    await pass(20);
    const [span, ...others] = await kept();
    expect(others).to.deep.equal([]);
    expect(span).to.equal("6-29");
  });

  const HAND_OVER: readonly (readonly [what: string, how: () => void | Promise<void>])[] = [
    ["with what comes", () => pass(2, 200_000)],
    ["before a gap", () => recording.lost(LOST)],
    ["before its end", () => recording.close()],
    ["before recording is switched off", () => recording.follow({ mode: "off" })],
  ];
  for (const [what, how] of HAND_OVER)
    it(`hands over a large pre-roll a little at a time, and the rest of it ${what}`, async () => {
      recording.follow(events());
      await pass(8, 200_000);
      if (recorder === undefined) throw new Error("it does not wait");
      const handed: number[] = [];
      let gapAfter: number | undefined;
      const [push, gap] = [recorder.push.bind(recorder), recorder.gap.bind(recorder)];
      recorder.push = (group) => {
        handed.push(indexInGroup(group));
        push(group);
      };
      recorder.gap = (reason) => {
        gapAfter ??= handed.length;
        gap(reason);
      };
      motion(true);
      expect(handed).to.have.length(5);
      await how();
      const [first = 0] = handed;
      expect(handed.length).to.be.at.least(15);
      expect(handed).to.deep.equal(handed.map((_, index) => first + index));
      expect(handed.at(-1)).to.equal(picture - 1);
      expect(gapAfter ?? handed.length).to.equal(handed.length);
    });

  it("holds the stream that waits, and no more of it in memory than the pre-roll", async () => {
    recording.follow(events());
    await pass(100);
    expect(stream.holders).to.equal(1);
    expect(await kept()).to.deep.equal([]);
    recording.follow(events({ beforeSeconds: 0 }));
    await pass(5);
    crossed();
    await pass(3);
    recording.follow({ mode: "off" });
    const [span] = await kept();
    expect(span).to.equal("105-108");
  });

  it("begins with an event that is there already", async () => {
    motion(true);
    recording.follow(events());
    await pass(3);
    expect(recording.info.state).to.equal("recording");
  });

  const ignored: readonly [string, () => void][] = [
    [
      "the bridge's own",
      () =>
        bus.publish({
          camera: "gate",
          kind: "recording",
          topic: onvifTopic("RecordingConfig/JobState"),
          source: [],
          data: [["State", "Active"]],
          property: true,
        }),
    ],
    [
      "another kind",
      () =>
        bus.publish({
          camera: "gate",
          kind: "tamper",
          topic: onvifTopic("VideoSource/GlobalSceneChange/ImagingService"),
          source: [],
          data: [["State", "true"]],
          property: true,
        }),
    ],
    ["motion that is over", () => motion(false)],
  ];
  for (const [what, happen] of ignored)
    it(`is not begun by ${what}`, async () => {
      recording.follow(events());
      await pass(5);
      happen();
      await pass(5);
      expect(await kept()).to.deep.equal([]);
    });

  it("says of each gap whose doing it is: hours, camera, no event", async () => {
    const [from, to] = ["13:05", "13:06"];
    const hours: Hours = { zone: "UTC", weekly: [{ days: [1, 2, 3, 4, 5, 6, 7], from, to }], exceptions: [] };
    recording.follow({ mode: "schedule", hours });
    await pass(20);
    recording.lost(LOST);
    await clock.advance(10_000);
    picture += 10 * FPS;
    recording.flows();
    await pass(60);
    expect(recording.info.state).to.equal("closed");
    expect(stream.holders).to.equal(0);
    expect(await kept()).to.deep.equal(["0-20", "30-60"]);
    expect(await gaps()).to.deep.equal(["20-30 network", "60- schedule"]);
  });

  it("notes that the camera was away while it waited: no event could be seen", async () => {
    recording.follow(events());
    await pass(5);
    recording.lost(LOST);
    await clock.advance(10_000);
    recording.flows();
    await pass(5);
    recording.follow({ mode: "off" });
    expect(await gaps()).to.deep.equal(["0-5 no-event", "5-15 network", "15-20 no-event", "20- off"]);
  });

  it("notes that the bridge did not run, and goes on as before", async () => {
    recording.follow(events());
    await pass(5);
    await recording.close();
    await archive.close();
    await clock.advance(100_000);
    await open();
    recording.follow(events());
    await clock.advance(2000);
    recording.flows();
    await clock.advance(1000);
    expect(await gaps()).to.deep.equal(["0-5 no-event", "5-105 stopped", "105-107 network", "107- no-event"]);
  });

  it("keeps nothing that was sent outside the hours, and asks for a key frame when they begin", async () => {
    const weekly = [{ days: [1, 2, 3, 4, 5, 6, 7], from: "13:06", to: "13:07" }];
    recording.follow({ mode: "schedule", hours: { zone: "UTC", weekly, exceptions: [] } });
    await pass(90);
    expect(stream.keyRequests).to.equal(1);
    recording.follow({ mode: "off" });
    expect(await kept()).to.deep.equal(["60-90"]);
  });

  it("goes on where the clock is set back to before it was begun", async () => {
    const weekly = [{ days: [1, 2, 3, 4, 5, 6, 7], from: "20:00", to: "21:00" }];
    recording.follow({ mode: "schedule", hours: { zone: "UTC", weekly, exceptions: [] } });
    await pass(3600);
    recording.follow({ mode: "continuous" });
    await pass(5);
    clock.setWall(unixMillis(clock.now() - 1800_000));
    startMs -= 1800_000;
    await pass(10);
    recording.follow({ mode: "off" });
    expect(await kept()).to.deep.equal(["1805-1815", "3600-3605"]);
  });

  it("is open when its time profile is, at any instant, over changes of the clock too", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: Date.UTC(2026, 2, 20), max: Date.UTC(2026, 10, 5) }),
        fc.array(fc.integer({ min: 1, max: 4 * 3600 }), { minLength: 1, maxLength: 20 }),
        fc.array(
          fc.record({
            days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
            from: fc.constantFrom("00:00", "01:30", "02:30", "08:00", "22:00"),
            to: fc.constantFrom("02:00", "02:45", "06:00", "18:00", "24:00"),
          }),
          { maxLength: 3 },
        ),
        async (start, steps, weekly) => {
          clock.setWall(unixMillis(start));
          const hours: Hours = { zone: "Europe/Copenhagen", weekly, exceptions: [] };
          recording.follow({ mode: "schedule", hours });
          for (const step of steps) {
            clock.setWall(unixMillis(clock.now() + step * 1000));
            recording.look();
            const { open: isOpen } = new TimeProfile(hours).at(clock.now());
            expect(stream.holders).to.equal(isOpen ? 1 : 0);
          }
          recording.follow({ mode: "off" });
        },
      ),
      { numRuns: 30 },
    ));
});
