import type { Clock } from "../../base/clock.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { LiveReader, LiveSource } from "../../media/source.ts";
import { startsAt } from "../../media/start.ts";
import type { CohortReader } from "./cohort-reader.ts";
import { CohortTrack, type Place } from "./cohort-track.ts";

interface Member {
  readonly reader: CohortReader;
  /** No picture or sound before a key frame is any use to it. */
  waitingForKey: boolean;
  /** By track; undefined while it is not in step. */
  places: ReadonlyMap<number, MembersPlace> | undefined;
  left: boolean;
}

type MembersPlace = Place & { readonly member: Member };

export interface CohortOptions {
  readonly source: LiveSource;
  readonly clock: Clock;
  /** The interleaved channel of each track that its readers have set up. */
  readonly channels: ReadonlyMap<number, number>;
  /** Nobody is to join any more. May come again. */
  readonly ended: () => void;
}

/**
 * Readers of one live source that have set up the same tracks in the same way. Those for whom nothing waits, and who have nothing to say, are in
 * step: one call of the system sends a group to all of them, or one write to each stream, and little else is done for each, for to look at all that belongs to a
 * reader costs half as much as to send to it. The others are given the group one by one, and are in step again when nothing waits
 * for them any more.
 */
export class Cohort implements LiveReader {
  readonly saysWhatItKeeps = true;
  readonly #o: CohortOptions;
  readonly #tracks: ReadonlyMap<number, CohortTrack<MembersPlace>>;
  /** In order of their coming. Replaced when it changes: readers come and go while a group is being handed out. */
  #members: readonly Member[] = [];
  /** Those who are not in step. */
  #apart: readonly Member[] = [];
  /** Somebody came, left, or is in step or not in step any more: to be arranged anew before the next group. */
  #stale = false;
  #leaveSource: (() => void) | undefined;

  constructor(options: CohortOptions) {
    this.#o = options;
    const now = options.clock.now();
    this.#tracks = new Map(
      [...options.channels].map(([index, channel]) => [index, new CohortTrack(index, channel, now)]),
    );
  }

  get readers(): number {
    return this.#members.length;
  }

  /** As of the source. Not while a group is being handed out. */
  join(reader: CohortReader): () => void {
    const { source } = this.#o;
    const member: Member = { reader, waitingForKey: true, places: undefined, left: false };
    const first = (group: PacketGroup): void => {
      member.waitingForKey = false;
      reader.deliver(group);
    };
    // For what the source still has of the time before; what comes from now on comes by way of us.
    if (this.#leaveSource !== undefined) source.join({ deliver: first })();
    this.#members = [...this.#members, member];
    this.#stale = true;
    // The first one is there already: what a source tells at once, it may tell only once.
    this.#leaveSource ??= source.join(this);
    return () => this.#leave(member);
  }

  /** Has a reader told what it was sent up to now. */
  settle(reader: CohortReader): void {
    const member = this.#members.find((one) => one.reader === reader);
    if (member !== undefined) this.#count(member);
  }

  /** A reader is given each group itself until nothing waits for it: it is not set up any more as it was. */
  stepOut(reader: CohortReader): void {
    const member = this.#members.find((one) => one.reader === reader);
    if (member !== undefined) this.#stepOut(member);
  }

  deliver(group: PacketGroup): void {
    if (this.#stale) this.#arrange();
    const track = this.#tracks.get(group.track);
    if (track !== undefined) this.#together(track, group);
    for (const member of this.#apart) if (!member.left) this.#alone(member, group);
  }

  changed(): void {
    this.#o.ended();
    for (const { reader } of this.#members) reader.changed();
  }

  #together(track: CohortTrack<MembersPlace>, group: PacketGroup): void {
    const { cut, passedOver } = track.send(group, this.#o.clock.monotonic());
    // Before anybody is given anything, and may write to others.
    for (const { place, taken } of cut) {
      track.sendRest(place, group, taken);
      group.keep();
      this.#stepOut(place.member);
    }
    for (const { member } of passedOver) {
      if (member.left) continue;
      this.#count(member);
      this.#give(member, group);
      if (!member.left && this.#placesFor(member) === undefined) this.#stepOut(member);
    }
  }

  #alone(member: Member, group: PacketGroup): void {
    const { tracks } = this.#o.source;
    member.waitingForKey &&= !startsAt(group, tracks);
    // Of events it can have those of now, whatever pictures wait for.
    if (member.waitingForKey && tracks[group.track]?.kind !== "metadata") return;
    this.#give(member, group);
    if (member.left || member.waitingForKey) return;
    member.places = this.#placesFor(member);
    if (member.places === undefined) return;
    this.#stale = true;
    for (const [index, place] of member.places) this.#tracks.get(index)?.expect(place, this.#o.clock.monotonic());
  }

  #give(member: Member, group: PacketGroup): void {
    const { reader } = member;
    try {
      reader.deliver(group);
    } catch (error) {
      // The others must not notice.
      this.#leave(member);
      reader.failed(error);
    }
  }

  /** Undefined as long as something waits for it, or one of the tracks has no such way. */
  #placesFor(member: Member): Member["places"] {
    const places = new Map<number, MembersPlace>();
    for (const [index, track] of this.#tracks) {
      const way = member.reader.direct(index);
      const descriptor = way?.descriptor;
      if (way === undefined || descriptor === undefined) return undefined;
      places.set(index, { member, way, descriptor, since: track.sums });
    }
    return places;
  }

  #stepOut(member: Member): void {
    this.#count(member);
    member.places = undefined;
    this.#stale = true;
  }

  #count({ places }: Member): void {
    for (const [index, place] of places ?? []) this.#tracks.get(index)?.count(place);
  }

  #leave(member: Member): void {
    if (member.left) return;
    member.left = true;
    this.#stepOut(member);
    this.#members = this.#members.filter((one) => one !== member);
    if (this.#members.length > 0) return;
    this.#leaveSource?.();
    this.#leaveSource = undefined;
    this.#o.ended();
  }

  #arrange(): void {
    this.#stale = false;
    this.#apart = this.#members.filter(({ places }) => places === undefined);
    for (const [index, track] of this.#tracks)
      track.arrange(this.#members.flatMap(({ places }) => places?.get(index) ?? []));
  }
}
