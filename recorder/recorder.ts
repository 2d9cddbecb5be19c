import type { Timer } from "../base/clock.ts";
import { MINUTE, type Millis, SECOND } from "../base/units.ts";
import { createPackedDepacketizer, type Depacketizer } from "../media/depacketizer.ts";
import type { PacketGroup } from "../media/group.ts";
import type { SampleBytes } from "../media/packed-bytes.ts";
import type { Track } from "../media/track.ts";
import { Fragmenter } from "./fragmenter.ts";
import { cameraGap, type GapReason } from "./gap.ts";
import type { SegmentFile } from "./segment.ts";
import { SegmentWriter } from "./writer.ts";
import type { WriterContext } from "./writer-context.ts";

/** A stream that sends nothing for so long is taken for ended: what is in memory goes to disk. */
const IDLE_MS = 5 * SECOND;

/** Records one stream. It never holds up who gives it groups: what the disk does not take in time is left out, as a gap. */
export class StreamRecorder {
  readonly #writer: SegmentWriter;
  readonly #fragmenter: Fragmenter;
  readonly #timer: Timer;
  readonly #tell: () => void;
  #tracks: readonly Track[] = [];
  #depacketizers: readonly (Depacketizer<SampleBytes> | undefined)[] = [];
  #unrecordable: readonly string[] = [];
  #busy = false;
  #closed = false;

  /** `camera` and `stream` are checked by the archive, which makes recorders. */
  constructor(o: {
    readonly camera: string;
    readonly stream: string;
    /** When it began to be fetched from the camera's own recording, in microseconds since 1970; absent where it is recorded live. */
    readonly fetchedUs?: number;
    readonly context: WriterContext;
    /** Length of a segment; the next key frame ends it. */
    readonly segmentMs?: Millis;
    /** Told once, when {@link close} is done. */
    readonly closed: () => void;
  }) {
    this.#tell = o.closed;
    const segmentMs = o.segmentMs ?? MINUTE;
    this.#writer = new SegmentWriter(o.camera, o.stream, o.context, o.fetchedUs);
    this.#fragmenter = new Fragmenter(this.#writer, {
      segmentMs,
      phaseMs: phaseOf(`${o.camera}/${o.stream}`) * segmentMs,
    });
    this.#timer = o.context.clock.every(IDLE_MS, () => {
      if (!this.#busy) this.#fragmenter.end(cameraGap("nothing was received"));
      this.#busy = false;
    });
  }

  /** What each track that is not recorded carries, for people: `G726-32 (no place in an MP4 file)`. */
  get unrecordable(): readonly string[] {
    return this.#unrecordable;
  }

  /** Why nothing is being recorded although the stream is there, or undefined. */
  get problem(): string | undefined {
    return this.#writer.problem;
  }

  /** It is being recorded, also in the moment between two segments. */
  get isWriting(): boolean {
    return !this.#closed && this.#writer.isWriting;
  }

  /** What was captured from then on may be in a segment that is not sealed yet, in microseconds since 1970; undefined while none is written. */
  get unsealedFromUs(): number | undefined {
    return this.#writer.unsealedFromUs;
  }

  /** The volume to record to while that can be written, from the next segment on; any if undefined. */
  set volume(name: string | undefined) {
    this.#writer.volume = name;
  }

  /** The segment that is being written. */
  get live(): SegmentFile | undefined {
    return this.#writer.live;
  }

  /** The stream's tracks, before its first group and whenever they change. Telling the same again does nothing. */
  describe(tracks: readonly Track[]): void {
    if (this.#closed || JSON.stringify(tracks) === JSON.stringify(this.#tracks)) return;
    this.#drain();
    this.#tracks = tracks;
    this.#depacketizers = tracks.map((track) => createPackedDepacketizer(track));
    this.#unrecordable = tracks
      .filter((_, index) => this.#depacketizers[index] === undefined)
      .map((track) => `${track.encoding} (no place in an MP4 file)`);
    this.#fragmenter.describe(
      tracks.map((track, index) => (this.#depacketizers[index] === undefined ? undefined : track)),
    );
  }

  /** Groups in the order in which they came. Those that it looks at later it holds or keeps. */
  push(group: PacketGroup): void {
    if (this.#closed) return;
    this.#busy = true;
    const depacketizer = this.#depacketizers[group.track];
    if (depacketizer?.holds === false) group.keep();
    for (const sample of depacketizer?.push(group) ?? []) this.#fragmenter.push(group.track, sample);
  }

  /** Nothing comes from now on, and why; recording goes on with the next key frame. */
  gap(reason: GapReason): void {
    if (this.#closed) return;
    this.#drain();
    this.#fragmenter.end(reason);
    this.#writer.nothing(reason);
  }

  /** Everything handed in so far is on its way; resolves when it is on disk or given up. The last second may still be in memory. */
  idle(): Promise<void> {
    return this.#writer.idle();
  }

  /** Seals what is open. Resolves when it is on disk, or given up. */
  async close(): Promise<void> {
    if (this.#closed) return this.#writer.close();
    this.#timer.cancel();
    this.#drain();
    this.#closed = true;
    this.#fragmenter.end(undefined);
    await this.#writer.close();
    this.#tell();
  }

  #drain(): void {
    for (const [track, depacketizer] of this.#depacketizers.entries())
      for (const sample of depacketizer?.flush() ?? []) this.#fragmenter.push(track, sample);
  }
}

/** 0 to 1, by the name: spreads what many streams do at the same interval. */
function phaseOf(name: string): number {
  let hash = 2166136261;
  for (const letter of Buffer.from(name)) hash = Math.imul(hash ^ letter, 16777619);
  return (hash >>> 0) / 2 ** 32;
}
