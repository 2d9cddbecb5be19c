import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { type Millis, SECOND } from "../base/units.ts";
import type { PacketGroup } from "./group.ts";
import { KeyRequests } from "./key-requests.ts";
import type { LiveReader, LiveSource } from "./source.ts";
import { hasVideo, startsAt } from "./start.ts";
import type { Track } from "./track.ts";

const LIMITS = {
  /** Kept for readers that join: the groups since the newest key frame. 16 MiB hold 20 s of 6 Mbit/s. */
  cachedBytes: 16 * 1024 * 1024,
  /** A camera with longer distances between key frames makes readers wait. */
  cachedMs: 20 * SECOND,
  /** Who joins is given at once what came since the newest key frame, and plays late by as much: beyond this a new one is asked for. */
  nearMs: 4 * SECOND,
};

interface Member {
  readonly reader: LiveReader;
  /** Nothing before a key frame is any use to it. */
  waitingForKey: boolean;
  left: boolean;
}

/** Somebody who waits for the stream to flow. */
interface Waiting {
  readonly wake: () => void;
  readonly fail: (why: unknown) => void;
}

/** One stream and everyone who watches it. Each group is handed to each reader once, in the same buffer. */
export class Hub implements LiveSource {
  readonly #clock: Clock;
  readonly #log: Log;
  /** Replaced when it changes, never changed: readers come and go while a group is being handed out. */
  #members: readonly Member[] = [];
  readonly #waiting = new Set<Waiting>();
  #tracks: readonly Track[] = [];
  #ssrcs: readonly number[] = [];
  #flowing = false;
  readonly #keyRequests: KeyRequests;
  #askForKey: () => void = () => undefined;
  #cache: PacketGroup[] = [];
  #cachedBytes = 0;
  /** A reader is being given something. */
  #delivering = false;

  constructor(o: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = o.clock;
    this.#log = o.log;
    this.#keyRequests = new KeyRequests(o.clock);
  }

  get tracks(): readonly Track[] {
    return this.#tracks;
  }

  get readers(): number {
    return this.#members.reduce((sum, { reader }) => sum + (reader.readers ?? 1), 0);
  }

  ssrc(index: number): number | undefined {
    return this.#ssrcs[index];
  }

