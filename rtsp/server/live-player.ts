import { Fault } from "../../base/fault.ts";
import type { MonotonicMillis, UnixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { Sent } from "../../media/sent.ts";
import type { LiveSource } from "../../media/source.ts";
import type { Range } from "../wire/range.ts";
import type { Cohort } from "./cohort.ts";
import type { CohortReader, Sums } from "./cohort-reader.ts";
import type { DirectWay } from "./direct-way.ts";
import type { Player } from "./player.ts";
import type { GroupWriter } from "./writer.ts";

/** Plays what a camera sends now, beginning with the key frame that the hub still holds. */
export class LivePlayer implements Player, CohortReader {
  readonly saysWhatItKeeps = true;
  readonly first = new Map<number, PacketGroup>();
  readonly #source: LiveSource;
  readonly #writer: GroupWriter;
  readonly #failed: (fault: unknown) => void;
  readonly #cohort: Cohort | undefined;
  readonly #leave: () => void;
  /** What came before `run`; afterwards undefined. */
  #held: PacketGroup[] | undefined = [];

  /** `cohort`: of those who have set up the same, where there is one. `failed`: the stream cannot go on for this reader. Called once at most. */
  constructor(o: {
    readonly source: LiveSource;
    readonly writer: GroupWriter;
    readonly cohort?: Cohort | undefined;
    readonly failed: (fault: unknown) => void;
  }) {
    this.#source = o.source;
    this.#writer = o.writer;
    this.#failed = o.failed;
    this.#cohort = o.cohort;
    this.#leave = o.cohort?.join(this) ?? o.source.join(this);
  }

  get sent(): Sent {
    this.#cohort?.settle(this);
    return this.#writer.sent;
  }

  get range(): Range | undefined {
    const [earliest] = [...this.first.values()].sort((a, b) => a.at - b.at);
    return earliest === undefined ? undefined : { unit: "clock", from: earliest.at };
  }

  run(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    // Nobody asks for them any more, and each session would keep a key frame of its own in memory.
    this.first.clear();
    this.#writer.headStart(held);
  }

  requestKey(): void {
    this.#source.requestKey();
  }

  lanesChanged(): void {
    this.#cohort?.stepOut(this);
  }

  stop(): void {
    this.#leave();
    this.#writer.stop();
  }

  deliver(group: PacketGroup): void {
    if (this.#held === undefined) this.#writer.offer(group);
    else if (this.#writer.wants(group)) {
      if (!this.first.has(group.track)) this.first.set(group.track, group);
      group.keep();
      this.#held.push(group);
    }
  }

  changed(): void {
    this.failed(new Fault("unavailable", "the camera's tracks are others than those described"));
  }

  failed(error: unknown): void {
    this.stop();
    this.#failed(error);
  }

  direct(track: number): DirectWay | undefined {
    return this.#held === undefined ? this.#writer.direct(track) : undefined;
  }

  reportDueAt(track: number): MonotonicMillis {
    return this.#writer.reportDueAt(track);
  }

  count(track: number, sums: Sums, newestAt: UnixMillis): void {
    this.#writer.count(track, sums, newestAt);
  }
}
