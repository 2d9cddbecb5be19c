import type { UnixMillis } from "../base/units.ts";
import type { PacketGroup } from "./group.ts";
import type { ReusedMemory } from "./reused-memory.ts";
import type { Track } from "./track.ts";

/** Someone who watches a live source. Must not throw and must not block. */
export interface LiveReader {
  deliver(group: PacketGroup): void;
  /** It calls `keep` or `hold` of each group that it looks at after `deliver`. For a reader that does not say so, every group is kept. */
  readonly saysWhatItKeeps?: true;
  /** How many watch through it; one if absent. */
  readonly readers?: number;
  /** The source's tracks are not what they were when the reader joined: it has to describe the stream anew. */
  changed?(): void;
}

/** A stream that is being produced now, with any number of readers. */
export interface LiveSource {
  /** Empty until the camera has described its stream. The newest description; in-band parameter sets are folded in. */
  readonly tracks: readonly Track[];
  /** Resolves when `tracks` is known and packets flow; rejects with `unavailable` after `limitMs`. */
  ready(limitMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * Groups arrive from the newest key frame on, at once where it is still held. Returns how to leave.
   * The SSRC of each track never changes, and sequence numbers and timestamps go on when the camera reconnects.
   */
  join(reader: LiveReader): () => void;
  /**
   * Somebody cannot decode, and asks for a key frame before its time (ONVIF Media 5.16, Synchronization Points). The camera may be
   * asked or not: it may know no way, or may have been asked too often. It comes as any other, to all readers.
   */
  requestKey(): void;
  /** The SSRC of our numbering of track `index`; undefined as long as the camera has not been reached. */
  ssrc(index: number): number | undefined;
}

/** A stretch of time without a gap. `to` is the end of the last access unit. */
export interface Span {
  readonly from: UnixMillis;
  readonly to: UnixMillis;
}

/** How the packets of a track are numbered: by whom they say they are, and from which sequence number on. */
export interface Numbering {
  readonly ssrc: number;
  readonly sequence: number;
}

/** What is read of a recording. */
export interface Reading {
  readonly from: UnixMillis;
  readonly to?: UnixMillis;
  /** Where packets lie, for a reader that gives back what it has done with; memory of their own if absent. */
  readonly memory?: ReusedMemory;
  /** Of track `index`, for a client that has been sent something of it before; random if absent. */
  readonly numbering?: (index: number) => Numbering;
  /** Backwards: sound and metadata instead of pictures. */
  readonly withoutVideo?: boolean;
}

/** What a camera recorded, over all its time. */
export interface RecordedSource {
  /** What was recorded at or after `from` (the newest if absent). */
  tracks(from?: UnixMillis): Promise<readonly Track[]>;
  /** Earliest and latest recorded instant; undefined where nothing is recorded. */
  extent(): Promise<Span | undefined>;
  /**
   * Groups in the order of capture, tracks mixed, from the last key frame at or before `from` on, to `to` (exclusive) or,
   * without it, to the end of what is recorded when reading gets there. Sequence numbers start anew with each call, or where `numbering` says.
   * In a gap it begins with the first key frame behind it. Ends early, without error, when `signal` is aborted.
   */
  read(range: Reading, signal: AbortSignal): AsyncIterable<PacketGroup>;
  /**
   * Like `read`, into the future: it does not end before `to`, and undefined says that there is nothing more at the moment.
   * Wait before you ask again.
   */
  follow(range: Reading, signal: AbortSignal): AsyncIterable<PacketGroup | undefined>;
  /**
   * Groups of pictures from late to early, and within each from its key frame on; video alone where there is video, or all but
   * video, each group for itself (`withoutVideo`). From the
   * one that holds `from`, up to that instant, to the one that holds `to` (the earlier of the two), or to the beginning. The
   * first group of each is marked as a discontinuity. RTP times are those of `read`: they count the capture.
   */
  readBackward(range: Reading, signal: AbortSignal): AsyncIterable<PacketGroup>;
}
