import { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { asFault } from "../../../base/fault.ts";
import { ReusedMemory } from "../../../media/reused-memory.ts";
import type { RecordedSource } from "../../../media/source.ts";
import type { Lane } from "../../../rtsp/server/lane.ts";
import { ReplayPlayer } from "../../../rtsp/server/replay-player.ts";
import { SentNumbers } from "../../../rtsp/server/sent-numbers.ts";
import { InterleavedSink } from "../../../rtsp/server/sink.ts";
import { GroupWriter } from "../../../rtsp/server/writer.ts";
import { ALL_FRAMES } from "../../../rtsp/wire/replay.ts";
import { START } from "../../media/receiver-fixture.ts";
import { unreadRecording } from "../../support/unread-recording.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { groupOf, VIDEO } from "./stage.ts";

const LANES: ReadonlyMap<number, Lane> = new Map([[0, { index: 0, track: VIDEO, pair: [0, 1] }]]);

function open(source: RecordedSource, gone: AbortSignal): Promise<ReplayPlayer> {
  const clock = new VirtualClock(START);
  const writer = new GroupWriter({
    sink: new InterleavedSink(new Socket()),
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
    memory: new ReusedMemory(),
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
