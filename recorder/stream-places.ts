import type { Volume, VolumeRole } from "./volume.ts";

/** Which volume is taken where several could be. */
const RANK: Readonly<Record<VolumeRole, number>> = { hot: 0, spare: 1, archive: 2 };

/** Where each stream (`camera/stream`) belongs, where it is recorded to now, and where its next segment goes rather than elsewhere. */
export class StreamPlaces {
  readonly #homes = new Map<string, string>();
  readonly #now = new Map<string, string>();

  /** The one that is `wanted` first, then where the stream belongs, then where it is; the others by role and room for each stream. */
  inOrder(
    stream: string,
    wanted: string | undefined,
    all: readonly Volume[],
    /** Bytes that recordings could have; absent of those that cannot be written. */
    rooms: ReadonlyMap<Volume, number>,
  ): readonly Volume[] {
    const liked = [wanted, this.#homes.get(stream), this.#now.get(stream)];
    const rank = ({ name, role }: Volume): number => {
      const place = liked.indexOf(name);
      return place === -1 ? liked.length + RANK[role] : place;
    };
    const room = (volume: Volume): number => (rooms.get(volume) ?? 0) / (this.streamsOn(volume) + 1);
    return all.toSorted((a, b) => rank(a) - rank(b) || room(b) - room(a));
  }

  /** A stream is recorded there now; it belongs to the first hot volume that it is recorded to. */
  settle(stream: string, { name, role }: Volume): void {
    this.#now.set(stream, name);
    if (role === "hot" && !this.#homes.has(stream)) this.#homes.set(stream, name);
  }

  /** A stream is recorded no more. */
  leave(stream: string): void {
    this.#now.delete(stream);
    this.#homes.delete(stream);
  }

  streamsOn({ name }: Pick<Volume, "name">): number {
    return [...this.#now.values()].filter((one) => one === name).length;
  }
}
