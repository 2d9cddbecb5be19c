import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { Carrier } from "./carrier.ts";
import { hasVideo, type Lane, type Lanes } from "./lane.ts";
import { SenderReports } from "./reports.ts";

const LIMITS = {
  /** Live: what waits for one reader. Beyond, it misses groups until the next key frame: some seconds of an ordinary camera. */
  liveBytes: 2 * 1024 * 1024,
  /**
   * What the socket is given before it has sent what it has. What it holds may be copies (TLS, channels that nobody else uses);
   * the rest waits here, where all readers share it. Recorded: nothing is lost, reading waits.
   */
  socketBytes: 256 * 1024,
};

/** Puts packet groups on one client's connection, one write each. */
export class GroupWriter {
  readonly #carrier: Carrier;
  readonly #lanes: Lanes;
  readonly #reports: SenderReports;
  readonly #reporting: boolean;
  readonly #dropped: () => void;
  readonly #video: boolean;
  readonly #onDrain = (): void => this.#flush();
  /** What the socket has no room for. */
  #queue: PacketGroup[] = [];
  #queuedBytes = 0;
  /** For a key frame, and room. */
  #waiting = false;
  /** What a reader was given at once when it joined may wait in addition, until it has been read. */
  #headStartBytes = 0;

  /** `dropped`: called for each group that a reader was too slow for. */
  constructor(o: {
    readonly carrier: Carrier;
    readonly lanes: Lanes;
    readonly clock: Clock;
    readonly dropped: () => void;
    /** Whether the client is told how RTP time and the clock go together. */
    readonly reports: boolean;
  }) {
    this.#carrier = o.carrier;
    this.#lanes = o.lanes;
    this.#dropped = o.dropped;
    this.#reports = new SenderReports(o.clock);
    this.#reporting = o.reports;
    this.#video = hasVideo(o.lanes);
  }

  /** Whether the client has set up the group's track. */
  wants(group: PacketGroup): boolean {
    return this.#lanes.has(group.track);
  }

  /** The groups since the last key frame, for a reader that has just joined: no bound, for the hub's cache has one. */
  headStart(groups: readonly PacketGroup[]): void {
    for (const group of groups) this.#enqueue(group);
    this.#headStartBytes = this.#carrier.writableLength + this.#queuedBytes;
  }

  /** A live group: written, or dropped with all others up to the next key frame. */
  offer(group: PacketGroup): void {
    const lane = this.#lanes.get(group.track);
    if (lane === undefined) return;
    const waitingBytes = this.#carrier.writableLength + this.#queuedBytes;
    if (waitingBytes < LIMITS.liveBytes / 4) this.#headStartBytes = 0;
    const mostBytes = LIMITS.liveBytes + this.#headStartBytes;
    this.#waiting ||= waitingBytes > 0 && waitingBytes + group.byteLength > mostBytes;
    // To wait for an empty queue would starve a reader that is only slow.
    if (this.#waiting && (!this.#beginsHere(group, lane) || waitingBytes > LIMITS.liveBytes / 4)) {
      this.#dropped();
      return;
    }
    this.#waiting = false;
    this.#enqueue(group);
  }

  /** Writes a recorded group when there is room for it. Rejects with `unavailable` when the client hangs up; the signal's reason. */
  async put(group: PacketGroup, signal: AbortSignal): Promise<void> {
    if (this.#carrier.writableLength > LIMITS.socketBytes) await this.#room(signal);
    this.#write(group);
  }

  /** What still waits is not written any more. */
  stop(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#carrier.off("drain", this.#onDrain);
  }

  /** Tells the client that nothing follows. */
  goodbye(): void {
    this.#carrier.write(this.#reports.goodbyes(this.#lanes));
  }

  #enqueue(group: PacketGroup): void {
    if (this.#queue.length === 0 && this.#carrier.writableLength <= LIMITS.socketBytes) {
      this.#write(group);
      return;
    }
    if (this.#queue.length === 0) this.#carrier.on("drain", this.#onDrain);
    this.#queue.push(group);
    this.#queuedBytes += group.memoryBytes;
  }

  #flush(): void {
    let count = 0;
    for (const group of this.#queue) {
      if (this.#carrier.writableLength > LIMITS.socketBytes) break;
      this.#write(group);
      this.#queuedBytes -= group.memoryBytes;
      count += 1;
    }
    this.#queue = this.#queue.slice(count);
    if (this.#queue.length === 0) this.#carrier.off("drain", this.#onDrain);
  }

  #write(group: PacketGroup): void {
    const lane = this.#lanes.get(group.track);
    if (lane === undefined) return;
    const report = this.#reports.before(group, lane);
    if (report !== undefined && this.#reporting) this.#carrier.write(report);
    this.#carrier.write(group.framed(lane.channels[0]));
    this.#reports.sent(group);
  }

  #beginsHere(group: PacketGroup, { track }: Lane): boolean {
    return group.key && (!this.#video || track.kind === "video");
  }

  #room(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (act: () => void) => (): void => {
        this.#carrier.off("drain", drained);
        this.#carrier.off("close", closed);
        signal.removeEventListener("abort", aborted);
        act();
      };
      const drained = end(resolve);
      const closed = end(() => reject(new Fault("unavailable", "the client hung up")));
      const aborted = end(() => reject(signal.reason as Error));
      if (signal.aborted) aborted();
      else if (this.#carrier.destroyed) closed();
      else {
        this.#carrier.once("drain", drained);
        this.#carrier.once("close", closed);
        signal.addEventListener("abort", aborted, { once: true });
      }
    });
  }
}
