import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { FramedPackets } from "../../../media/framed-packets.ts";
import { PacketGroup } from "../../../media/group.ts";
import { ReusedMemory } from "../../../media/reused-memory.ts";
import type { RecordedSource } from "../../../media/source.ts";
import { itemsOf } from "../../../rtsp/server/replay-items.ts";
import { SentNumbers } from "../../../rtsp/server/sent-numbers.ts";
import { ALL_FRAMES, type FrameChoice } from "../../../rtsp/wire/replay.ts";
import { START } from "../../media/receiver-fixture.ts";
import { unreadRecording } from "../../support/unread-recording.ts";
import { RunningClock } from "../../support/virtual-clock.ts";
import { AUDIO, groupOf, VIDEO } from "./stage.ts";

const WITHOUT_REST_BYTES = 64 * 1024 * 1024;
const REST_MS = 1000;
const BYTES = 60_000;
/** Of pictures every 100 ms, each 1500th. */
const SELDOM: FrameChoice = { pictures: "intra", intervalMs: 150_000 };

describe("what a client is played of a recording", () => {
  let clock: RunningClock;
  let stopping: AbortController;
  let readBytes: number;

  beforeEach(() => {
    clock = new RunningClock(START);
    stopping = new AbortController();
    readBytes = 0;
  });
  afterEach(() => expect(clock.pending, "timers").to.equal(0));

  /** `made`: the groups of a recording without end, by their number. */
  const sourceOf = (made: (number: number) => PacketGroup): RecordedSource => {
    async function* read(_reading: unknown, signal: AbortSignal): AsyncGenerator<PacketGroup> {
      for (let number = 0; !signal.aborted; number += 1) {
        // Others have their turn.
        if (number % 100 === 0) await setImmediate();
        const group = made(number);
        readBytes += group.byteLength;
        yield group;
      }
    }
    return { ...unreadRecording([VIDEO, AUDIO], undefined), follow: read, readBackward: read };
  };
  const play = (
    source: RecordedSource,
    o: {
      readonly tracks: readonly number[];
      readonly scale?: number;
      readonly frames?: FrameChoice;
      readonly onvif?: number;
    },
  ) =>
    itemsOf(
      {
        source,
        stretch: { from: START },
        manner: { scale: o.scale ?? 1, speed: 1, rateControl: true, frames: o.frames ?? ALL_FRAMES },
        lanes: new Map(
          o.tracks.map((index) => [index, { index, track: index === 0 ? VIDEO : AUDIO, pair: [0, 1] as const }]),
        ),
        clock,
        numbers: new SentNumbers(),
        onvif: o.onvif,
      },
      new ReusedMemory(),
      stopping.signal,
    );

  for (const [what, scale] of [
    ["forward", 1],
    ["backward", -1],
  ] as const)
    it(`gives the memory back of what was read and not handed on when it ends early: ${what}`, async () => {
      const memory = new ReusedMemory();
      const source = sourceOf((number) => {
        const { bytes, packetCount, ...marks } = groupOf(number, {
          track: number % 2,
          key: number % 10 === 0,
          bytes: 1000,
        });
        const piece = memory.take(bytes.length);
        bytes.copy(piece);
        const discontinuity = number % 10 === 0;
        return new PacketGroup({ ...marks, discontinuity }, new FramedPackets(piece, packetCount), memory);
      });
      const { byteOffset, buffer } = memory.take(0);
      const items = play(source, { tracks: [0, 1], onvif: 7, scale });
      const handed = [];
      while (handed.length < 15) handed.push((await items.next()).value?.group);
      await items.return(undefined);
      for (const group of handed) group?.release();
      // All of the block is free again but its first piece.
      memory.give({ byteOffset, buffer });
      expect(memory.take(1)).to.include({ byteOffset, buffer });
    });

  const searches = [
    ["for a plain player", {}],
    ["for a client of ONVIF", { onvif: 7 }],
    ["backwards", { onvif: 7, scale: -1 }],
    ["for pictures among sound, which is not played at another speed", { scale: 2, tracks: [0, 1] }],
  ] as const;
  for (const [what, o] of searches)
    it(`is looked for with rests where there is none of its tracks, ${what}`, async () => {
      const next = play(
        sourceOf((number) => groupOf(number, { track: 1, bytes: BYTES })),
        { tracks: [0], ...o },
      ).next();
      for (const rounds of [1, 2]) {
        while (clock.pending === 0) await setImmediate();
        expect(readBytes / WITHOUT_REST_BYTES).to.be.within(rounds, rounds + 0.01);
        await clock.advance(REST_MS);
      }
      stopping.abort();
      expect((await next).done).to.equal(true);
    });

  const found = [
    ["pictures between those that are asked for", () => ({ key: true }), SELDOM],
    ["other tracks beside its own", (number: number) => ({ track: number % 1000 === 0 ? 0 : 1 }), ALL_FRAMES],
  ] as const;
  for (const [what, of, frames] of found)
    it(`is read without a rest through ${what}`, async () => {
      const items = play(
        sourceOf((number) => groupOf(number, { bytes: BYTES, ...of(number) })),
        { tracks: [0], frames },
      );
      for (let count = 0; count < 3; count += 1) expect((await items.next()).value).not.to.equal(undefined);
      expect(readBytes).to.be.above(1.5 * WITHOUT_REST_BYTES);
      await items.return(undefined);
    });

  it("is without the B pictures, with all of the sound, and numbered without a gap, where predicted pictures are asked for", async () => {
    /** Headers of slices: two B pictures that others do not refer to behind each P picture, and sound beside each. */
    const slice = (number: number): number => (number % 3 === 0 ? 0x41c0 : 0x01a0);
    const items = play(
      sourceOf((number) => {
        const made = groupOf(number >> 1, { track: number % 2 });
        if (number % 2 === 0) made.packets[0]?.writeUInt16BE(slice(number >> 1), 12);
        return made;
      }),
      { tracks: [0, 1], frames: { pictures: "predicted", intervalMs: 0 } },
    );
    const played: string[] = [];
    while (played.length < 12) {
      const { group } = (await items.next()).value ?? expect.fail("nothing more");
      const [sequence, number] = [group.packets[0]?.readUInt16BE(2), (group.at - START) / 100];
      played.push(`${group.track === 0 ? "picture" : "sound"} ${number} as ${sequence}`);
    }
    await items.return(undefined);
    expect(played.filter((one) => one.startsWith("picture"))).to.deep.equal([
      "picture 0 as 0",
      "picture 3 as 1",
      "picture 6 as 2",
    ]);
    expect(played.filter((one) => one.startsWith("sound"))).to.deep.equal(
      Array.from({ length: 9 }, (_, index) => `sound ${index} as ${index}`),
    );
  });
});