  /** The camera has described its stream. Readers of another stream than before are told to start over. */
  describe(tracks: readonly Track[], ssrcs: readonly number[]): void {
    const same =
      tracks.length === this.#tracks.length &&
      tracks.every((track, index) => {
        const before = this.#tracks[index];
        return (
          before?.codec === track.codec &&
          before.encoding.toUpperCase() === track.encoding.toUpperCase() &&
          before.clockRateHz === track.clockRateHz &&
          before.payloadType === track.payloadType
        );
      });
    this.#ssrcs = ssrcs;
    // What was learned from the stream is newer than what the camera keeps repeating in its description.
    this.#tracks = same
      ? this.#tracks.map((track, index) => (track.fmtp === "" ? (tracks[index] ?? track) : track))
      : tracks;
    if (same) return;
    this.#dropCache();
    for (const member of this.#members) {
      member.waitingForKey = hasVideo(this.#tracks);
      this.#tellChanged(member);
    }
  }

  /** Parameter sets in the stream are other ones than those described. */
  updateTrack(index: number, track: Track): void {
    this.#tracks = this.#tracks.map((before, at) => (at === index ? track : before));
  }

  publish(group: PacketGroup): void {
    const start = startsAt(group, this.#tracks);
    const cached = this.#cached(group, start);
    if (!this.#flowing && (start || !hasVideo(this.#tracks))) {
      this.#flowing = true;
      for (const { wake } of this.#waiting) wake();
    }
    for (const member of this.#members) {
      if (member.left || (member.waitingForKey && !start)) continue;
      member.waitingForKey = false;
      this.#deliver(member, group);
    }
    if (!cached) group.release();
  }

  /** The camera is gone. Readers stay, and go on with the next key frame when it is back. */
  lost(): void {
    this.#flowing = false;
    this.#dropCache();
    for (const member of this.#members) member.waitingForKey = hasVideo(this.#tracks);
  }

  /** Who asks the camera for a key frame, as often as `requestKey` lets through. Must not throw. */
  onKeyRequest(ask: () => void): void {
    this.#askForKey = ask;
  }

  requestKey(): void {
    if (this.#flowing && hasVideo(this.#tracks) && this.#keyRequests.admit()) this.#askForKey();
  }

  /** It will not flow soon: whoever waits for it need not wait longer. */
  giveUp(why: Fault): void {
    for (const { fail } of this.#waiting) fail(why);
  }

  ready(limitMs: Millis, signal?: AbortSignal): Promise<void> {
    if (this.#flowing) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        timer.cancel();
        this.#waiting.delete(waiting);
        signal?.removeEventListener("abort", stop);
      };
      const waiting: Waiting = {
        wake() {
          end();
          resolve();
        },
        fail(why) {
          end();
          reject(why);
        },
      };
      const stop = (): void => waiting.fail(signal?.reason);
      const timer = this.#clock.after(limitMs, () =>
        waiting.fail(new Fault("unavailable", "the camera sends no stream", { tell: "the camera cannot be reached" })),
      );
      this.#waiting.add(waiting);
      if (signal?.aborted === true) stop();
      else signal?.addEventListener("abort", stop, { once: true });
    });
  }

  join(reader: LiveReader): () => void {
    const cached = hasVideo(this.#tracks) ? this.#cache : [];
    const member: Member = { reader, waitingForKey: hasVideo(this.#tracks) && cached.length === 0, left: false };
    this.#members = [...this.#members, member];
    for (const group of cached) if (!member.left) this.#deliver(member, group);
    if (this.#isFar(cached)) this.requestKey();
    return () => this.#leave(member);
  }

  #leave(member: Member): void {
    member.left = true;
    this.#members = this.#members.filter((one) => one !== member);
  }

  /** The newest key frame is gone, or long ago. */
  #isFar(cached: readonly PacketGroup[]): boolean {
    const [first, last] = [cached[0], cached.at(-1)];
    return first === undefined || last === undefined || last.at - first.at > LIMITS.nearMs;
  }

  /** Who joins after a loss would see the damage until the next key frame. */
  #breaks(group: PacketGroup): boolean {
    return group.discontinuity && this.#tracks[group.track]?.kind === "video";
  }

  /** Whether it is kept for those who join. */
  #cached(group: PacketGroup, start: boolean): boolean {
    if (start || this.#breaks(group)) this.#dropCache();
    if (!start && this.#cache.length === 0) return false;
    const first = this.#cache[0] ?? group;
    if (this.#cachedBytes + group.memoryBytes > LIMITS.cachedBytes || group.at - first.at > LIMITS.cachedMs) {
      this.#dropCache();
      return false;
    }
    this.#cache.push(group);
    this.#cachedBytes += group.memoryBytes;
    return true;
  }

  #dropCache(): void {
    // A reader that brought it about by what it was given: others may still have to get that.
    if (!this.#delivering) for (const group of this.#cache) group.release();
    this.#cache = [];
    this.#cachedBytes = 0;
  }

  #deliver(member: Member, group: PacketGroup): void {
    if (member.reader.saysWhatItKeeps !== true) group.keep();
    // It may be within another one: a reader that is given something may have another one join.
    const before = this.#delivering;
    this.#delivering = true;
    // Without a closure for each reader and group: there are tens of thousands a second.
    try {
      member.reader.deliver(group);
    } catch (error) {
      this.#expel(member, error);
    }
    this.#delivering = before;
  }

  #tellChanged(member: Member): void {
    try {
      member.reader.changed?.();
    } catch (error) {
      this.#expel(member, error);
    }
  }

  /** A reader with a bug leaves; the others must not notice. */
  #expel(member: Member, err: unknown): void {
    this.#leave(member);
    this.#log.error({ err }, "a reader of a live stream failed and was removed");
  }
}
