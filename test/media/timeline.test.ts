import { expect } from "chai";
import * as fc from "fast-check";
import { unixMillis } from "../../base/units.ts";
import { type Placed, Timeline } from "../../media/timeline.ts";

const START = Date.UTC(2026, 0, 1);
const HZ = 90_000;

/** A camera with a clock of its own, and what a timeline makes of it. Times are milliseconds since the start. */
class Scene {
  readonly timeline = new Timeline(HZ);
  readonly placed: Placed[] = [];

  /** The access unit of camera time `mediaMs` arrives at `arrivedMs`; returns when it was placed. */
  place(mediaMs: number, arrivedMs: number): number {
    const placed = this.timeline.place(ticks(mediaMs), unixMillis(START + arrivedMs));
    this.placed.push(placed);
    return placed.at - START;
  }

  report(mediaMs: number, ntpMs: number, arrivedMs: number): void {
    this.timeline.report(ticks(mediaMs), unixMillis(START + ntpMs), unixMillis(START + arrivedMs));
  }

  get jumps(): number {
    return this.placed.filter(({ jump }) => jump !== undefined).length;
  }
}

/** 32 bits that begin shortly before they wrap. */
function ticks(ms: number): number {
  return (0xffff_0000 + Math.round((ms * HZ) / 1000)) >>> 0;
}

/** Frames of a camera with a right clock and no delay; returns when the last one was placed. */
const play = (scene: Scene, from: number, to: number): number => {
  let before = Number.NEGATIVE_INFINITY;
  for (let frame = from; frame < to; frame += 1) {
    const at = scene.place(frame * 40, frame * 40);
    expect(at, "never back").to.be.above(before);
    before = at;
  }
  return before;
};

