import { expect } from "chai";
import * as fc from "fast-check";
import { type UnixMillis, unixMillis } from "../../base/units.ts";
import { type Placed, Timeline } from "../../media/timeline.ts";

const START = Date.UTC(2026, 0, 1);
const HZ = 90_000;
const FRAME_MS = 40;

/** What happens to a camera's stream from a frame on. */
type Event =
  /** Its timestamps jump by so much. */
  | { readonly what: "jump"; readonly ms: number }
  /** Its timestamps begin anew at 0, as after a restart of its encoder. */
  | { readonly what: "reset" }
  /** The network holds everything back for so long, and then delivers it at once. */
  | { readonly what: "stall"; readonly ms: number }
  /** Its wall clock is set to be off by so much; reports say so from then on. */
  | { readonly what: "clock"; readonly offMs: number }
  /** It begins, or stops, to send reports. */
  | { readonly what: "reports"; readonly on: boolean }
  /** NTP corrects our own clock by so much. */
  | { readonly what: "ours"; readonly ms: number };

interface Story {
  /** By how much the camera's RTP clock runs fast, in ppm. */
  readonly driftPpm: number;
  /** Of the frames before we connected, all delivered at the beginning. */
  readonly burst: number;
  /** Between capture and arrival: the least, and up to how much more. */
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly events: readonly (Event & { readonly frame: number })[];
}

const FRAMES = 2000;

const LEAST_BOUND_MS = 4000;
/** Steps back by less than a second are what B-frames do, and not noticed. */
const NOTICED_MS = 1100;
const noticed = fc.oneof(
  fc.integer({ min: -3_600_000, max: -NOTICED_MS }),
  fc.integer({ min: NOTICED_MS, max: 3_600_000 }),
);

const event = (offMs: fc.Arbitrary<number>): fc.Arbitrary<Event & { frame: number }> => {
  const frame = fc.integer({ min: Math.ceil((2 * NOTICED_MS) / FRAME_MS), max: FRAMES - 1 });
  return fc.oneof(
    fc.record({ what: fc.constant("jump" as const), ms: noticed, frame }),
    fc.record({ what: fc.constant("reset" as const), frame }),
    fc.record({ what: fc.constant("stall" as const), ms: fc.integer({ min: 1, max: 4000 }), frame }),
    fc.record({ what: fc.constant("clock" as const), offMs, frame }),
    fc.record({ what: fc.constant("reports" as const), on: fc.boolean(), frame }),
    fc.record({ what: fc.constant("ours" as const), ms: fc.integer({ min: -20, max: 20 }), frame }),
  );
};

const story = (offMs: fc.Arbitrary<number>): fc.Arbitrary<Story> =>
  fc.record({
    driftPpm: fc.integer({ min: -400, max: 400 }),
    burst: fc.integer({ min: 0, max: 100 }),
    delayMs: fc.integer({ min: 0, max: 300 }),
    jitterMs: fc.integer({ min: 0, max: 150 }),
    events: fc.array(event(offMs), { maxLength: 8 }),
  });

interface Told extends Placed {
  /** When it was captured and when it came, by our clock. */
  readonly truth: number;
  readonly arrived: number;
  /** The camera's timestamps have not jumped since its newest report. */
  readonly reported: boolean;
}

/** A deterministic wobble between 0 and 1. */
const wobble = (index: number): number => ((index * 7919) % 101) / 101;

/** Plays a story to a timeline. */
function tell({ driftPpm, burst, delayMs, jitterMs, events }: Story): readonly Told[] {
  const timeline = new Timeline(HZ);
  const told: Told[] = [];
  let shiftMs = 0;
  let reportedShiftMs = 0;
  let heldUntil = burst * FRAME_MS;
  let off = 0;
  let reports = false;
  let ours = 0;
  let last = 0;
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const captured = frame * FRAME_MS;
    const clockMs = captured * (1 + driftPpm / 1e6);
    const before = shiftMs;
    for (const one of events.filter((each) => each.frame === frame)) {
      if (one.what === "jump") shiftMs += one.ms;
      else if (one.what === "reset") shiftMs = -clockMs;
      else if (one.what === "stall") heldUntil = Math.max(heldUntil, captured + one.ms);
      else if (one.what === "clock") off = one.offMs;
      else if (one.what === "reports") reports = one.on;
      else ours += one.ms;
    }
    if (shiftMs < before && shiftMs > before - NOTICED_MS) shiftMs = before;
    const ticks = Math.round(((clockMs + shiftMs) * HZ) / 1000) >>> 0;
    // One connection: nothing overtakes.
    last = Math.max(last, captured + delayMs + jitterMs * wobble(frame), heldUntil);
    const arrived = unixMillis(START + last + ours);
    if (reports && frame % 125 === 0) {
      timeline.report(ticks, (START + captured + ours + off) as UnixMillis, arrived);
      reportedShiftMs = shiftMs;
    }
    const reported = shiftMs === reportedShiftMs;
    told.push({ ...timeline.place(ticks, arrived), truth: START + captured + ours, arrived, reported });
  }
  return told;
}

