import { expect } from "chai";
import { isFault } from "../../../base/fault.ts";
import { later, type UnixMillis } from "../../../base/units.ts";
import type { RecordedSource } from "../../../media/source.ts";
import type { Track } from "../../../media/track.ts";
import { tracksOf } from "../../../rtsp/server/description.ts";
import type { RecordedPresentation } from "../../../rtsp/server/host.ts";
import { START } from "../../media/receiver-fixture.ts";
import { RunningClock } from "../../support/virtual-clock.ts";
import { AUDIO, VIDEO } from "./stage.ts";

describe("the tracks of a recording that is described", () => {
  let clock: RunningClock;
  let gone: AbortController;
  /** What is on the disk: its end, and its tracks. */
  let end: UnixMillis | undefined;
  const tracks: readonly Track[] = [VIDEO, AUDIO];

  beforeEach(() => {
    clock = new RunningClock(START);
    gone = new AbortController();
    end = undefined;
  });

  const described = (from?: UnixMillis): Promise<readonly Track[]> => {
    const there: RecordedSource["tracks"] = (at) =>
      Promise.resolve(end === undefined || (at !== undefined && at > end) ? [] : tracks);
    const presentation: RecordedPresentation = {
      kind: "recorded",
      name: "Gate",
      source: { tracks: there } as RecordedSource,
      ...(from === undefined ? {} : { from }),
      withheld: new Set(["metadata" as const]),
      ended: new AbortController().signal,
    };
    return tracksOf(presentation, { clock, gone: gone.signal });
  };
  const refusal = (asked: Promise<unknown>): Promise<boolean> =>
    asked.then(
      () => false,
      (error: unknown) => isFault(error, "not-found"),
    );

  it("are those of what was recorded last, where the instant is on its way to the disk", async () => {
    end = later(START, -5000);
    expect(await described(later(START, -2000))).to.equal(tracks);
  });

  it("are waited for in the first seconds of all", async () => {
    const waiting = described(later(START, -2000));
    await clock.advance(1000);
    end = clock.now();
    await clock.advance(1000);
    expect(await waiting).to.equal(tracks);
    expect(clock.pending).to.equal(0);
  });

  it("are refused when nothing has come, or the client has gone", async () => {
    const waiting = refusal(described(later(START, -2000)));
    await clock.advance(12_000);
    expect(await waiting).to.equal(true);
    const left = refusal(described(clock.now()));
    gone.abort();
    await clock.advance(1000);
    expect(await left).to.equal(true);
    expect(clock.pending).to.equal(0);
  });

  it("are refused at once where nothing will come: long ago without footage, the future, no instant at all", async () => {
    expect(await refusal(described())).to.equal(true);
    end = later(START, -3_600_000);
    for (const from of [later(START, -60_000), later(START, 3_600_000)])
      expect(await refusal(described(from))).to.equal(true);
  });
});
