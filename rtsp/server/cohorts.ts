import type { Clock } from "../../base/clock.ts";
import type { LiveSource } from "../../media/source.ts";
import { Cohort } from "./cohort.ts";
import type { Lanes } from "./lane.ts";
import type { Sink } from "./sink.ts";

/** The cohorts of all live sources. */
export class Cohorts {
  readonly #clock: Clock;
  readonly #bySource = new WeakMap<LiveSource, Map<string, Cohort>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** That of readers who have set up the same; undefined where a lane has no direct way. */
  of(source: LiveSource, lanes: Lanes, sink: Sink): Cohort | undefined {
    const channels = new Map<number, number>();
    const names: string[] = [];
    for (const [index, lane] of [...lanes].toSorted(([a], [b]) => a - b)) {
      const direct = sink.direct(lane);
      if (direct?.way.descriptor === undefined) return undefined;
      channels.set(index, direct.channel);
      names.push(`${direct.way.kind} ${index} ${direct.channel}`);
    }
    const name = names.join(", ");
    const cohorts = this.#bySource.get(source) ?? new Map<string, Cohort>();
    this.#bySource.set(source, cohorts);
    const known = cohorts.get(name);
    if (known !== undefined) return known;
    const ended = (): void => {
      if (cohorts.get(name) === cohort) cohorts.delete(name);
    };
    const cohort = new Cohort({ source, clock: this.#clock, channels, ended });
    cohorts.set(name, cohort);
    return cohort;
  }
}
