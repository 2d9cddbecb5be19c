import { type Millis, SECOND } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { MarkedGroup } from "./replay-marks.ts";

/** How far the beginning of a track is looked for: what is further is heard late anyhow, and all of it waits in memory. */
const LIMITS: { readonly groups: number; readonly spanMs: Millis; readonly bytes: number } = {
  groups: 128,
  spanMs: 1 * SECOND,
  bytes: 4 * 1024 * 1024,
};

/** Undefined says that there is nothing more at the moment. */
type Items = AsyncIterator<MarkedGroup | undefined>;

/** The beginning of a replay, read before anything is sent, so that its answer can say where each track begins. */
export class LookAhead implements Items {
  /** The first group of each track that was found. */
  readonly first: Map<number, PacketGroup>;
  readonly #items: Items;
  readonly #read: IteratorResult<MarkedGroup | undefined>[];

  private constructor(items: Items, first: Map<number, PacketGroup>, read: IteratorResult<MarkedGroup | undefined>[]) {
    this.#items = items;
    this.first = first;
    this.#read = read;
  }

  /** `start` is what `items` gave before. Ends where there is nothing more at the moment. Throws what reading throws. */
  static async read(start: MarkedGroup, items: Items, tracks: ReadonlySet<number>): Promise<LookAhead> {
    const first = new Map([[start.group.track, start.group]]);
    const read: IteratorResult<MarkedGroup | undefined>[] = [];
    let bytes = start.group.byteLength;
    while (first.size < tracks.size && read.length < LIMITS.groups && bytes < LIMITS.bytes) {
      const result = await items.next();
      read.push(result);
      const group = result.done === true ? undefined : result.value?.group;
      if (group === undefined || Math.abs(group.at - start.group.at) > LIMITS.spanMs) break;
      bytes += group.byteLength;
      if (!first.has(group.track)) first.set(group.track, group);
    }
    return new LookAhead(items, first, read);
  }

  next(): Promise<IteratorResult<MarkedGroup | undefined>> {
    const read = this.#read.shift();
    return read === undefined ? this.#items.next() : Promise.resolve(read);
  }

  /** Nothing more is wanted: lets go of the files that reading holds open. */
  async return(): Promise<IteratorResult<MarkedGroup | undefined>> {
    for (const { value } of this.#read.splice(0)) (value as MarkedGroup | undefined)?.group.release();
    await this.#items.return?.();
    return { done: true, value: undefined };
  }
}
