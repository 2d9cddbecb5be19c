import { expect } from "chai";
import { asFault } from "../../../base/fault.ts";
import { type UnixMillis, unixMillis } from "../../../base/units.ts";
import type { RecordedPresentation } from "../../../rtsp/server/host.ts";
import { statusOf } from "../../../rtsp/server/reply.ts";
import { answerTo, stretchOf } from "../../../rtsp/server/stretch.ts";
import { parseRange, printRange } from "../../../rtsp/wire/range.ts";
import { unreadRecording } from "../../support/unread-recording.ts";

/** Seconds after this instant stand for instants in the table. */
const ZERO = Date.UTC(2026, 10, 24, 10, 0, 0);
const at = (seconds: number): UnixMillis => unixMillis(ZERO + seconds * 1000);

/** Recorded from 100 to 200. */
function presentation(from?: number, to?: number, recorded = true): RecordedPresentation {
  const source = unreadRecording([], recorded ? { from: at(100), to: at(200) } : undefined);
  return {
    kind: "recorded",
    withheld: new Set(),
    name: "Gate",
    source,
    ended: new AbortController().signal,
    ...(from === undefined ? {} : { from: at(from) }),
    ...(to === undefined ? {} : { to: at(to) }),
  };
}

type Row = readonly [
  what: string,
  address: RecordedPresentation,
  range: string | undefined,
  paused: number | undefined,
  outcome: readonly [from: number, to?: number] | number,
];

const ROWS: readonly Row[] = [
  ["nothing asked: from the beginning", presentation(), undefined, undefined, [100]],
  ["nothing asked after PAUSE: from there", presentation(), undefined, 150, [150]],
  ["npt=0-: from the beginning", presentation(), "npt=0.000-", undefined, [100]],
  ["npt=now-: from the beginning of the recording", presentation(), "npt=now-", undefined, [100]],
  ["npt with an end", presentation(), "npt=10-20", undefined, [110, 120]],
  ["npt of an address with a time", presentation(150, 160), "npt=5-", undefined, [155, 160]],
  ["clock", presentation(), "clock=20261124T100230Z-20261124T100240Z", undefined, [150, 160]],
  ["npt since 1900, as GStreamer has it", presentation(), "npt=4004503351-4004503361", undefined, [151, 161]],
  ["clock before the address's time: cut", presentation(150, 160), "clock=20261124T100000Z-", undefined, [150, 160]],
  [
    "clock beyond the address's time: cut",
    presentation(150, 160),
    "clock=20261124T100235Z-20261124T110000Z",
    undefined,
    [155, 160],
  ],
  ["an address with a time", presentation(150, 160), undefined, undefined, [150, 160]],
  ["an address with a time, nothing recorded", presentation(150, 160, false), undefined, undefined, [150, 160]],
  ["a range outside of the address's time", presentation(150, 160), "clock=20261124T100300Z-", undefined, 457],
  ["a range that ends where it begins", presentation(), "clock=20261124T100230Z-20261124T100230Z", undefined, 457],
  ["a reversed range", presentation(), "clock=20261124T100240Z-20261124T100230Z", undefined, 457],
  ["nothing recorded", presentation(undefined, undefined, false), undefined, undefined, 457],
];

const ANSWERS: readonly (readonly [asked: string | undefined, first: number, answer: string])[] = [
  [undefined, 149, "clock=20261124T100229.000Z-20261124T100240.000Z"],
  ["clock=20261124T100230Z-", 149, "clock=20261124T100229.000Z-20261124T100240.000Z"],
  ["npt=5-", 154, "npt=4.000-10.000"],
  ["npt=0-", 149, "npt=0.000-10.000"],
  ["npt=4004503351-", 151, "clock=20261124T100231.000Z-20261124T100240.000Z"],
];

describe("the range that is answered to PLAY", () => {
  for (const [asked, first, answer] of ANSWERS)
    it(`${asked ?? "nothing"}: ${answer}`, async () => {
      const range = asked === undefined ? undefined : parseRange(asked);
      const stretch = await stretchOf(presentation(150, 160), { range, paused: undefined, backward: false });
      expect(printRange(answerTo(stretch, at(first)))).to.equal(answer);
    });
});

describe("what a PLAY of a recording plays", () => {
  for (const [what, address, range, paused, outcome] of ROWS)
    it(what, async () => {
      const parsed = range === undefined ? undefined : parseRange(range);
      const played = await stretchOf(address, {
        range: parsed,
        paused: paused === undefined ? undefined : at(paused),
        backward: false,
      }).then(
        ({ from, to }) => [from, ...(to === undefined ? [] : [to])].map((one) => (one - ZERO) / 1000),
        (error: unknown) => statusOf(asFault(error)),
      );
      expect(played).to.deep.equal(outcome);
    });
});

const BACKWARD: readonly Row[] = [
  ["nothing asked: from the end to the beginning", presentation(), undefined, undefined, [200]],
  ["nothing asked after PAUSE: from there", presentation(), undefined, 150, [150]],
  ["a reversed range", presentation(), "clock=20261124T100240Z-20261124T100230Z", undefined, [160, 150]],
  ["a reversed range without an end", presentation(), "clock=20261124T100240Z-", undefined, [160]],
  ["an address with a time", presentation(150, 160), undefined, undefined, [160, 150]],
  [
    "a range beyond the address's time: cut",
    presentation(150, 160),
    "clock=20261124T110000Z-20261124T100000Z",
    undefined,
    [160, 150],
  ],
  ["npt", presentation(), "npt=20-10", undefined, [120, 110]],
  ["a range that goes forward", presentation(), "clock=20261124T100230Z-20261124T100240Z", undefined, 457],
  ["a range that ends where it begins", presentation(), "clock=20261124T100230Z-20261124T100230Z", undefined, 457],
];

describe("what a PLAY of a recording plays backwards", () => {
  for (const [what, address, range, paused, outcome] of BACKWARD)
    it(what, async () => {
      const parsed = range === undefined ? undefined : parseRange(range);
      const asked = { range: parsed, paused: paused === undefined ? undefined : at(paused), backward: true };
      const played = await stretchOf(address, asked).then(
        ({ from, to }) => [from, ...(to === undefined ? [] : [to])].map((one) => (one - ZERO) / 1000),
        (error: unknown) => statusOf(asFault(error)),
      );
      expect(played).to.deep.equal(outcome);
    });
});
