import type { Kysely } from "kysely";
import type { CatalogGaps } from "./catalog-gaps.ts";
import { volumesInUse } from "./catalog-held.ts";
import type { Held } from "./catalog-rows.ts";
import type { CatalogSchema } from "./catalog-schema.ts";
import type { CatalogSegments } from "./catalog-segments.ts";

/** What the catalog has on which volume, and which volumes were there once. */
export class CatalogVolumes {
  readonly #query: Kysely<CatalogSchema>;
  readonly #segments: CatalogSegments;
  readonly #gaps: CatalogGaps;

  constructor(query: Kysely<CatalogSchema>, segments: CatalogSegments, gaps: CatalogGaps) {
    this.#query = query;
    this.#segments = segments;
    this.#gaps = gaps;
  }

  /** Bytes and segments by camera. Cameras that have none are left out. */
  async totals(): Promise<readonly Omit<Held, "volume">[]> {
    const sums = new Map<string, Omit<Held, "volume">>();
    for (const { camera, bytes, segments } of await this.held()) {
      const before = sums.get(camera) ?? { bytes: 0, segments: 0 };
      sums.set(camera, { camera, bytes: before.bytes + bytes, segments: before.segments + segments });
    }
    return [...sums.values()];
  }

  /** Bytes and segments by camera and volume. Where there are none, it is left out. */
  held(): Promise<readonly Held[]> {
    return this.#query
      .selectFrom("held")
      .selectAll()
      .where("segments", ">", 0)
      .orderBy("camera")
      .orderBy("volume")
      .execute();
  }

  /** The volumes that were there once. */
  async known(): Promise<ReadonlySet<string>> {
    return new Set((await this.#query.selectFrom("volumes").select("name").execute()).map(({ name }) => name));
  }

  async know(name: string): Promise<void> {
    await this.#query
      .insertInto("volumes")
      .values({ name })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  /**
   * Takes all that a volume has out of the catalog: a gap with this reason is in its place. How many segments there were. That there was
   * a volume of this name is remembered, so that an empty folder where its disk was mounted is not taken for a new one.
   */
  async forget(name: string, reason: string): Promise<number> {
    const everything = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };
    const others = (await volumesInUse(this.#query)).filter((volume) => volume !== name);
    const held = (await this.held()).filter(({ volume }) => volume === name);
    for (const { camera } of held)
      for (const stream of await this.#segments.streams(camera))
        for (
          let stretches = await this.#segments.elsewhere(camera, stream, everything, others);
          stretches.length > 0;
        ) {
          for (const { startUs: fromUs, endUs: toUs } of stretches)
            await this.#gaps.missed({ camera, stream, fromUs, toUs, reason, cause: "disk" });
          // One instant has a segment of a single picture: it goes too, or this would have no end.
          const last = Math.max(...stretches.map(({ startUs, endUs }) => Math.max(endUs, startUs + 1)));
          await this.#query
            .deleteFrom("segments")
            .where("camera", "=", camera)
            .where("stream", "=", stream)
            .where("volume", "=", name)
            .where("startUs", "<", last)
            .execute();
          stretches = await this.#segments.elsewhere(camera, stream, everything, others);
        }
    await this.#query.transaction().execute(async (query) => {
      for (const table of ["segments", "held", "opened", "doomed"] as const)
        await query.deleteFrom(table).where("volume", "=", name).execute();
      await query
        .deleteFrom("moves")
        .where((eb) => eb.or([eb("source", "=", name), eb("target", "=", name)]))
        .execute();
    });
    return held.reduce((sum, { segments }) => sum + segments, 0);
  }
}
