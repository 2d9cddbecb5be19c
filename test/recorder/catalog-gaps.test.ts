import { expect } from "chai";
import * as fc from "fast-check";
import { Kysely, type LogEvent, SqliteDialect } from "kysely";
import { SqliteFile } from "../../base/sqlite.ts";
import { Catalog } from "../../recorder/catalog.ts";
import { CatalogGaps } from "../../recorder/catalog-gaps.ts";
import type { GapRow } from "../../recorder/catalog-rows.ts";
import type { CatalogSchema } from "../../recorder/catalog-schema.ts";
import { LEAST_GAP_US } from "../../recorder/gap.ts";
import { scratchFolder } from "../support/recorder-samples.ts";

const GAP = { camera: "gate", stream: "main", reason: "told so", cause: "network" } as const;

describe("gaps of the catalog", () => {
  /** Of any length, over one another too, as where a clock was set back; one is open, perhaps. */
  const someGaps = fc.record({
    gaps: fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: 3e9 }), fc.integer({ min: 1, max: 32 }), fc.integer({ min: 1, max: 9 }))
        .map(([fromUs, bits, more]) => ({ ...GAP, fromUs, toUs: fromUs + 2 ** bits + more })),
      { maxLength: 25 },
    ),
    open: fc.option(fc.integer({ min: 0, max: 3e9 })),
    at: fc.integer({ min: 0, max: 4e9 }),
    lengthUs: fc.integer({ min: 1, max: 2e9 }),
  });
  const sorted = (gaps: readonly GapRow[]): readonly string[] =>
    gaps.map(({ fromUs, toUs, cause }) => `${fromUs} ${toUs} ${cause}`).toSorted();

  it("that touch a stretch are all of its stream, of any length, in the order of time, and what is filled of them is gone", async () => {
    await fc.assert(
      fc.asyncProperty(someGaps, async ({ gaps, open, at, lengthUs }) => {
        const catalog = await Catalog.open(":memory:");
        try {
          for (const gap of gaps) for (const stream of ["main", "sub"]) await catalog.gaps.missed({ ...gap, stream });
          if (open !== null) await catalog.gaps.begin({ ...GAP, fromUs: open });
          const all: readonly GapRow[] = [
            ...gaps,
            ...(open === null ? [] : [{ ...GAP, fromUs: open, toUs: undefined }]),
          ];
          const to = at + lengthUs;
          const found = await catalog.gaps.touching("gate", "main", at, to);
          const touched = all.filter(({ fromUs, toUs = Infinity }) => fromUs < to && toUs > at);
          expect(sorted(found)).to.deep.equal(sorted(touched));
          expect(found.map(({ fromUs }) => fromUs)).to.deep.equal(
            touched.map(({ fromUs }) => fromUs).toSorted((a, b) => a - b),
          );
          await catalog.gaps.filled("gate", "main", at, to);
          const rests = all.flatMap((gap) => {
            if (gap.toUs === undefined || !touched.includes(gap)) return [gap];
            const parts = [
              { ...gap, toUs: at },
              { ...gap, fromUs: to },
            ];
            return parts.filter(({ fromUs, toUs = 0 }) => toUs - fromUs > LEAST_GAP_US);
          });
          const left = await catalog.gaps.touching("gate", "main", 0, Number.MAX_SAFE_INTEGER);
          expect(sorted(left)).to.deep.equal(sorted(rests));
          expect(await catalog.gaps.touching("gate", "sub", at, to)).to.have.length(
            touched.length - (open !== null && touched.some(({ toUs }) => toUs === undefined) ? 1 : 0),
          );
        } finally {
          await catalog.close();
        }
      }),
      { numRuns: 30 },
    );
  });

  it("are never all looked at that are older: a camera that is lost every minute leaves half a million in a year", async () => {
    const { folder, remove } = await scratchFolder();
    await (await Catalog.open(`${folder}/catalog.db`)).close();
    const database = new SqliteFile(`${folder}/catalog.db`, { durable: false });
    const asked: string[] = [];
    const log = ({ query }: LogEvent): void => void asked.push(query.sql);
    const query = new Kysely<CatalogSchema>({ dialect: new SqliteDialect({ database }), log });
    const gaps = new CatalogGaps(query);
    await gaps.begin({ ...GAP, fromUs: 1 });
    await gaps.change({ ...GAP, fromUs: 2, cause: "disk" });
    await gaps.end("gate", "main", 3);
    await gaps.filled("gate", "main", 4, 5);
    await gaps.touching("gate", "main", 4, 5);
    await gaps.cameras();
    await gaps.forget("gate", 6);
    const plans = asked
      .filter((sql) => /^(?!insert).*\bgaps\b/s.test(sql))
      .flatMap((sql) => database.prepare(`explain query plan ${sql}`).all([]))
      .map((row) => (row as { readonly detail: string }).detail);
    await query.destroy();
    await remove();
    const looks = plans.filter((plan) => /\bgaps\b/.test(plan));
    // Those that are open, of a length, from an instant on or up to an end, or the first of a camera.
    const few = /toUs[=<]|<expr>=|fromUs>|camera>/;
    expect(looks.filter((plan) => !few.test(plan) && !plan.includes("INTEGER PRIMARY KEY"))).to.deep.equal([]);
    expect(looks.length).to.be.at.least(10);
  });
});
