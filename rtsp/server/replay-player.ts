import type { Clock } from "../../base/clock.ts";
import { type UnixMillis, unixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { RecordedSource } from "../../media/source.ts";
import type { Range } from "../wire/range.ts";
import { Pace } from "./pace.ts";
import type { Player } from "./player.ts";
import { RtspFault } from "./reply.ts";
import { answerTo, type Stretch } from "./stretch.ts";
import type { GroupWriter } from "./writer.ts";

interface ReplayOptions {
  readonly source: RecordedSource;
  readonly stretch: Stretch;
  readonly writer: GroupWriter;
  readonly clock: Clock;
  /** Everything was sent. */
  readonly ended: () => void;
  /** Called once at most, and not after `ended`. */
  readonly failed: (fault: unknown) => void;
}

/** Plays a stretch of a recording as fast as it was captured, and says goodbye at its end. */
export class ReplayPlayer implements Player {
  readonly first: ReadonlyMap<number, PacketGroup>;
  readonly range: Range;
  readonly #options: ReplayOptions;
  readonly #groups: AsyncIterator<PacketGroup>;
  readonly #stopping: AbortController;
  readonly #start: PacketGroup;
  #position: UnixMillis;
  #running = false;

  private constructor(
    options: ReplayOptions,
    groups: AsyncIterator<PacketGroup>,
    stopping: AbortController,
    start: PacketGroup,
  ) {
    this.#options = options;
    this.#groups = groups;
    this.#stopping = stopping;
    this.#start = start;
    this.#position = start.at;
    this.first = new Map([[start.track, start]]);
    this.range = answerTo(options.stretch, start.at);
  }

  /** Finds the first group, so that a stretch without footage is refused (457) before anything is promised. */
  static async open(options: ReplayOptions): Promise<ReplayPlayer> {
    const { source, stretch, writer } = options;
    const stopping = new AbortController();
    const groups = source.read(stretch, stopping.signal)[Symbol.asyncIterator]();
    const start = await nextWanted(groups, writer);
    if (start === undefined)
      throw new RtspFault(457, "not-found", `nothing recorded from ${stretch.from} to ${stretch.to ?? "now"}`, {
        tell: "nothing is recorded in this range",
      });
    return new ReplayPlayer(options, groups, stopping, start);
  }

  /** Capture time of the newest group that was sent: where to go on after PAUSE. */
  get position(): UnixMillis {
    return this.#position;
  }

  run(): void {
    this.#running = true;
    this.#pump().then(
      (complete) => {
        if (complete) this.#options.ended();
      },
      (fault: unknown) => {
        if (!this.#stopping.signal.aborted) this.#options.failed(fault);
      },
    );
  }

  stop(): void {
    this.#stopping.abort();
    // Nobody else will let go of the files that reading holds open.
    if (!this.#running) void this.#groups.return?.();
  }

  /** False when it was stopped. */
  async #pump(): Promise<boolean> {
    const { writer, clock, stretch } = this.#options;
    const { signal } = this.#stopping;
    const pace = new Pace(clock, unixMillis(Math.max(this.#start.at, stretch.from)));
    try {
      for (
        let group: PacketGroup | undefined = this.#start;
        group !== undefined;
        group = await nextWanted(this.#groups, writer)
      ) {
        await pace.reach(group.at, signal);
        await writer.put(group, signal);
        this.#position = group.at;
      }
    } finally {
      await this.#groups.return?.();
    }
    if (signal.aborted) return false;
    writer.goodbye();
    return true;
  }
}

async function nextWanted(groups: AsyncIterator<PacketGroup>, writer: GroupWriter): Promise<PacketGroup | undefined> {
  for (;;) {
    const { done, value } = await groups.next();
    if (done === true) return undefined;
    if (writer.wants(value)) return value;
  }
}
