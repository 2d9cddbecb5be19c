import { type MonotonicMillis, SECOND, type UnixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { CohortReader, Sums } from "./cohort-reader.ts";
import type { DirectWay } from "./direct-way.ts";

const LIMITS = {
  /** Whose report is due is looked for not more often: among many readers somebody's always is. */
  reportsEveryMs: SECOND,
};

/** No descriptor: the system says so. */
const NONE = -1;

/** One reader's place in step, in one track. */
export interface Place {
  readonly member: { readonly reader: CohortReader };
  readonly way: DirectWay;
  readonly descriptor: number;
  /** All that had gone out when its reader was told the last time. */
  since: Sums;
}

/** Who was not sent a group whole. */
export interface Left<P> {
  /** The system took so much of it, or said an error below zero. */
  readonly cut: readonly { readonly place: P; readonly taken: number }[];
  /** They were sent nothing of it. */
  readonly passedOver: readonly P[];
}

const NOTHING: Sums = { bytes: 0, packets: 0, octets: 0 };
const NOBODY: Left<never> = { cut: [], passedOver: [] };

/** One track of a cohort: who is in step, and what they are sent of it. */
export class CohortTrack<P extends Place> {
  readonly #index: number;
  readonly #channel: number;
  #places: readonly P[] = [];
  /** Those of the places, at the same index: nothing else of a reader is looked at for each group. */
  #ways: readonly DirectWay[] = [];
  #descriptors = new Int32Array();
  /** Of the group that is being sent: to whom, and what was taken. */
  #fds = new Int32Array();
  #taken = new Int32Array();
  #sums = NOTHING;
  #newestAt: UnixMillis;
  /** When it was last looked for whose report is due; undefined where it is to be looked for at once. */
  #lookedAt: MonotonicMillis | undefined;

  /** `channel`: that its groups are framed for. */
  constructor(index: number, channel: number, now: UnixMillis) {
    this.#index = index;
    this.#channel = channel;
    this.#newestAt = now;
  }

  /** All that has gone out. */
  get sums(): Sums {
    return this.#sums;
  }

  /** Who is in step from now on. */
  arrange(places: readonly P[]): void {
    this.#places = places;
    this.#ways = places.map(({ way }) => way);
    this.#descriptors = Int32Array.from(places, ({ descriptor }) => descriptor);
    this.#fds = new Int32Array(places.length);
    this.#taken = new Int32Array(places.length);
  }

  /** Somebody steps in, whose report may be due before it is looked for the next time: the first one, before the track's first group. */
  expect({ member }: P, now: MonotonicMillis): void {
    if (member.reader.reportDueAt(this.#index) <= now) this.#lookedAt = undefined;
  }

  /** Sends a group to all in step whose report is not due, and who have room for it. */
  send(group: PacketGroup, now: MonotonicMillis): Left<P> {
    const [first] = this.#ways;
    if (first === undefined) return NOBODY;
    const bytes = group.framed(this.#channel);
    const packets = group.packetCount;
    const fds = this.#fds;
    fds.set(this.#descriptors);
    this.#passOver(now);
    for (let index = 0; index < fds.length; index += 1)
      if (fds[index] !== NONE && this.#ways[index]?.admits(bytes, packets) !== true) fds[index] = NONE;
    const whole = first.sendToAll(this.#ways, fds, bytes, group, this.#taken);
    this.#sums = plus(this.#sums, group);
    this.#newestAt = group.at;
    return this.#left(whole, group);
  }

  /** Puts what the system did not take of a group on its way. */
  sendRest({ way }: P, group: PacketGroup, taken: number): void {
    way.rest(group.framed(this.#channel), group, taken);
  }

  /** Tells a reader what it was sent since it was told the last time. */
  count(place: P): void {
    const { bytes, packets, octets } = this.#sums;
    const { since } = place;
    place.since = this.#sums;
    if (packets === since.packets) return;
    const more = { bytes: bytes - since.bytes, packets: packets - since.packets, octets: octets - since.octets };
    place.member.reader.count(this.#index, more, this.#newestAt);
  }

  /** Those whose report is due are given the group themselves. */
  #passOver(now: MonotonicMillis): void {
    if (this.#lookedAt !== undefined && now - this.#lookedAt < LIMITS.reportsEveryMs) return;
    this.#lookedAt = now;
    for (const [index, { member }] of this.#places.entries())
      if (member.reader.reportDueAt(this.#index) <= now) this.#fds[index] = NONE;
  }

  #left(whole: number, group: PacketGroup): Left<P> {
    let index = 0;
    while (index < this.#taken.length && this.#taken[index] === whole) index += 1;
    if (index === this.#taken.length) return NOBODY;
    const cut: { place: P; taken: number }[] = [];
    const passedOver: P[] = [];
    for (; index < this.#taken.length; index += 1) {
      const [place, taken] = [this.#places[index] as P, this.#taken[index] as number];
      if (this.#fds[index] === NONE) {
        // What has gone out to the others is none of its.
        place.since = plus(place.since, group);
        passedOver.push(place);
      } else if (taken !== whole) cut.push({ place, taken });
    }
    return { cut, passedOver };
  }
}

function plus({ bytes, packets, octets }: Sums, group: PacketGroup): Sums {
  return {
    bytes: bytes + group.byteLength,
    packets: packets + group.packetCount,
    octets: octets + group.payloadBytes,
  };
}
