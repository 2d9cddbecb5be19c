import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { MonotonicMillis, UnixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { Sent } from "../../media/sent.ts";
import type { Sums } from "./cohort-reader.ts";
import type { DirectWay } from "./direct-way.ts";
import { hasVideo, type Lane, type Lanes } from "./lane.ts";
import { SenderReports } from "./reports.ts";
import type { Sink } from "./sink.ts";

const LIMITS = {
  /** Live: what waits for one reader. Beyond, it misses groups until the next key frame: some seconds of an ordinary camera. */
  liveBytes: 2 * 1024 * 1024,
  /**
   * What the sink is given before it has sent what it has. What it holds may be copies (TLS, channels that nobody else uses);
   * the rest waits here, where all readers share it. Recorded: nothing is lost, reading waits.
   */
  sinkBytes: 256 * 1024,
};

/** Puts packet groups on the way to one client, and drops what it is too slow for. */
export class GroupWriter {
  readonly #sink: Sink;
  readonly #lanes: Lanes;
  readonly #reports: SenderReports;
  readonly #reporting: boolean;
  readonly #dropped: () => void;
  readonly #onDrain = (): void => this.#flush();
  /** What the sink has no room for. */
  #queue: PacketGroup[] = [];
  #queuedBytes = 0;
  /** For a key frame, and room. */
  #waiting = false;
  /** What a reader was given at once when it joined may wait in addition, until it has been read. */
  #headStartBytes = 0;
  #sentBytes = 0;
  #earliest: UnixMillis | undefined;
  #latest: UnixMillis | undefined;

  /** `dropped`: called for each group that a reader was too slow for. */
  constructor(o: {
    readonly sink: Sink;
    readonly lanes: Lanes;
    readonly clock: Clock;
    readonly dropped: () => void;
    /** Whether the client is told how RTP time and the clock go together. */
    readonly reports: boolean;
  }) {
    this.#sink = o.sink;
    this.#lanes = o.lanes;
    this.#dropped = o.dropped;
    this.#reports = new SenderReports(o.clock);
    this.#reporting = o.reports;
  }

  /** What was given to the sink. */
  get sent(): Sent {
    return { bytes: this.#sentBytes, from: this.#earliest, to: this.#latest };
  }

  /** Whether the client has set up the group's track. */
  wants(group: PacketGroup): boolean {
    return this.#lanes.has(group.track);
  }

  /** The groups since the last key frame, for a reader that has just joined: no bound, for the hub's cache has one. */
  headStart(groups: readonly PacketGroup[]): void {
    for (const group of groups) {
      const lane = this.#lanes.get(group.track);
      if (lane !== undefined) this.#enqueue(group, lane);
    }
    this.#headStartBytes = this.#sink.backlogBytes + this.#queuedBytes;
  }

  /** A live group: written, or dropped with all others up to the next key frame. */
  offer(group: PacketGroup): void {
    const lane = this.#lanes.get(group.track);
    if (lane === undefined) return;
    const waitingBytes = this.#sink.backlogBytes + this.#queuedBytes;
    if (waitingBytes < LIMITS.liveBytes / 4) this.#headStartBytes = 0;
    const mostBytes = LIMITS.liveBytes + this.#headStartBytes;
    this.#waiting ||= waitingBytes > 0 && waitingBytes + group.byteLength > mostBytes;
    // To wait for an empty queue would starve a reader that is only slow.
    if (this.#waiting && (!this.#beginsHere(group, lane) || waitingBytes > LIMITS.liveBytes / 4)) {
      this.#dropped();
      return;
    }
    this.#waiting = false;
    if (waitingBytes === 0) this.#write(group, lane);
    else this.#enqueue(group, lane);
  }

  /** How groups of a track go past all this while nothing waits for the client; undefined while something does, and where they cannot. */
  direct(track: number): DirectWay | undefined {
    if (this.#waiting || this.#queue.length > 0) return undefined;
    const lane = this.#lanes.get(track);
    const way = lane && this.#sink.direct(lane)?.way;
    return way?.isFree === true ? way : undefined;
  }

  /** When a group of this track is to come this way, for a report goes before it. */
  reportDueAt(track: number): MonotonicMillis {
    return this.#reports.dueAt(track);
  }

  /** Counts groups of a track that have gone past all this. */
  count(track: number, { bytes, packets, octets }: Sums, newestAt: UnixMillis): void {
    this.#reports.count(track, packets, octets);
    this.#note(bytes, newestAt);
  }

  /** A recorded group is to wait for {@link room}. */
  get isFull(): boolean {
    return this.#sink.backlogBytes > LIMITS.sinkBytes;
  }

  /** Writes a recorded group; `sent` is told, perhaps, once nobody looks at it any more. */
  put(group: PacketGroup, sent: () => void): void {
    // As fast as the client takes it, a write for each group would cost more than making it.
    this.#sink.gather();
    const lane = this.#lanes.get(group.track);
    if (lane !== undefined) this.#write(group, lane, sent);
  }

  /** Resolves when there is room. Rejects with `unavailable` when the client hangs up; the signal's reason. */
  room(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (act: () => void) => (): void => {
        this.#sink.off("drain", drained);
        this.#sink.off("close", closed);
        signal.removeEventListener("abort", aborted);
        act();
      };
      const drained = end(resolve);
      const closed = end(() => reject(new Fault("unavailable", "the client hung up")));
      const aborted = end(() => reject(signal.reason as Error));
      if (signal.aborted) aborted();
      else if (this.#sink.closed) closed();
      else {
        this.#sink.once("drain", drained);
        this.#sink.once("close", closed);
        signal.addEventListener("abort", aborted, { once: true });
      }
    });
  }

  /** What still waits is not written any more. */
  stop(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#sink.off("drain", this.#onDrain);
  }

  /** Tells the client that nothing follows. */
  goodbye(): void {
    for (const [lane, packets] of this.#reports.goodbyes(this.#lanes)) this.#sink.report(packets, lane);
  }

  #enqueue(group: PacketGroup, lane: Lane): void {
    if (this.#queue.length === 0 && this.#sink.backlogBytes <= LIMITS.sinkBytes) {
      this.#write(group, lane);
      return;
    }
    if (this.#queue.length === 0) this.#sink.on("drain", this.#onDrain);
    group.keep();
    this.#queue.push(group);
    this.#queuedBytes += group.memoryBytes;
  }

  #flush(): void {
    let count = 0;
    for (const group of this.#queue) {
      if (this.#sink.backlogBytes > LIMITS.sinkBytes) break;
      const lane = this.#lanes.get(group.track);
      if (lane !== undefined) this.#write(group, lane);
      this.#queuedBytes -= group.memoryBytes;
      count += 1;
    }
    this.#queue = this.#queue.slice(count);
    if (this.#queue.length === 0) this.#sink.off("drain", this.#onDrain);
  }

  #write(group: PacketGroup, lane: Lane, sent?: () => void): void {
    const report = this.#reports.before(group);
    if (report !== undefined && this.#reporting) this.#sink.report(report, lane);
    this.#sink.group(group, lane, sent ?? group.hold());
    this.#note(group.byteLength, group.at);
  }

  #note(bytes: number, at: UnixMillis): void {
    this.#sentBytes += bytes;
    if (this.#earliest === undefined || at < this.#earliest) this.#earliest = at;
    if (this.#latest === undefined || at > this.#latest) this.#latest = at;
  }

  #beginsHere(group: PacketGroup, { track }: Lane): boolean {
    return group.key && (track.kind === "video" || !hasVideo(this.#lanes));
  }
}
