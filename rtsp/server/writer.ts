import type { Socket } from "node:net";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { type MonotonicMillis, SECOND } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import { hasVideo, type Lane, type Lanes } from "./lane.ts";
import { SenderReports } from "./reports.ts";

const LIMITS = {
  /** Live: what waits for one reader. Beyond, it misses groups until the next key frame: some seconds of an ordinary camera. */
  liveBytes: 2 * 1024 * 1024,
  /** Recorded: nothing is lost, reading waits. */
  replayBytes: 256 * 1024,
  /** A reader that takes nothing for so long is not there any more. */
  stuckMs: 30 * SECOND,
};

/**
 * Puts packet groups on one client's connection, one write each. The socket's own queue is the reader's queue, and its bound
 * is here; the bytes in it are shared with all other readers.
 */
export class GroupWriter {
  readonly #socket: Socket;
  readonly #lanes: Lanes;
  readonly #clock: Clock;
  readonly #reports: SenderReports;
  readonly #dropped: () => void;
  readonly #video: boolean;
  #waitingSince: MonotonicMillis | undefined;
  /** What a reader was given at once when it joined may wait in addition, until it has been read. */
  #headStartBytes = 0;

  /** `dropped`: called for each group that a reader was too slow for. */
  constructor(o: {
    readonly socket: Socket;
    readonly lanes: Lanes;
    readonly clock: Clock;
    readonly dropped: () => void;
  }) {
    this.#socket = o.socket;
    this.#lanes = o.lanes;
    this.#clock = o.clock;
    this.#dropped = o.dropped;
    this.#reports = new SenderReports(o.clock);
    this.#video = hasVideo(o.lanes);
  }

  /** Whether the client has set up the group's track. */
  wants(group: PacketGroup): boolean {
    return this.#lanes.has(group.track);
  }

  /** The groups since the last key frame, for a reader that has just joined: no bound, for the hub's cache has one. */
  headStart(groups: readonly PacketGroup[]): void {
    for (const group of groups) this.#write(group);
    this.#headStartBytes = this.#socket.writableLength;
  }

  /** A live group: written, or dropped with all others up to the next key frame. Fault `unavailable` when the reader is stuck. */
  offer(group: PacketGroup): void {
    const lane = this.#lanes.get(group.track);
    if (lane === undefined) return;
    const queued = this.#socket.writableLength;
    if (queued < LIMITS.liveBytes / 4) this.#headStartBytes = 0;
    const mostBytes = LIMITS.liveBytes + this.#headStartBytes;
    const now = this.#clock.monotonic();
    if (this.#waitingSince === undefined && queued > 0 && queued + group.byteLength > mostBytes)
      this.#waitingSince = now;
    if (this.#waitingSince !== undefined) {
      // To wait for an empty queue would starve a reader that is only slow.
      if (!this.#beginsHere(group, lane) || queued > LIMITS.liveBytes / 4) {
        this.#dropped();
        if (now - this.#waitingSince > LIMITS.stuckMs)
          throw new Fault("unavailable", `the client has not read for ${LIMITS.stuckMs} ms`);
        return;
      }
      this.#waitingSince = undefined;
    }
    this.#write(group);
  }

  /** Writes a recorded group when there is room for it. Fault `unavailable` when the reader is stuck; the signal's reason. */
  async put(group: PacketGroup, signal: AbortSignal): Promise<void> {
    if (this.#socket.writableLength > LIMITS.replayBytes) await this.#room(signal);
    this.#write(group);
  }

  /** Tells the client that nothing follows. */
  goodbye(): void {
    this.#socket.write(this.#reports.goodbyes(this.#lanes));
  }

  #write(group: PacketGroup): void {
    const lane = this.#lanes.get(group.track);
    if (lane === undefined) return;
    const report = this.#reports.before(group, lane);
    if (report !== undefined) this.#socket.write(report);
    this.#socket.write(group.framed(lane.channels[0]));
    this.#reports.sent(group);
  }

  #beginsHere(group: PacketGroup, { track }: Lane): boolean {
    return group.key && (!this.#video || track.kind === "video");
  }

  #room(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (act: () => void) => (): void => {
        timer.cancel();
        this.#socket.off("drain", drained);
        this.#socket.off("close", closed);
        signal.removeEventListener("abort", aborted);
        act();
      };
      const drained = end(resolve);
      const closed = end(() => reject(new Fault("unavailable", "the client hung up")));
      const aborted = end(() => reject(signal.reason as Error));
      const late = end(() => reject(new Fault("unavailable", `the client has not read for ${LIMITS.stuckMs} ms`)));
      const timer = this.#clock.after(LIMITS.stuckMs, late);
      if (signal.aborted) aborted();
      else if (this.#socket.destroyed) closed();
      else {
        this.#socket.once("drain", drained);
        this.#socket.once("close", closed);
        signal.addEventListener("abort", aborted, { once: true });
      }
    });
  }
}
