import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { unixMillis } from "../../base/units.ts";
import type { RecordedSource } from "../../media/source.ts";
import type { Track } from "../../media/track.ts";
import { type PlaybackViewer, RecordedPicture } from "../../web/playback.ts";
import type { PictureRequest, PlaybackMessage } from "../../web/playback-protocol.ts";
import { eventually } from "../support/bridge.ts";
import { FPS, GOP, NumberedFrames } from "../support/numbered-frames.ts";
import { START_MS } from "../support/recorder-samples.ts";
import { type ScriptedRecording, scriptedRecording } from "../support/scripted-recording.ts";
import { unreadRecording } from "../support/unread-recording.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const FRAME_MS = 1000 / FPS;
const frames = new NumberedFrames();
const GROUPS = Array.from({ length: 8 * GOP }, (_, index) => frames.group(index));
const at = (frame: number) => unixMillis(START_MS + frame * FRAME_MS);

/** What a page got of a recording: words, and how many binary messages came. */
class Page implements PlaybackViewer {
  readonly clock = new VirtualClock();
  readonly told: PlaybackMessage[] = [];
  readonly picture: RecordedPicture;
  binaries = 0;
  /** Holds back what is sent, as a slow connection does. */
  slow: Promise<void> = Promise.resolve();

  constructor(source: RecordedSource) {
    this.picture = new RecordedPicture(this, { source, clock: this.clock, log: silentLog() });
  }

  async tell(message: PlaybackMessage, bytes?: Buffer): Promise<void> {
    this.told.push(message);
    if (bytes === undefined) return;
    this.binaries += 1;
    await this.slow;
  }

  ask(request: PictureRequest): void {
    this.picture.take(request);
  }

  read(run: number, from: number, until: number, backward = false): void {
    this.ask({ type: "read", run, from: at(from), until: at(until), backward });
  }

  /** Numbers of the pictures that came for it. */
  frames(run: number): readonly number[] {
    return this.told
      .flatMap((one) => (one.type === "pictures" && one.run === run ? one.at : []))
      .map((instant) => Math.round((instant - START_MS) / FRAME_MS));
  }

  words(run: number): readonly string[] {
    return this.told.filter((one) => "run" in one && one.run === run).map(({ type }) => type);
  }
}

const span = (first: number, end: number): readonly number[] =>
  Array.from({ length: end - first }, (_, index) => first + index);

describe("a recording in the browser", () => {
  let recording: ScriptedRecording;
  let page: Page;
  beforeEach(() => {
    recording = scriptedRecording(frames.track, GROUPS);
    page = new Page(recording);
  });
  afterEach(() => {
    page.picture.close();
  });

  it("begins with the key frame before the instant, ends where the page wants no more, and goes on from there", async () => {
    page.read(1, GOP + 7, 2 * GOP);
    await eventually(() => page.frames(1).length === GOP + 1);
    expect(page.frames(1)).to.deep.equal(span(GOP, 2 * GOP + 1));
    // One further picture is at hand, and nothing beyond.
    expect(recording.taken()).to.equal(GOP + 2);
    await eventually(() => page.told.at(-1)?.type === "waiting");
    expect(page.told.at(-1)).to.deep.equal({ type: "waiting", run: 1, next: at(2 * GOP + 1) });
    page.ask({ type: "more", run: 1, until: at(3 * GOP) });
    await eventually(() => page.frames(1).at(-1) === 3 * GOP);
    expect(page.frames(1)).to.deep.equal(span(GOP, 3 * GOP + 1));
    expect(page.words(1).filter((word) => word === "stream")).to.have.length(1);
    expect(page.told[0]).to.include({ type: "stream", width: 384, height: 32 });
  });

  it("is told to have ended, and goes on where more is recorded", async () => {
    page.read(1, 7 * GOP, 20 * GOP);
    await eventually(() => page.words(1).includes("end"));
    expect(page.frames(1)).to.deep.equal(span(7 * GOP, 8 * GOP));
    recording.add(frames.group(8 * GOP), frames.group(8 * GOP + 1));
    await page.clock.advance(500);
    await eventually(() => page.frames(1).at(-1) === 8 * GOP + 1);
    await eventually(() => page.words(1).filter((word) => word === "end").length === 2);
  });

  it("goes backwards by key frames, as far as the page wants", async () => {
    page.read(1, 3 * GOP + 5, 2 * GOP, true);
    await eventually(() => page.frames(1).length === 2);
    expect(page.frames(1)).to.deep.equal([3 * GOP, 2 * GOP]);
    page.ask({ type: "more", run: 1, until: at(-1) });
    await eventually(() => page.words(1).includes("end"));
    expect(page.frames(1)).to.deep.equal([3 * GOP, 2 * GOP, GOP, 0]);
  });

  it("is read for the newest wish alone, and everything before is let go of", async () => {
    page.read(1, 0, 8 * GOP);
    for (let run = 2; run < 50; run += 1) page.read(run, GOP, 8 * GOP);
    page.read(50, 2 * GOP, 2 * GOP + 1);
    await eventually(() => page.frames(50).length === 2);
    for (let run = 2; run < 50; run += 1) expect(page.words(run)).to.deep.equal([]);
    expect(recording.open()).to.equal(1);
    page.ask({ type: "stop" });
    await eventually(() => recording.open() === 0);
    page.ask({ type: "more", run: 50, until: at(4 * GOP) });
    expect(recording.open()).to.equal(0);
  });

  it("waits for a page that takes it slowly", async () => {
    const held = Promise.withResolvers<void>();
    page.slow = held.promise;
    page.read(1, 0, 8 * GOP);
    await eventually(() => page.binaries === 1);
    expect(recording.taken()).to.be.below(GOP);
    held.resolve();
    await eventually(() => page.frames(1).length === 8 * GOP);
  });

  it("is let go of when the page is gone", async () => {
    page.read(1, 0, GOP);
    await eventually(() => page.frames(1).length === GOP + 1);
    page.picture.close();
    await eventually(() => recording.open() === 0);
  });

  const track = (codec: Track["codec"]): Track => ({ ...frames.track, codec, encoding: codec });
  it("is said to be empty, not showable, or not readable", async () => {
    const broken = unreadRecording([frames.track], undefined);
    for (const [source, told] of [
      [scriptedRecording(frames.track, []), { type: "end", run: 1 }],
      [
        scriptedRecording(track("JPEG"), GROUPS),
        { type: "unplayable", run: 1, why: "Browsers cannot show JPEG video." },
      ],
      [
        broken,
        {
          type: "unplayable",
          run: 1,
          why: "The recording cannot be read at the moment. The log of the bridge says more.",
        },
      ],
    ] as const) {
      const other = new Page(source);
      other.read(1, 0, GOP);
      await eventually(() => other.told.length > 0);
      expect(other.told).to.deep.equal([told]);
      other.picture.close();
    }
  });
});
