import type { Lease } from "../../auth/leases.ts";
import type { Clock } from "../../base/clock.ts";
import { type Millis, type UnixMillis, unixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { Reading, RecordedSource, Span } from "../../media/source.ts";
import type { Track } from "../../media/track.ts";

/** What of a recording may be had under a lease. Whether its age is limited at all never changes while the lease lasts. */
export function recordedUnder(source: RecordedSource, lease: Lease, clock: Clock): RecordedSource {
  if (lease.maxAgeMs === Number.POSITIVE_INFINITY) return source;
  return new AgedSource(source, { clock, maxAgeMs: () => lease.maxAgeMs, showed: lease.showed });
}

/**
 * A recording of which only the newest part may be had. The limit moves with the clock, so each group is looked at again when it is
 * read: what has become too old meanwhile is left out, and the picture goes on from a key frame that is not.
 */
export class AgedSource implements RecordedSource {
  readonly #source: RecordedSource;
  readonly #clock: Clock;
  readonly #maxAgeMs: () => Millis;
  readonly #showed: (at: UnixMillis) => void;

  /** `showed` is told the capture instant of each group that is handed on. */
  constructor(
    source: RecordedSource,
    o: { readonly clock: Clock; readonly maxAgeMs: () => Millis; readonly showed?: (at: UnixMillis) => void },
  ) {
    this.#source = source;
    this.#clock = o.clock;
    this.#maxAgeMs = o.maxAgeMs;
    this.#showed = o.showed ?? (() => undefined);
  }

  async tracks(from?: UnixMillis): Promise<readonly Track[]> {
    if ((await this.extent()) === undefined) return [];
    return this.#source.tracks(from === undefined ? undefined : this.#within(from));
  }

  async extent(): Promise<Span | undefined> {
    const all = await this.#source.extent();
    const oldest = this.#oldest();
    if (all === undefined || all.to <= oldest) return undefined;
    return { from: unixMillis(Math.max(all.from, oldest)), to: all.to };
  }

  read(range: Reading, signal: AbortSignal): AsyncIterable<PacketGroup> {
    return this.#fresh(this.#source.read(this.#clipped(range), signal));
  }

  follow(range: Reading, signal: AbortSignal): AsyncIterable<PacketGroup | undefined> {
    return this.#fresh(this.#source.follow(this.#clipped(range), signal));
  }

  async *readBackward(range: Reading, signal: AbortSignal): AsyncIterable<PacketGroup> {
    for await (const group of this.#source.readBackward(range, signal)) {
      // What lies before it is older still.
      if (group.at < this.#oldest()) {
        group.release();
        return;
      }
      this.#showed(group.at);
      yield group;
    }
  }

  async *#fresh<T extends PacketGroup | undefined>(groups: AsyncIterable<T>): AsyncIterable<T> {
    /** Tracks of which something was left out, until their next key frame. */
    const waiting = new Set<number>();
    for await (const group of groups) {
      if (group === undefined) yield group;
      else {
        if (group.at < this.#oldest()) waiting.add(group.track);
        else if (group.key) waiting.delete(group.track);
        if (waiting.has(group.track)) group.release();
        else {
          this.#showed(group.at);
          yield group;
        }
      }
    }
  }

  #oldest(): UnixMillis {
    return unixMillis(this.#clock.now() - this.#maxAgeMs());
  }

  #within(from: UnixMillis): UnixMillis {
    return unixMillis(Math.max(from, this.#oldest()));
  }

  #clipped(range: Reading): Reading {
    return { ...range, from: this.#within(range.from) };
  }
}
