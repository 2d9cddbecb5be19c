import type { BytePace } from "../../../base/byte-pace.ts";
import type { Clock } from "../../../base/clock.ts";
import { asFault, Fault, isFault } from "../../../base/fault.ts";
import type { Log } from "../../../base/log.ts";
import { later, type Millis, SECOND, type UnixMillis, unixMillis } from "../../../base/units.ts";
import type { PacketGroup } from "../../../media/group.ts";
import { TrackReceiver } from "../../../media/receiver.ts";
import type { MediaDescription } from "../../../media/sdp.ts";
import type { Span } from "../../../media/source.ts";
import { startsAt } from "../../../media/start.ts";
import type { Track } from "../../../media/track.ts";
import type { Archive } from "../../../recorder/archive.ts";
import type { StreamRecorder } from "../../../recorder/recorder.ts";
import { ReplayTimes } from "../../../rtsp/client/replay-times.ts";
import { type PullOptions, pull } from "../../../rtsp/client/session.ts";
import type { CameraClock } from "./edge-camera.ts";

const LIMITS = {
  /** What a camera may send for a second that it was asked for, and besides: key frames before the range, and what it sends twice. */
  bytesPerSecond: 12_500_000,
  extraBytes: 64 * 1024 * 1024,
  /** Read of the camera before the recorder has to have brought to disk what came so far. */
  unsavedBytes: 2 * 1024 * 1024,
  /** Of pictures that wait for the next key frame. */
  heldBytes: 16 * 1024 * 1024,
  /** How far pictures may step back: B-frames come in decoding order. What steps back further would overlap. */
  backMs: SECOND,
} as const;

/** What became of a fetch. */
export interface Fetched {
  /** Of pictures, sound and metadata that were recorded. */
  readonly groups: number;
  /** What was thrown away: groups that are not of the time that was asked for, or were there before, and packets without a time. */
  readonly discarded: { readonly outside: number; readonly untimed: number; readonly repeated: number };
  /** Why it ended before the camera said that it was done, in words; undefined where it was done. */
  readonly why: string | undefined;
  /** What the camera sent was of another stream than the wanted one, and nothing of it was recorded. */
  readonly isOfAnother: boolean;
}

export interface FetchOptions extends Pick<PullOptions, "url" | "credentials" | "tls" | "side"> {
  readonly camera: string;
  readonly stream: string;
  /** What is missing, by our clock. */
  readonly span: Span;
  readonly cameraClock: CameraClock;
  /** Whether what is so described is of another stream of the camera. */
  readonly isOfAnother: (tracks: readonly Track[]) => boolean;
  readonly archive: Pick<Archive, "fetched">;
  /** What all fetches together may read. */
  readonly pace: BytePace;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Fetches a stretch of a camera's own recording by RTSP (ONVIF Streaming 6) and records it as what it is. Whatever the camera sends, nothing
 * comes of it but footage within the stretch, in order, of the wanted stream. Rejects with the Faults of {@link pull} where nothing came at all.
 */
export async function fetchSpan(o: FetchOptions): Promise<Fetched> {
  const fetching = new Fetching(o);
  return fetching.run();
}

/** One track of a replay. */
interface Lane {
  readonly times: ReplayTimes;
  readonly receiver: TrackReceiver;
  /** Of what was recorded of it. */
  newestAt: UnixMillis;
  /** What comes was there before, up to what is newer than all of it. */
  isRepeating: boolean;
  /** The camera has said that nothing follows what is being sent. */
  isEnding: boolean;
  /** There is no need to wait for more of it. */
  isDone: boolean;
}

class Fetching {
  readonly #o: FetchOptions;
  readonly #recorder: StreamRecorder;
  readonly #done = new AbortController();
  readonly #leftBytes: number;
  #lanes: readonly Lane[] = [];
  #tracks: Track[] = [];
  /** It has a description that nobody has compared with the wanted stream. */
  #isNew = false;
  #isOfAnother = false;
  /** Since the newest key frame. Where a fetch is stopped, the next one begins with that: without it, what follows cannot be decoded. */
  #held: PacketGroup[] = [];
  #heldBytes = 0;
  #bytes = 0;
  #unsavedBytes = 0;
  #groups = 0;
  #outside = 0;
  #untimed = 0;
  #repeated = 0;
  #why: string | undefined;

  constructor(o: FetchOptions) {
    this.#o = o;
    this.#recorder = o.archive.fetched(o.camera, o.stream);
    this.#leftBytes = LIMITS.extraBytes + ((o.span.to - o.span.from) / SECOND) * LIMITS.bytesPerSecond;
  }

