import { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { asFault } from "../../../base/fault.ts";
import { FramedPackets } from "../../../media/framed-packets.ts";
import { PacketGroup } from "../../../media/group.ts";
import { ReusedMemory } from "../../../media/reused-memory.ts";
import type { RecordedSource } from "../../../media/source.ts";
import type { Carrier } from "../../../rtsp/server/carrier.ts";
import type { Lane } from "../../../rtsp/server/lane.ts";
import { ReplayPlayer } from "../../../rtsp/server/replay-player.ts";
import { SentNumbers } from "../../../rtsp/server/sent-numbers.ts";
import { InterleavedSink } from "../../../rtsp/server/sink.ts";
import { GroupWriter } from "../../../rtsp/server/writer.ts";
import { ALL_FRAMES } from "../../../rtsp/wire/replay.ts";
import { START } from "../../media/receiver-fixture.ts";
import { unreadRecording } from "../../support/unread-recording.ts";
import { RunningClock } from "../../support/virtual-clock.ts";
import { groupOf, VIDEO } from "./stage.ts";

const LANES: ReadonlyMap<number, Lane> = new Map([[0, { index: 0, track: VIDEO, pair: [0, 1] }]]);

function open(
  source: RecordedSource,
  gone: AbortSignal,
  { memory = new ReusedMemory(), carrier = new Socket() }: { memory?: ReusedMemory; carrier?: Carrier } = {},
): Promise<ReplayPlayer> {
  const clock = new RunningClock(START);
  const writer = new GroupWriter({
    sink: new InterleavedSink(carrier),
    lanes: LANES,
    clock,
    reports: true,
    dropped: () => undefined,
  });
  return ReplayPlayer.open({
    source,
    stretch: { from: START },
    manner: { scale: 1, speed: 1, rateControl: true, frames: ALL_FRAMES },
    lanes: LANES,
    writer,
    memory,
    clock,
    numbers: new SentNumbers(),
    bytePace: undefined,
    onvif: undefined,
    gone,
    jump: false,
    ended: () => undefined,
    failed: () => undefined,
  });
}

/** To a client that takes nothing any more. `waits`: somebody waits for it to be empty. */
function fullCarrier(waits: () => void): Carrier {
  const nothing = (): void => undefined;
  return {
    write: nothing,
    cork: nothing,
    uncork: nothing,
    end: nothing,
    destroy: nothing,
    destroyed: false,
    writableLength: 1e6,
    bytesWritten: 0,
    on: nothing,
    once(event) {
      if (event === "drain") waits();
    },
    off: nothing,
  };
}

describe("a replay", () => {
  it("lets go of its beginning, which the answer told, once it runs", async () => {
    const source: RecordedSource = {
      ...unreadRecording([VIDEO], undefined),
      async *follow() {
        yield await Promise.resolve(groupOf(0));
      },
    };
    const player = await open(source, new AbortController().signal);
    expect([...player.first.keys()]).to.deep.equal([0]);
    player.run();
    expect(player.first.size).to.equal(0);
    player.stop();
  });

  it("gives back the memory of what waits for a client that takes nothing, when it is stopped", async () => {
    const memory = new ReusedMemory();
    const source: RecordedSource = {
      ...unreadRecording([VIDEO], undefined),
      async *follow() {
        for (let number = 0; ; number += 1) {
          const { bytes, packetCount, ...marks } = await Promise.resolve(groupOf(number));
          const piece = memory.take(bytes.length);
          bytes.copy(piece);
          yield new PacketGroup(marks, new FramedPackets(piece, packetCount), memory);
        }
      },
    };
    const waiting = Promise.withResolvers<void>();
    const carrier = fullCarrier(() => waiting.resolve());
    const { byteOffset, buffer } = memory.take(0);
    const player = await open(source, new AbortController().signal, { memory, carrier });
    player.run();
    await waiting.promise;
    player.stop();
    await setImmediate();
    // All of the block is free again but its first piece.
    memory.give({ byteOffset, buffer });
    expect(memory.take(1)).to.include({ byteOffset, buffer });
  });
});

describe("a replay whose first group is far away", () => {
  it("is given up when the client hangs up, and lets go of what it reads", async () => {
    const reading = Promise.withResolvers<void>();
    let letGo = false;
    const source: RecordedSource = {
      ...unreadRecording([VIDEO], undefined),
      async *follow(_range, signal) {
        reading.resolve();
        try {
          // Sound without end, where the client wants the picture.
          for (let number = 0; !signal.aborted; number += 1) {
            await setImmediate();
            yield groupOf(number, { track: 1 });
          }
        } finally {
          letGo = true;
        }
      },
    };
    const gone = new AbortController();
    const opening = open(source, gone.signal).then(() => undefined, asFault);
    await reading.promise;
    gone.abort();
    expect((await opening)?.kind).to.equal("not-found");
    expect(letGo).to.equal(true);
  });
});
