import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import type { BridgedCamera, CameraInfo } from "../../bridge/camera.ts";
import { EventTrack } from "../../bridge/client-side/event-track.ts";
import { EventBus } from "../../bridge/event-bus.ts";
import { OwnEvents } from "../../bridge/own-events.ts";
import type { PacketGroup } from "../../media/group.ts";
import { readRtp } from "../../media/rtp.ts";
import { fakeCameras } from "../support/onvif-cameras.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("the bridge's own track of metadata", () => {
  let clock: VirtualClock;
  let camera: { info: CameraInfo };
  let own: OwnEvents;
  let bus: EventBus;
  let track: EventTrack;

  beforeEach(() => {
    clock = new VirtualClock();
    const info = fakeCameras(clock.now()).find("gate")?.info;
    if (info === undefined) throw new Error("no camera");
    camera = { info };
    bus = new EventBus(clock, silentLog());
    const bridged = {
      ...fakeCameras(clock.now()).find("gate"),
      get info() {
        return camera.info;
      },
    } as BridgedCamera;
    own = new OwnEvents({ bus, cameras: { list: () => [bridged], find: () => bridged }, clock });
    track = new EventTrack("gate", bus, clock);
  });
  afterEach(() => {
    own.close();
    expect(clock.pending, "timers").to.equal(0);
  });

  const join = (index = 2) => {
    const groups: PacketGroup[] = [];
    const leave = track.join(index, (group) => void groups.push(group));
    /** `VideoSource/SignalLoss Initialized false` … of each document. */
    const told = (): readonly (readonly string[])[] =>
      groups.map(({ packets }) => {
        const text = packets.map((packet) => readRtp(packet).payload.toString()).join("");
        return [...text.matchAll(/tns1:([\w/]+)<.*?PropertyOperation="(\w+)".*?<tt:Data>.*? Value="(\w+)"/g)].map(
          ([, topic, operation, value]) => `${topic} ${operation} ${value}`,
        );
      });
    return { groups, leave, told };
  };
  const whole = (loss: boolean, recording: string): readonly string[] => [
    `VideoSource/SignalLoss Initialized ${loss}`,
    `RecordingConfig/JobState Initialized ${recording}`,
    `RecordingHistory/Recording/State Initialized ${recording === "Active"}`,
  ];

  it("tells at once how everything stands, then each second what has changed", async () => {
    const { told, leave, groups } = join();
    await clock.advance(1000);
    camera.info = { ...camera.info, connection: { state: "offline", since: clock.now(), why: "unplugged" } };
    await clock.advance(1000);
    const [main, ...others] = camera.info.streams;
    const waiting = { ...main, recording: { ...main.recording, state: "waiting" } } as const;
    camera.info = { ...camera.info, streams: [waiting, ...others] };
    await clock.advance(2000);
    leave();
    expect(told()).to.deep.equal([
      whole(false, "Active"),
      [],
      ["VideoSource/SignalLoss Changed true"],
      ["RecordingConfig/JobState Changed Idle", "RecordingHistory/Recording/State Changed false"],
      [],
    ]);
    const packets = groups.map((group) => group.packets.map(readRtp));
    const first = packets[0]?.[0];
    for (const [index, { sequence, ssrc }] of packets.flat().entries())
      expect([(sequence - (first?.sequence ?? 0)) & 0xffff, ssrc]).to.deep.equal([index, track.ssrc]);
    for (const [index, document] of packets.entries())
      for (const packet of document) {
        expect((packet.timestamp - (first?.timestamp ?? 0)) >>> 0).to.equal(index * 90_000);
        expect(packet.marker, "ends the document").to.equal(packet === document.at(-1));
      }
  });

  it("tells everything anew within a second when somebody comes, or asks, however often", async () => {
    const one = join();
    await clock.advance(1000);
    const two = join(5);
    for (let count = 0; count < 1000; count += 1) track.renew();
    await clock.advance(2000);
    one.leave();
    two.leave();
    expect(one.told()).to.deep.equal([whole(false, "Active"), [], whole(false, "Active"), []]);
    expect(two.told()).to.deep.equal([whole(false, "Active"), []]);
    expect(two.groups.map((group) => group.track)).to.deep.equal([5, 5]);
    expect(one.groups.at(-1)?.packets).to.deep.equal(two.groups.at(-1)?.packets);
  });

  it("tells in several documents what is too much for one, whoever comes meanwhile, and what happens after it", async () => {
    const publish = (id: number, value: string): void =>
      bus.publish({
        camera: "gate",
        kind: undefined,
        topic: ["RuleEngine", "Field"],
        source: [["Rule", `${id}${"x".repeat(2000)}`]],
        data: [["State", value]],
        property: true,
      });
    for (let id = 0; id < 120; id += 1) publish(id, "old");
    const one = join();
    publish(0, "new");
    await clock.advance(1000);
    const two = join();
    await clock.advance(4000);
    one.leave();
    two.leave();
    const documents = one.told();
    expect(documents.flat().filter((line) => line.endsWith(" old"))).to.have.length(120 + 119);
    for (const { packets } of one.groups)
      expect(packets.reduce((sum, packet) => sum + readRtp(packet).payload.length, 0)).to.be.lessThan(140_000);
    const told = documents.flat().filter((line) => line.startsWith("RuleEngine/Field"));
    expect(told.indexOf("RuleEngine/Field Changed new")).to.equal(120);
    const rules = two
      .told()
      .flat()
      .filter((line) => /Field Initialized (?:old|new)/.test(line));
    expect(rules.length).to.be.at.least(120);
  });

  it("costs nothing while nobody has it, and goes on with its numbers", async () => {
    const one = join();
    one.leave();
    await clock.advance(10_000);
    const two = join();
    two.leave();
    const [before, after] = [one, two].map(({ groups }) => readRtp(groups[0]?.packets[0] ?? Buffer.alloc(0)));
    expect(((after?.sequence ?? 0) - (before?.sequence ?? 0)) & 0xffff).to.equal(one.groups[0]?.packets.length);
    expect(((after?.timestamp ?? 0) - (before?.timestamp ?? 0)) >>> 0).to.equal(900_000);
  });
});
