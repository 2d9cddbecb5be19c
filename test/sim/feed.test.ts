import { expect } from "chai";
import { isoOf, type MonotonicMillis, type UnixMillis, unixMillis } from "../../base/units.ts";
import { Feed, type Frame, type Sound, type Watcher } from "../../sim/feed.ts";
import { tone } from "../../sim/tone.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

class Notes implements Watcher {
  readonly frames: Frame[] = [];
  readonly sounds: Sound[] = [];
  frame(frame: Frame): void {
    this.frames.push(frame);
  }
  sound(sound: Sound): void {
    this.sounds.push(sound);
  }
  get numbers(): readonly number[] {
    return this.frames.map(({ number }) => number);
  }
  get keys(): readonly number[] {
    return this.frames.filter(({ key }) => key).map(({ number }) => number);
  }
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** A clock of a machine that was busy for a while: no timer ran, and then it was later. */
class BusyClock extends VirtualClock {
  #busyMs = 0;
  stall(ms: number): void {
    this.#busyMs += ms;
  }
  override now(): UnixMillis {
    return unixMillis(super.now() + this.#busyMs);
  }
  override monotonic(): MonotonicMillis {
    return (super.monotonic() + this.#busyMs) as MonotonicMillis;
  }
}

describe("the feed of a simulated camera", () => {
  let clock: BusyClock;
  let feed: Feed;

  beforeEach(() => {
    clock = new BusyClock();
    feed = new Feed({ clock, name: "Gate", which: 0, size: { width: 320, height: 192 }, fps: 15, clockOffsetMs: 0 });
  });

  it("makes every frame at its instant, with a key frame every two seconds", async () => {
    const notes = new Notes();
    feed.watch(notes);
    await clock.advance(5000);
    expect(notes.numbers).to.deep.equal(range(0, 75));
    expect(notes.keys).to.deep.equal([0, 30, 60]);
    for (const { number, elapsedMs } of notes.frames) expect(elapsedMs).to.be.closeTo((number * 1000) / 15, 1e-6);
    feed.unwatch(notes);
  });

  it("makes nothing while nobody watches, and then goes on with the number of the time", async () => {
    await clock.advance(10_000);
    expect(clock.pending).to.equal(0);
    const notes = new Notes();
    feed.watch(notes);
    expect(feed.next).to.deep.equal({ elapsedMs: 10_000, position: 80_000 });
    await clock.advance(1000);
    feed.unwatch(notes);
    expect(notes.numbers).to.deep.equal(range(150, 165));
    expect(notes.keys).to.deep.equal([150]);
    await clock.advance(1000);
    expect(notes.frames).to.have.length(16);
    expect(clock.pending).to.equal(0);
  });

  it("makes one run for all, with a key frame for whoever joins", async () => {
    const [first, second] = [new Notes(), new Notes()];
    feed.watch(first);
    await clock.advance(500);
    feed.watch(second);
    await clock.advance(500);
    expect(second.frames).to.deep.equal(first.frames.slice(-second.frames.length));
    expect(second.frames[0]?.key).to.equal(true);
    feed.unwatch(first);
    feed.unwatch(second);
  });

  it("sends late what was due while the machine was busy, but not what is long over", async () => {
    const notes = new Notes();
    feed.watch(notes);
    await clock.advance(100);
    clock.stall(7010);
    await clock.advance(100);
    expect(notes.numbers).to.deep.equal(range(0, 108));
    clock.stall(60_000);
    await clock.advance(200);
    expect(notes.numbers.at(-1)).to.equal(1011);
    expect(notes.frames).to.have.length.below(120);
    feed.unwatch(notes);
  });

  it("changes its size with a key frame and new parameter sets", async () => {
    const notes = new Notes();
    feed.watch(notes);
    await clock.advance(200);
    const before = feed.parameterSets.sps;
    feed.resize({ width: 640, height: 360 });
    await clock.advance(200);
    feed.unwatch(notes);
    expect(feed.parameterSets.sps.equals(before)).to.equal(false);
    const [, changed] = notes.frames.filter(({ key }) => key);
    expect(changed?.nals[0]).to.deep.equal(feed.parameterSets.sps);
  });

  it("tells the time of a clock that is off", () => {
    const off = new Feed({
      clock,
      name: "x",
      which: 0,
      size: { width: 320, height: 192 },
      fps: 15,
      clockOffsetMs: -1000,
    });
    expect(isoOf(off.now())).to.equal("2025-12-31T23:59:59.000Z");
  });

  it("beeps in step with the seconds, and is silent between", async () => {
    const notes = new Notes();
    feed.watch(notes);
    await clock.advance(2000);
    feed.unwatch(notes);
    expect(notes.sounds.map(({ position }) => position)).to.deep.equal(range(0, 50).map((index) => index * 320));
    const loud = notes.sounds.flatMap(({ samples, position }) =>
      samples.some((sample) => sample !== 0xff) ? [position / 8] : [],
    );
    expect(loud).to.deep.equal([0, 40, 1000, 1040, 2000]);
  });

  it("codes sound as mu-law", () => {
    // 880 Hz for 80 ms from the full second on; a quarter of a period is 2.27 samples.
    const samples = tone(unixMillis(0), 640);
    expect(samples[0]).to.equal(0xff);
    expect(samples.subarray(1, 4).every((sample) => (sample & 0x80) !== 0)).to.equal(true);
    expect(samples.subarray(6, 9).every((sample) => (sample & 0x80) === 0)).to.equal(true);
  });
});
