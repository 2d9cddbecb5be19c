import type { Clock } from "../base/clock.ts";
import { asFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { SECOND } from "../base/units.ts";
import { createDepacketizer, type Depacketizer } from "../media/depacketizer.ts";
import type { PacketGroup } from "../media/group.ts";
import type { Sample, SampleFormat } from "../media/sample.ts";
import { Search } from "../media/search.ts";
import type { RecordedSource } from "../media/source.ts";
import type { WebSocket } from "../net/websocket.ts";
import type { PictureRequest, RecordedSoundMessage } from "./playback-protocol.ts";
import { CLOSE_WRONG, requestIn, tellPage } from "./playback-words.ts";
import { type Run, Runs } from "./runs.ts";
import { pieceOf, soundFormatOf } from "./sound.ts";

/** How long to wait before looking whether more was recorded. */
const LOOK_AGAIN_MS = 0.5 * SECOND;

/** Where sound goes: a WebSocket, or a test. */
export interface RecordedListener {
  /** Resolves when all has left, so that nothing piles up for a page that does not read. */
  tell(message: RecordedSoundMessage, bytes?: Buffer): Promise<void>;
}

interface SoundParts {
  readonly source: RecordedSource;
  readonly clock: Clock;
  readonly log: Log;
}

/** Serves one page's connection to the sound of a recording. Returns how to end that. */
export function hearRecorded(ws: WebSocket, o: SoundParts): () => void {
  const sound = new RecordedSound({ tell: (message, bytes) => tellPage(ws, message, bytes) }, o);
  ws.on("message", (data: Buffer) => {
    // What comes before the page has closed its end, too.
    if (ws.readyState !== ws.OPEN) return;
    const request = requestIn(data);
    const isOfSound = request !== undefined && request.type !== "timeline" && request.type !== "key-frame";
    // A connection has the sound of one stream.
    if (isOfSound && request.stream === undefined && !(request.type === "read" && request.backward))
      sound.take(request);
    else {
      ws.close(CLOSE_WRONG);
      sound.close();
    }
  });
  return () => sound.close();
}

/**
 * Lets the sound of a recording be heard in a browser, forward, piece by piece as the camera encoded it. The page says up to which instant it
 * wants to have it, and no more is read.
 */
export class RecordedSound {
  readonly #runs: Runs;

  constructor(listener: RecordedListener, o: SoundParts) {
    this.#runs = new Runs((run) => new SoundRun(run, listener, o).read());
  }

  /** Forward alone. */
  take(request: PictureRequest): void {
    this.#runs.take(request);
  }

  close(): void {
    this.#runs.close();
  }
}

class SoundRun {
  readonly #run: Run;
  readonly #listener: RecordedListener;
  readonly #o: SoundParts;
  #format: SampleFormat | undefined;
  #playable = false;

  constructor(run: Run, listener: RecordedListener, o: SoundParts) {
    this.#run = run;
    this.#listener = listener;
    this.#o = o;
  }

  /** Never throws. */
  async read(): Promise<void> {
    const { asked, signal } = this.#run;
    try {
      const { source } = this.#o;
      const tracks = await source.tracks(asked.from);
      const index = tracks.findIndex(({ kind }) => kind === "audio");
      const track = tracks[index];
      const depacketizer = track && createDepacketizer(track);
      if (track === undefined) await this.#unplayable("Nothing is recorded with sound here.");
      else if (depacketizer === undefined) await this.#unplayable(`Browsers cannot play ${track.encoding} sound.`);
      else await this.#forward(source.follow({ from: asked.from }, signal), index, depacketizer);
    } catch (error) {
      if (signal.aborted) return;
      this.#o.log.error({ err: asFault(error) }, "the sound of a recording could not be read");
      await this.#unplayable("The recording cannot be read at the moment. The log of the bridge says more.");
    }
  }

  async #forward(
    groups: AsyncIterable<PacketGroup | undefined>,
    track: number,
    depacketizer: Depacketizer,
  ): Promise<void> {
    const { asked, signal } = this.#run;
    const search = new Search(this.#o.clock, signal);
    for await (const group of groups) {
      if (signal.aborted) return;
      if (group === undefined) {
        await this.#o.clock.sleep(LOOK_AGAIN_MS, signal);
        continue;
      }
      // Also of pictures: where no sound was recorded, reading must not go on to the end of the archive.
      const { at: next } = group;
      await this.#run.wait(
        () => next <= this.#run.until,
        () => this.#listener.tell({ type: "waiting", run: asked.run, next }),
      );
      if (group.track !== track) await search.passedOver(group.byteLength);
      else {
        search.found();
        // It begins with the key frame before the instant that is asked for.
        for (const sample of depacketizer.push(group)) if (sample.at >= asked.from) await this.#send(sample);
      }
    }
  }

  async #send(sample: Sample): Promise<void> {
    if (this.#run.signal.aborted) return;
    const { run } = this.#run.asked;
    if (sample.format !== this.#format) {
      this.#format = sample.format;
      const described = soundFormatOf(sample.format);
      this.#playable = described !== undefined;
      if (described === undefined) await this.#unplayable(`Browsers cannot play ${sample.format.codec} sound.`);
      else await this.#listener.tell({ type: "sound", run, ...described });
    }
    if (this.#playable) await this.#listener.tell({ type: "piece", run }, pieceOf(sample));
  }

  async #unplayable(why: string): Promise<void> {
    await this.#listener.tell({ type: "unplayable", run: this.#run.asked.run, why });
  }
}