describe("the timeline of a track", () => {
  it("goes on evenly over the wrap of RTP time, whatever the jitter", () => {
    const scene = new Scene();
    for (let frame = 0; frame < 1000; frame += 1) {
      const jitter = frame === 0 ? 0 : (frame * 7919) % 30;
      expect(scene.place(frame * 40, frame * 40 + jitter)).to.be.closeTo(frame * 40, 0.02);
    }
    expect(scene.jumps).to.equal(0);
  });

  it("goes on over many wraps", () => {
    const scene = new Scene();
    // RTP time of 90 kHz wraps after 13.25 hours.
    for (let at = 0; at < 48 * 3_600_000; at += 9000) expect(scene.place(at, at)).to.be.closeTo(at, 1);
    expect(scene.jumps).to.equal(0);
  });

  it("learns the delay from a burst of old pictures at the start", () => {
    const scene = new Scene();
    for (let frame = 0; frame <= 50; frame += 1) scene.place(frame * 40, 10_000 + frame);
    // The newest picture of the burst was captured at about its arrival; the others had been waiting.
    expect(scene.place(52 * 40, 10_080)).to.be.closeTo(10_080, 45);
    expect(scene.place(100 * 40, 12_000)).to.be.closeTo(12_000, 51);
    expect(scene.jumps).to.equal(0);
  });

  it("follows a clock that runs 300 ppm slow or fast, by itself", () => {
    for (const ppm of [300, -300]) {
      const scene = new Scene();
      let at = 0;
      for (let frame = 0; frame < 100_000; frame += 1) at = scene.place(frame * 40 * (1 + ppm * 1e-6), frame * 40);
      expect(at).to.be.closeTo(99_999 * 40, 20);
      expect(scene.jumps).to.equal(0);
    }
  });

  it("begins anew now and then where a clock is hopeless", () => {
    const scene = new Scene();
    let at = 0;
    for (let frame = 0; frame < 50_000; frame += 1) at = scene.place(frame * 40 * 0.98, frame * 40);
    expect(at).to.be.closeTo(49_999 * 40, 2500);
    expect(scene.jumps).to.be.within(1, 25);
  });

  it("never places a picture after its arrival, and does not turn back when one comes early", () => {
    const scene = new Scene();
    scene.place(0, 500);
    expect(scene.place(40, 510)).to.equal(510);
    expect(scene.place(80, 520)).to.equal(520);
    expect(scene.place(1000, 1001)).to.equal(1001);
  });

  it("waits out a network that stalls", () => {
    const scene = new Scene();
    for (let frame = 0; frame < 100; frame += 1) scene.place(frame * 40, frame * 40);
    for (let frame = 100; frame < 200; frame += 1) expect(scene.place(frame * 40, 8000)).to.be.closeTo(frame * 40, 1);
    expect(scene.jumps).to.equal(0);
  });

  it("lets B-frames step back", () => {
    const scene = new Scene();
    expect([0, 120, 40, 80, 240, 160, 200].map((ms, index) => scene.place(ms, 300 + index * 40))).to.satisfy(
      (placed: number[]) => placed[2] !== undefined && placed[2] < (placed[1] ?? 0),
    );
    expect(scene.jumps).to.equal(0);
  });

  const jumps: readonly (readonly [what: string, mediaMs: number])[] = [
    ["back to the beginning", 0],
    ["back by five seconds", 15_000],
    ["ahead by an hour", 3_620_000],
  ];
  for (const [what, mediaMs] of jumps)
    it(`notices that the camera's clock jumps ${what}, and goes on`, () => {
      const scene = new Scene();
      for (let frame = 0; frame <= 500; frame += 1) scene.place(frame * 40, frame * 40);
      expect(scene.place(mediaMs, 20_040)).to.equal(20_040);
      expect(scene.jumps).to.equal(1);
      expect(scene.place(mediaMs + 40, 20_080)).to.equal(20_080);
      expect(scene.jumps).to.equal(1);
    });

  describe("with sender reports", () => {
    it("takes the time of a camera whose clock is set, without turning back", () => {
      const scene = new Scene();
      play(scene, 0, 25);
      // Captured 300 ms before it came.
      scene.report(1000, 700, 1000);
      expect(play(scene, 25, 27)).to.be.within(1000, 1041);
      expect(scene.placed.at(-1)?.quality).to.equal("corrected");
      expect(play(scene, 27, 500)).to.be.closeTo(499 * 40 - 300, 5);
      expect(scene.placed.at(-1)?.quality).to.equal("camera");
      expect(scene.jumps).to.equal(0);
    });

    it("takes it from the first picture on where the report comes first", () => {
      const scene = new Scene();
      scene.report(0, -200, 0);
      expect(scene.place(0, 0)).to.equal(-200);
      expect(scene.placed[0]?.quality).to.equal("camera");
    });

    for (const offMs of [-3_600_000, -6000, 2000, 3_600_000])
      it(`ignores a camera whose clock is ${offMs / 1000} s off`, () => {
        const scene = new Scene();
        for (let frame = 0; frame < 500; frame += 1) {
          if (frame % 125 === 0) scene.report(frame * 40, frame * 40 + offMs, frame * 40);
          expect(scene.place(frame * 40, frame * 40)).to.be.closeTo(frame * 40, 1);
        }
        expect(scene.placed.every(({ quality }) => quality === "arrival")).to.equal(true);
      });

    it("ignores reports that count from elsewhere", () => {
      const scene = new Scene();
      scene.report(7_000_000, 0, 0);
      expect(scene.place(0, 0)).to.equal(0);
      expect(scene.place(40, 40)).to.equal(40);
      expect(scene.placed.every(({ quality }) => quality === "arrival")).to.equal(true);
    });

    it("never places a picture after its arrival, though the camera is ahead of us", () => {
      const scene = new Scene();
      scene.report(0, 500, 0);
      for (let frame = 0; frame < 100; frame += 1)
        expect(scene.place(frame * 40, frame * 40)).to.be.at.most(frame * 40);
    });

    it("follows a camera that sets its clock, slowly", () => {
      const scene = new Scene();
      scene.report(0, -100, 0);
      play(scene, 0, 100);
      scene.report(4000, 3000, 4000);
      const at = play(scene, 100, 1000);
      expect(at).to.be.closeTo(999 * 40 - 1000, 5);
      expect(scene.jumps).to.equal(0);
    });

    it("goes back to arrival when reports stay away", () => {
      const scene = new Scene();
      scene.report(0, -300, 0);
      play(scene, 0, 3000);
      expect(scene.placed.at(-1)?.quality).to.equal("arrival");
      expect(scene.placed.at(10)?.quality).to.equal("camera");
    });
  });

  it("begins where an earlier timeline of the track has come to", () => {
    const timeline = new Timeline(HZ, unixMillis(START + 900));
    timeline.report(0, unixMillis(START + 700), unixMillis(START + 1000));
    expect(timeline.place(0, unixMillis(START + 1000)).at - START).to.equal(900);
  });

  it("holds still while our own clock is corrected, and begins anew where it was set back", () => {
    const scene = new Scene();
    scene.place(0, 10_000);
    scene.place(40, 10_040);
    expect(scene.place(80, 9900)).to.equal(10_040);
    expect(scene.jumps).to.equal(0);
    expect(scene.place(120, -3_600_000)).to.equal(-3_600_000);
    expect(scene.jumps).to.equal(1);
  });

  it("never goes back, and never runs ahead of arrivals, whatever a camera without B-frames sends", () => {
    const step = fc.record({
      stepMs: fc.oneof(fc.nat(200), fc.integer({ min: -100_000, max: 100_000 })),
      passedMs: fc.oneof(fc.nat(200), fc.nat(30_000)),
      report: fc.option(fc.integer({ min: -8000, max: 3000 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const timeline = new Timeline(HZ);
        let [media, arrived, before] = [0, START, Number.NEGATIVE_INFINITY];
        for (const { stepMs, passedMs, report } of steps) {
          // Small steps back are B-frames, which may lie in the past.
          media += stepMs < 0 && stepMs >= -1000 ? 0 : stepMs;
          arrived += passedMs;
          if (report !== null) timeline.report(ticks(media), unixMillis(arrived + report), unixMillis(arrived));
          const { at } = timeline.place(ticks(media), unixMillis(arrived));
          expect(at).to.be.at.most(arrived + 1e-6);
          expect(at).to.be.at.least(before - 1e-6);
          before = at;
        }
      }),
    );
  });
});