  async run(): Promise<Fetched> {
    const { span, cameraClock, signal } = this.#o;
    const to = (at: UnixMillis): UnixMillis => later(at, cameraClock.aheadMs);
    try {
      await pull({
        ...this.#o,
        signal: AbortSignal.any([signal, this.#done.signal]),
        // Over UDP nothing would hold it to a pace, and what is lost would be lost again.
        transports: ["tcp"],
        replay: { from: to(span.from), to: to(span.to) },
        paced: (bytes) => this.#paced(bytes),
        events: {
          described: (media) => this.#described(media),
          rtp: (track, packet) => this.#rtp(track, packet),
          rtcp: () => undefined,
        },
      });
      if (signal.aborted) this.#why ??= "it was stopped";
    } catch (error) {
      // A camera that has no more to send falls silent, or ends the connection.
      if (this.#groups === 0 || !isFault(error, "unavailable")) throw error;
      const fault = asFault(error);
      this.#o.log.info({ camera: this.#o.camera, err: fault }, "the camera has broken off a fetch");
      this.#why ??= fault.tell ?? "the connection to the camera broke off";
    } finally {
      for (const { receiver } of this.#lanes) receiver.flush();
      if (signal.aborted || this.#isOfAnother) this.#groups -= this.#held.length;
      else this.#record();
      await this.#recorder.close();
    }
    const discarded = { outside: this.#outside, untimed: this.#untimed, repeated: this.#repeated };
    const isOfAnother = this.#isOfAnother && this.#groups === 0;
    return { groups: this.#groups, discarded, why: this.#why, isOfAnother };
  }

  #described(media: readonly MediaDescription[]): void {
    const { quality: captured } = this.#o.cameraClock;
    this.#tracks = media.map(({ track }) => track);
    this.#lanes = this.#tracks.map((track, index) => ({
      times: new ReplayTimes(track.clockRateHz),
      receiver: new TrackReceiver({
        index,
        track,
        captured,
        deliver: (group) => this.#take(group),
        onTrack: (changed) => {
          this.#tracks[index] = changed;
          this.#isNew = true;
          this.#recorder.describe([...this.#tracks]);
        },
      }),
      newestAt: unixMillis(Number.NEGATIVE_INFINITY),
      isRepeating: false,
      isEnding: false,
      // Sound and metadata may have nothing in this stretch, and no end then.
      isDone: track.kind !== "video" && media.some((one) => one.track.kind === "video"),
    }));
    this.#isNew = true;
    this.#recorder.describe([...this.#tracks]);
  }

  /** Looked at with the first picture, which has its parameter sets with it where the description had none. */
  #isForeign({ track }: PacketGroup): boolean {
    if (!this.#isNew || this.#tracks[track]?.kind !== "video") return false;
    this.#isNew = false;
    this.#isOfAnother = this.#o.isOfAnother(this.#tracks);
    if (!this.#isOfAnother) return false;
    this.#why = "what the camera replays is not of this stream, or not of it alone";
    this.#done.abort();
    return true;
  }

  #rtp(index: number, packet: Buffer): void {
    const lane = this.#lanes[index];
    if (lane === undefined || this.#done.signal.aborted) return;
    const { at, isLast } = lane.times.of(packet);
    const isMarked = ((packet[1] ?? 0) & 0x80) !== 0;
    if (at === undefined) this.#untimed += 1;
    else lane.receiver.rtp(packet, later(at, -this.#o.cameraClock.aheadMs));
    lane.isEnding ||= isLast;
    // The last packet of a picture has the marker.
    if (!lane.isEnding || !isMarked) return;
    lane.isDone = true;
    if (this.#lanes.every(({ isDone }) => isDone)) this.#done.abort();
  }

  #take(group: PacketGroup): void {
    const { span } = this.#o;
    const lane = this.#lanes[group.track];
    if (lane === undefined || this.#done.signal.aborted || this.#isForeign(group)) return;
    if (group.at < span.from) this.#outside += 1;
    else if (group.at >= span.to) {
      this.#outside += 1;
      // A camera that does not stop where it was asked to has sent all of it.
      if (group.at > span.to + LIMITS.backMs && this.#groups > 0) this.#done.abort();
    } else if (group.at < lane.newestAt - (lane.isRepeating ? 0 : LIMITS.backMs)) {
      lane.isRepeating = true;
      this.#repeated += 1;
    } else {
      lane.isRepeating = false;
      lane.newestAt = unixMillis(Math.max(lane.newestAt, group.at));
      this.#groups += 1;
      this.#hold(group);
    }
  }

  #hold(group: PacketGroup): void {
    if (startsAt(group, this.#tracks) || this.#heldBytes + group.memoryBytes > LIMITS.heldBytes) this.#record();
    this.#held.push(group);
    this.#heldBytes += group.memoryBytes;
  }

  #record(): void {
    for (const group of this.#held) this.#recorder.push(group);
    this.#held = [];
    this.#heldBytes = 0;
  }

  #paced(bytes: number): Promise<void> | undefined {
    const { pace, signal } = this.#o;
    this.#bytes += bytes;
    if (this.#bytes > this.#leftBytes)
      throw new Fault("invalid", `the camera sent ${this.#bytes} bytes for what was asked for`);
    this.#unsavedBytes += bytes;
    const isFull = this.#unsavedBytes >= LIMITS.unsavedBytes;
    if (isFull) this.#unsavedBytes = 0;
    const waits = [pace.spend(bytes, signal), ...(isFull ? [this.#recorder.idle()] : [])];
    return Promise.all(waits).then(
      () => undefined,
      () => undefined,
    );
  }
}

/** What is missing of a stretch, by what is there of it: at least `leastMs` long, in order. */
export function holesIn(stretch: Span, there: readonly Span[], leastMs: Millis): readonly Span[] {
  const holes: Span[] = [];
  let from = stretch.from;
  for (const one of [...there, { from: stretch.to, to: stretch.to }]) {
    if (one.from - from >= leastMs) holes.push({ from, to: one.from });
    from = unixMillis(Math.max(from, one.to));
  }
  return holes;
}
