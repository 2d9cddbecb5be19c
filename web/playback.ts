import type { Clock } from "../base/clock.ts";
import { asFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { SECOND } from "../base/units.ts";
import { codecString } from "../media/codec-string.ts";
import { createDepacketizer, type Depacketizer } from "../media/depacketizer.ts";
import type { PacketGroup } from "../media/group.ts";
import type { Sample, SampleFormat } from "../media/sample.ts";
import type { RecordedSource } from "../media/source.ts";
import { initSegment } from "../recorder/fmp4.ts";
import { SHOWN } from "./live.ts";
import { type PictureFragment, PictureFragments, VIDEO_CLOCK_HZ, VIDEO_TRACK_ID } from "./picture-fragments.ts";
import type { PictureRequest, PlaybackMessage } from "./playback-protocol.ts";
import { type Run, Runs } from "./runs.ts";

/** How long to wait before looking whether more was recorded. */
const LOOK_AGAIN_MS = 0.5 * SECOND;

/** Where pictures go: a WebSocket, or a test. */
export interface PlaybackViewer {
  /**
   * Nothing comes between the words and the bytes that belong to them. Resolves when all has left, so that nothing piles up for a page
   * that does not read.
   */
  tell(message: PlaybackMessage, bytes?: Buffer): Promise<void>;
}

/** What a recording is shown of, and by. */
interface PlaybackParts {
  readonly source: RecordedSource;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Shows a recording in a browser: packet groups become fragments whose media time is the time of the capture, with nothing decoded
 * or encoded. The page says up to which instant it wants to have it, and no more is read. Sound is left out.
 */
export class RecordedPicture {
  readonly #runs: Runs;

  constructor(viewer: PlaybackViewer, o: PlaybackParts) {
    this.#runs = new Runs((run) => new PictureRun(run, viewer, o).read());
  }

  take(request: PictureRequest): void {
    this.#runs.take(request);
  }

  close(): void {
    this.#runs.close();
  }
}

class PictureRun {
  readonly #run: Run;
  readonly #viewer: PlaybackViewer;
  readonly #o: PlaybackParts;
  readonly #fragments = new PictureFragments();
  #format: SampleFormat | undefined;
  #playable = false;
  #toldEnd = false;

  constructor(run: Run, viewer: PlaybackViewer, o: PlaybackParts) {
    this.#run = run;
    this.#viewer = viewer;
    this.#o = o;
  }

  /** Never throws. */
  async read(): Promise<void> {
    const { signal } = this.#run;
    const { from, backward } = this.#run.asked;
    try {
      const { source } = this.#o;
      const tracks = await source.tracks(from);
      const index = tracks.findIndex((track) => track.kind === "video");
      const track = tracks[index];
      if (track === undefined) {
        await this.#end();
        return;
      }
      const depacketizer = SHOWN.has(track.codec) ? createDepacketizer(track) : undefined;
      if (depacketizer === undefined) await this.#unplayable(`Browsers cannot show ${track.encoding} video.`);
      else if (backward) await this.#backward(source.readBackward({ from }, signal), index, depacketizer);
      else await this.#forward(source.follow({ from }, signal), index, depacketizer);
    } catch (error) {
      if (signal.aborted) return;
      this.#o.log.error({ err: asFault(error) }, "a recording could not be shown");
      await this.#unplayable("The recording cannot be read at the moment. The log of the bridge says more.");
    }
  }

  async #forward(
    groups: AsyncIterable<PacketGroup | undefined>,
    track: number,
    depacketizer: Depacketizer,
  ): Promise<void> {
    for await (const group of groups) {
      if (this.#run.signal.aborted) return;
      if (group === undefined) {
        for (const sample of depacketizer.flush()) await this.#take(sample);
        await this.#send(this.#fragments.flush());
        await this.#end();
        await this.#o.clock.sleep(LOOK_AGAIN_MS, this.#run.signal);
      } else if (group.track === track) {
        if (group.at > this.#run.until) {
          await this.#send(this.#fragments.flush());
          await this.#wait(group.at, () => group.at <= this.#run.until);
        }
        for (const sample of depacketizer.push(group)) await this.#take(sample);
      }
    }
  }

  /** A key frame is seen until the one behind it, which went out before. */
  async #backward(groups: AsyncIterable<PacketGroup>, track: number, depacketizer: Depacketizer): Promise<void> {
    let endsAt: number = this.#run.asked.from + 1;
    for await (const group of groups) {
      if (group.track !== track || !group.key) continue;
      await this.#wait(group.at, () => group.at >= this.#run.until);
      if (this.#run.signal.aborted) return;
      for (const sample of [...depacketizer.push(group), ...depacketizer.flush()]) {
        if (!sample.key) continue;
        await this.#send(this.#fragments.still(sample, endsAt));
        endsAt = sample.at;
      }
    }
    if (!this.#run.signal.aborted) await this.#end();
  }

  async #take(sample: Sample): Promise<void> {
    await this.#send(this.#fragments.push(sample));
  }

  async #send(made: PictureFragment | undefined): Promise<void> {
    if (made === undefined || this.#run.signal.aborted) return;
    if (made.format !== this.#format) await this.#begin(made.format);
    if (!this.#playable) return;
    this.#toldEnd = false;
    await this.#viewer.tell({ type: "pictures", run: this.#run.asked.run, at: made.at }, made.bytes);
  }

  async #begin(format: SampleFormat): Promise<void> {
    this.#format = format;
    const codec = codecString(format);
    this.#playable = codec !== undefined && "width" in format;
    if (codec === undefined || !("width" in format)) {
      await this.#unplayable(`Browsers cannot show ${format.codec} video.`);
      return;
    }
    const { width, height } = format;
    const mime = `video/mp4; codecs="${codec}"`;
    const head = initSegment([{ id: VIDEO_TRACK_ID, timescale: VIDEO_CLOCK_HZ, format }]);
    await this.#viewer.tell({ type: "stream", run: this.#run.asked.run, mime, width, height }, head);
  }

  /** Until the picture of `next` is wanted. */
  async #wait(next: number, isWanted: () => boolean): Promise<void> {
    await this.#run.wait(isWanted, () => this.#viewer.tell({ type: "waiting", run: this.#run.asked.run, next }));
  }

  async #end(): Promise<void> {
    if (this.#toldEnd) return;
    this.#toldEnd = true;
    await this.#viewer.tell({ type: "end", run: this.#run.asked.run });
  }

  async #unplayable(why: string): Promise<void> {
    await this.#viewer.tell({ type: "unplayable", run: this.#run.asked.run, why });
  }
}
