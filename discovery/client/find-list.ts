import { type Found, merged } from "./found.ts";

const LIMITS = {
  /** What one scan keeps; more than any network segment has cameras, and a bound for one that answers a million times. */
  finds: 1000,
} as const;

/** What one scan has found so far, each device once. */
export class FindList {
  readonly #byId = new Map<string, Found>();
  /** Ids by address and first service address. */
  readonly #byPlace = new Map<string, string>();

  get all(): readonly Found[] {
    return [...this.#byId.values()];
  }

  /** The find to tell of: new, or known before and now with more detail. Undefined when it says nothing new. */
  add(found: Found): Found | undefined {
    const place = placeOf(found);
    for (const id of new Set([found.id, this.#byPlace.get(place) ?? found.id])) {
      const older = this.#byId.get(id);
      const both = older && merged(older, found);
      if (both === undefined) continue;
      if (JSON.stringify(both) === JSON.stringify(older)) return undefined;
      this.#byId.set(both.id, both);
      return both;
    }
    if (this.#byId.size >= LIMITS.finds) return undefined;
    // Another device with the same endpoint gets an id of its own, the same at every scan.
    const id = this.#byId.has(found.id) ? `${found.id}-${found.ip.replaceAll(/[^0-9a-f]/g, "-")}` : found.id;
    const entry = { ...found, id };
    this.#byId.set(id, entry);
    this.#byPlace.set(place, id);
    return entry;
  }
}

function placeOf(found: Found): string {
  return `${found.ip} ${found.xaddrs[0]}`;
}
