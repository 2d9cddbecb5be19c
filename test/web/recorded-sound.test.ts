import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { unixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { Track } from "../../media/track.ts";
import type { RecordedSoundMessage } from "../../web/playback-protocol.ts";
import { RecordedSound } from "../../web/recorded-sound.ts";
import { AT, group, track } from "../media/codec-fixture.ts";
import { eventually } from "../support/bridge.ts";
import { type ScriptedRecording, scriptedRecording } from "../support/scripted-recording.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const PCMU = track("PCMU", "", { payloadType: 0 });

/** A picture each 100 ms, each tenth a key frame, and beside each a piece of sound that says its number. */
function groupsOf(first: number, end: number): readonly PacketGroup[] {
  return Array.from({ length: end - first }, (_, index) => first + index).flatMap((number) => {
    const at = unixMillis(AT + number * 100);
    const packet = Buffer.alloc(13);
    packet.writeUInt16BE(0x8000);
    packet.writeUInt16BE(number, 2);
    packet[12] = number;
    return [
      group(number * 9000, [Buffer.alloc(12)], { at, key: number % 10 === 0 }),
      group(number * 800, [packet], { at, key: false, track: 1 }),
    ];
  });
}

describe("the sound of a recording in the browser", () => {
  let recording: ScriptedRecording;
  let clock: VirtualClock;
  let told: RecordedSoundMessage[];
  let heard: (readonly [run: number, number: number, atMs: number])[];
  let sound: RecordedSound;

  const hear = (tracks: readonly Track[]): void => {
    recording = { ...scriptedRecording(tracks[0] as Track, groupsOf(0, 30)), tracks: () => Promise.resolve(tracks) };
    clock = new VirtualClock();
    [told, heard] = [[], []];
    const listener = {
      tell(message: RecordedSoundMessage, bytes?: Buffer): Promise<void> {
        if (message.type !== "piece") told.push(message);
        else if (bytes !== undefined) heard.push([message.run, bytes[8] ?? -1, bytes.readDoubleBE(0) - AT]);
        return Promise.resolve();
      },
    };
    sound = new RecordedSound(listener, { source: recording, clock, log: silentLog() });
  };
  const read = (run: number, from: number, until: number): void =>
    sound.take({ type: "read", run, from: unixMillis(AT + from), until: unixMillis(AT + until), backward: false });
  afterEach(() => sound.close());

  it("comes from the instant on that is asked for, with its times, as far as it is wanted", async () => {
    hear([track("H264"), PCMU]);
    read(1, 1250, 1600);
    await eventually(() => told.at(-1)?.type === "waiting");
    expect(told).to.deep.equal([
      { type: "sound", run: 1, codec: "ulaw", sampleRateHz: 8000, channels: 1 },
      { type: "waiting", run: 1, next: AT + 1700 },
    ]);
    expect(heard).to.deep.equal([13, 14, 15, 16].map((number) => [1, number, number * 100]));
    sound.take({ type: "more", run: 1, until: unixMillis(AT + 1800) });
    await eventually(() => heard.at(-1)?.[1] === 18);
  });

  it("is the newest wish's alone, and nothing is read behind a stop", async () => {
    hear([track("H264"), PCMU]);
    read(1, 0, 200);
    await eventually(() => told.at(-1)?.type === "waiting");
    read(2, 2000, 2100);
    await eventually(() => heard.at(-1)?.[0] === 2 && told.at(-1)?.type === "waiting");
    expect(heard.map(([run, number]) => `${run}: ${number}`)).to.deep.equal(["1: 0", "1: 1", "1: 2", "2: 20", "2: 21"]);
    sound.take({ type: "stop" });
    await eventually(() => recording.open() === 0);
  });

  it("goes on with what is recorded meanwhile", async () => {
    hear([track("H264"), PCMU]);
    read(1, 2800, 10_000);
    await eventually(() => heard.at(-1)?.[1] === 29);
    recording.add(...groupsOf(30, 31));
    await clock.advance(500);
    await eventually(() => heard.at(-1)?.[1] === 30);
  });

  it("is not looked for behind what is wanted where none was recorded", async () => {
    hear([track("H264"), PCMU]);
    recording.add(...groupsOf(30, 90).filter(({ track: index }) => index === 0));
    read(1, 3000, 4000);
    await eventually(() => told.at(-1)?.type === "waiting");
    expect(told).to.deep.equal([{ type: "waiting", run: 1, next: AT + 4100 }]);
    expect(recording.taken()).to.equal(12);
  });

  it("is looked for with rests where much was recorded without it", async () => {
    hear([track("H264"), PCMU]);
    const large = Buffer.alloc(60_000);
    recording.add(...groupsOf(30, 40).filter(({ track: index }) => index === 0));
    recording.add(
      ...Array.from({ length: 3000 }, (_, index) =>
        group(0, [large], { at: unixMillis(AT + 4000 + index), key: index === 0 }),
      ),
    );
    read(1, 4000, 100_000);
    await eventually(() => clock.pending > 0);
    expect(recording.taken() * large.length).to.be.within(64 * 1024 * 1024, 65 * 1024 * 1024);
    await clock.advance(1000);
    await eventually(() => recording.taken() > 2000);
  });

  for (const [what, tracks, why] of [
    ["nothing of it is recorded", [track("H264")], "Nothing is recorded with sound here."],
    [
      "browsers do not know its codec",
      [track("H264"), track("unknown", "", { kind: "audio", encoding: "G726-32" })],
      "Browsers cannot play G726-32 sound.",
    ],
  ] as const)
    it(`is a sentence where ${what}`, async () => {
      hear(tracks);
      read(7, 0, 1000);
      await eventually(() => told.length === 1);
      expect(told).to.deep.equal([{ type: "unplayable", run: 7, why }]);
      expect(heard).to.deep.equal([]);
    });
});
