import type { Millis } from "../base/units.ts";
import type { PacketGroup } from "./group.ts";
import type { LiveReader, LiveSource } from "./source.ts";
import type { Track } from "./track.ts";

/** One track more for a live source, made here and not by a camera. */
export interface ExtraTrack {
  readonly track: Track;
  readonly ssrc: number;
  /** Groups arrive as those of track `index`. Returns how to leave. */
  join(index: number, deliver: (group: PacketGroup) => void): () => void;
  /** Somebody wants the state anew that all that follows depends on. */
  renew(): void;
}

/** A live source with one more track behind its own. Before its own are known it has none. */
export class ExtendedSource implements LiveSource {
  readonly #source: LiveSource;
  readonly #extra: ExtraTrack;

  constructor(source: LiveSource, extra: ExtraTrack) {
    this.#source = source;
    this.#extra = extra;
  }

  get tracks(): readonly Track[] {
    const { tracks } = this.#source;
    return tracks.length === 0 ? [] : [...tracks, this.#extra.track];
  }

  ready(limitMs: Millis, signal?: AbortSignal): Promise<void> {
    return this.#source.ready(limitMs, signal);
  }

  requestKey(): void {
    this.#source.requestKey();
    this.#extra.renew();
  }

  ssrc(index: number): number | undefined {
    return index === this.#source.tracks.length ? this.#extra.ssrc : this.#source.ssrc(index);
  }

  /** A reader of a source whose tracks change is told so, and has to come anew: its index holds as long as it stays. */
  join(reader: LiveReader): () => void {
    const leaveSource = this.#source.join(reader);
    const leaveExtra = this.#extra.join(this.#source.tracks.length, (group) => reader.deliver(group));
    return () => {
      leaveExtra();
      leaveSource();
    };
  }
}