/** What is the same whatever happens. */
function expectOrder(told: readonly Told[]): void {
  let newest = 0;
  for (const [index, { at, arrived }] of told.entries()) {
    // Where our own clock was corrected backwards, footage holds still.
    newest = Math.max(newest, arrived);
    expect(at, `frame ${index} is not before the one before it`).to.be.at.least(told[index - 1]?.at ?? 0);
    expect(at, `frame ${index} is not younger than its arrival`).to.be.at.most(newest);
  }
}

describe("footage times, whatever a camera and the network do", () => {
  it("only rise, and lie between the capture and the arrival where no report is believed", () => {
    fc.assert(
      // Clocks that are hours off.
      fc.property(story(fc.constantFrom(-7_200_000, 86_400_000)), (one) => {
        const told = tell({ ...one, events: [{ what: "clock", offMs: -3_600_000, frame: 0 }, ...one.events] });
        expectOrder(told);
        for (const [index, { at, truth }] of told.entries())
          expect(at - truth, `frame ${index} is not dated before its capture`).to.be.at.least(-200);
      }),
      { numRuns: 25 },
    );
  });

  it("come to within the jitter of the truth where the camera's clock is right", () => {
    fc.assert(
      fc.property(story(fc.constant(0)), (one) => {
        const told = tell({ ...one, events: [{ what: "reports", on: true, frame: 0 }, ...one.events] });
        expectOrder(told);
        for (const [index, { at, truth, quality, reported }] of told.entries()) {
          expect(at - truth, `frame ${index}`).to.be.at.least(-200);
          // A jump inside a burst of old pictures contradicts nothing that is known before the next report.
          if (quality === "camera" && reported)
            expect(at - truth, `frame ${index} by the camera's clock`).to.be.at.most(200);
        }
      }),
      {
        numRuns: 25,
        // Seen once: timestamps that jump by less than what a burst is late by.
        examples: [
          [{ driftPpm: 0, burst: 81, delayMs: 0, jitterMs: 0, events: [{ what: "jump", ms: 1100, frame: 55 }] }],
        ],
      },
    );
  });

  it("fall behind by no more than four seconds where the camera steps back by less than is noticed, every eleven seconds", () => {
    // Once in the time of a window, which is 10 s.
    const period = 11_000 / FRAME_MS;
    const steps = fc.array(fc.integer({ min: 1, max: 999 }), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (all) => {
        const timeline = new Timeline(HZ);
        let back = 0;
        for (let frame = 0; frame < FRAMES; frame += 1) {
          if (frame % period === 0) back += all[frame / period] ?? 0;
          const arrived = unixMillis(START + frame * FRAME_MS);
          const ticks = Math.round(((frame * FRAME_MS - back) * HZ) / 1000) >>> 0;
          expect(timeline.place(ticks, arrived).at - arrived, `frame ${frame}`).to.be.within(-LEAST_BOUND_MS, 0);
        }
      }),
      { numRuns: 25 },
    );
  });

  it("are never further off than a clock that is believed, five seconds behind and one ahead", () => {
    fc.assert(
      fc.property(story(fc.integer({ min: -6000, max: 2000 })), (one) => {
        const told = tell({ ...one, events: [{ what: "reports", on: true, frame: 0 }, ...one.events] });
        expectOrder(told);
        for (const [index, { at, truth }] of told.entries()) expect(at - truth, `frame ${index}`).to.be.at.least(-5200);
      }),
      { numRuns: 25 },
    );
  });
});
