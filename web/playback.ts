import type { Clock } from "../base/clock.ts";
import { asFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { SECOND, type UnixMillis } from "../base/units.ts";
import { codecString } from "../media/codec-string.ts";
import { createDepacketizer, type Depacketizer } from "../media/depacketizer.ts";
import type { PacketGroup } from "../media/group.ts";
import type { Sample, SampleFormat } from "../media/sample.ts";
import type { RecordedSource } from "../media/source.ts";
import { initSegment } from "../recorder/fmp4.ts";
import { SHOWN } from "./live.ts";
import { type PictureFragment, PictureFragments, VIDEO_CLOCK_HZ, VIDEO_TRACK_ID } from "./picture-fragments.ts";
import type { PictureRequest, PlaybackMessage, ReadRequest } from "./playback-protocol.ts";

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

/**
 * Shows a recording in a browser: packet groups become fragments whose media time is the time of the capture, with nothing decoded
 * or encoded. The page says up to which instant it wants to have it, and no more is read. One reading at a time; sound is left out.
 */
export class RecordedPicture {
  readonly #o: { readonly source: RecordedSource; readonly clock: Clock; readonly log: Log };
  readonly #viewer: PlaybackViewer;
  #current: Run | undefined;
  #next: ReadRequest | undefined;
  #reading = false;
  #closed = false;

  constructor(
    viewer: PlaybackViewer,
    o: { readonly source: RecordedSource; readonly clock: Clock; readonly log: Log },
  ) {
    this.#viewer = viewer;
    this.#o = o;
  }

  take(request: PictureRequest): void {
    if (request.type === "more") {
      this.#current?.extend(request.run, request.until);
      if (this.#next?.run === request.run) this.#next = { ...this.#next, until: request.until };
      return;
    }
    this.#current?.stop();
    this.#next = request.type === "read" ? request : undefined;
    if (!this.#reading) void this.#readAll();
  }

  close(): void {
    this.#closed = true;
    this.#next = undefined;
    this.#current?.stop();
  }

  /** The one that was asked for last; those in between are passed over. */
  async #readAll(): Promise<void> {
    this.#reading = true;
    while (this.#next !== undefined && !this.#closed) {
      const asked = this.#next;
      this.#next = undefined;
      const run = new Run(asked, this.#viewer, this.#o);
      this.#current = run;
      await run.read();
    }
    this.#current = undefined;
    this.#reading = false;
  }
}

/** One reading, from its beginning until it is stopped. */
class Run {
  readonly #asked: ReadRequest;
  readonly #viewer: PlaybackViewer;
  readonly #o: { readonly source: RecordedSource; readonly clock: Clock; readonly log: Log };
  readonly #stopping = new AbortController();
  readonly #fragments = new PictureFragments();
  #format: SampleFormat | undefined;
  #playable = false;
  #until: UnixMillis;
  #extended: PromiseWithResolvers<void> | undefined;
  #toldEnd = false;

  constructor(
    asked: ReadRequest,
    viewer: PlaybackViewer,
    o: { readonly source: RecordedSource; readonly clock: Clock; readonly log: Log },
  ) {
    this.#asked = asked;
    this.#viewer = viewer;
    this.#o = o;
    this.#until = asked.until;
  }

  extend(run: number, until: UnixMillis): void {
    if (run !== this.#asked.run) return;
    this.#until = until;
    this.#extended?.resolve();
  }

  stop(): void {
    this.#stopping.abort();
    this.#extended?.resolve();
  }

  /** Never throws. */
  async read(): Promise<void> {
    const { signal } = this.#stopping;
    const { from, backward } = this.#asked;
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
      if (this.#stopping.signal.aborted) return;
      if (group === undefined) {
        for (const sample of depacketizer.flush()) await this.#take(sample);
        await this.#send(this.#fragments.flush());
        await this.#end();
        await this.#o.clock.sleep(LOOK_AGAIN_MS, this.#stopping.signal);
      } else if (group.track === track) {
        if (group.at > this.#until) {
          await this.#send(this.#fragments.flush());
          await this.#wait(group.at, () => group.at <= this.#until);
        }
        for (const sample of depacketizer.push(group)) await this.#take(sample);
      }
    }
  }

  /** A key frame is seen until the one behind it, which went out before. */
  async #backward(groups: AsyncIterable<PacketGroup>, track: number, depacketizer: Depacketizer): Promise<void> {
    let endsAt: number = this.#asked.from + 1;
    for await (const group of groups) {
      if (group.track !== track || !group.key) continue;
      await this.#wait(group.at, () => group.at >= this.#until);
      if (this.#stopping.signal.aborted) return;
      for (const sample of [...depacketizer.push(group), ...depacketizer.flush()]) {
        if (!sample.key) continue;
        await this.#send(this.#fragments.still(sample, endsAt));
        endsAt = sample.at;
      }
    }
    if (!this.#stopping.signal.aborted) await this.#end();
  }

  async #take(sample: Sample): Promise<void> {
    await this.#send(this.#fragments.push(sample));
  }

  async #send(made: PictureFragment | undefined): Promise<void> {
    if (made === undefined || this.#stopping.signal.aborted) return;
    if (made.format !== this.#format) await this.#begin(made.format);
    if (!this.#playable) return;
    this.#toldEnd = false;
    await this.#viewer.tell({ type: "pictures", run: this.#asked.run, at: made.at }, made.bytes);
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
    await this.#viewer.tell({ type: "stream", run: this.#asked.run, mime, width, height }, head);
  }

  /** Until the picture of `next` is wanted, or it is stopped. */
  async #wait(next: number, isWanted: () => boolean): Promise<void> {
    while (!isWanted() && !this.#stopping.signal.aborted) {
      const extended = Promise.withResolvers<void>();
      this.#extended = extended;
      await this.#viewer.tell({ type: "waiting", run: this.#asked.run, next });
      await extended.promise;
    }
  }

  async #end(): Promise<void> {
    if (this.#toldEnd) return;
    this.#toldEnd = true;
    await this.#viewer.tell({ type: "end", run: this.#asked.run });
  }

  async #unplayable(why: string): Promise<void> {
    await this.#viewer.tell({ type: "unplayable", run: this.#asked.run, why });
  }
}
