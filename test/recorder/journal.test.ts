import { expect } from "chai";
import * as fc from "fast-check";
import { HOUR, unixMillis } from "../../base/units.ts";
import { type EventCursor, Journal, type KeptEvent, type Mark } from "../../recorder/journal.ts";

const START = Date.UTC(2026, 10, 24, 13);

function event(camera: string, offsetMs: number, more: Partial<KeptEvent> = {}): KeptEvent {
  const at = unixMillis(START + offsetMs);
  return { camera, at, kind: "motion", about: "motion of it", property: true, content: String(offsetMs), ...more };
}

describe("the journal", () => {
  let journal: Journal;
  beforeEach(async () => {
    journal = await Journal.open(":memory:");
  });
  afterEach(() => journal.close());

  const all = { from: unixMillis(0), to: unixMillis(START * 2) };

  it("gives events back in order of time, both ways, of these cameras alone, a page at a time", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ camera: fc.constantFrom("a", "b", "c"), at: fc.nat(50) }), { maxLength: 40 }),
        fc.integer({ min: 0, max: 50 }),
        fc.integer({ min: 0, max: 50 }),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        async (entries, one, other, page, backward) => {
          const own = await Journal.open(":memory:");
          await own.enter(entries.map(({ camera, at }) => event(camera, at)));
          const [from, to] = [Math.min(one, other), Math.max(one, other)];
          const found: number[] = [];
          let cursor: EventCursor | undefined;
          for (;;) {
            const range = { from: unixMillis(START + from), to: unixMillis(START + to), backward };
            const rows = await own.events(["a", "b"], range, cursor, page);
            expect(rows.length).to.be.at.most(page);
            found.push(...rows.map(({ content }) => Number(content)));
            cursor = rows.at(-1);
            if (cursor === undefined) break;
          }
          const expected = entries
            .filter(({ camera, at }) => camera !== "c" && at >= from && at < to)
            .map(({ at }) => at)
            .sort((a, b) => (backward ? b - a : a - b));
          expect(found).to.deep.equal(expected);
          await own.close();
        },
      ),
      { numRuns: 40 },
    ));

  it("says where the events of each camera begin, and which was entered last", async () => {
    expect(await journal.newest()).to.equal(0);
    await journal.enter([event("a", 7), event("b", 3), event("a", 5)]);
    const newest = await journal.newest();
    await journal.enter([event("a", 1)]);
    expect([...(await journal.beginnings(["a", "b", "c"]))]).to.deep.equal([
      ["a", START + 1],
      ["b", START + 3],
    ]);
    const before = await journal.events(["a", "b"], { ...all, upTo: newest });
    expect(before.map(({ at }) => at - START)).to.deep.equal([3, 5, 7]);
  });

  it("knows how each thing stood at an instant", async () => {
    await journal.enter([
      event("a", 0, { about: "x", content: "x on" }),
      event("a", 10, { about: "x", content: "x off" }),
      event("a", 5, { about: "y", content: "y on" }),
      event("a", 20, { about: "x", content: "x on again" }),
      event("a", 5, { about: "z", content: "once", property: false }),
      event("b", 5, { about: "x", content: "another camera's" }),
    ]);
    const standing = await journal.standing("a", unixMillis(START + 20));
    expect(standing.map(({ content }) => content)).to.deep.equal(["x off", "y on"]);
    expect(await journal.standing("a", unixMillis(START))).to.deep.equal([]);
  });

  it("tells how 256 things stood, of a camera that tells of more", async () => {
    const things = Array.from({ length: 400 }, (_, index) =>
      event("a", index % 2 === 0 ? 0 : HOUR, { about: `thing ${String(index).padStart(4, "0")}` }),
    );
    expect(await journal.enter(things)).to.equal(0);
    const standing = await journal.standing("a", unixMillis(START + 2 * HOUR));
    expect([standing.length, standing.at(-1)?.about]).to.deep.equal([256, "thing 0255"]);
  });

  it("keeps a thousand events of a camera and hour, and says how many were too many", async () => {
    const flood = Array.from({ length: 1001 }, (_, index) => event("a", index));
    expect(await journal.enter(flood)).to.equal(1);
    expect(await journal.enter([event("a", HOUR - 1), event("a", HOUR), event("b", 0)])).to.equal(1);
  });

  it("counts events by kind and part of a range", async () => {
    const kinds = [undefined, "motion", "motion", "person"] as const;
    await journal.enter(kinds.map((kind, index) => event("a", index * 10, { kind })));
    const counts = await journal.counts("a", { from: unixMillis(START), to: unixMillis(START + 40) }, 2);
    expect(counts.map(({ kind, bucket, count }) => `${kind} ${bucket} ${count}`)).to.deep.equal([
      "motion 0 1",
      "motion 1 1",
      "other 0 1",
      "person 1 1",
    ]);
  });

  const mark = (kind: Mark["kind"], from: number, to: number): Promise<Mark> =>
    journal.mark({
      kind,
      camera: "a",
      from: unixMillis(START + from),
      to: unixMillis(START + to),
      text: "theft",
      who: "anna",
      madeAt: unixMillis(START),
    });

  it("keeps bookmarks and locks until they are removed, and forgets bookmarks with the footage", async () => {
    const bookmark = await mark("bookmark", 10, 10);
    const lock = await mark("lock", 0, 20);
    await journal.enter([event("a", 10), event("a", 40)]);
    expect(await journal.marks("a", all)).to.deep.equal([lock, bookmark]);
    expect(await journal.marks("a", all, "lock")).to.deep.equal([lock]);
    expect(await journal.marks("a", { from: unixMillis(START + 11), to: unixMillis(START + 12) })).to.deep.equal([
      lock,
    ]);
    await journal.forget("a", unixMillis(START + 30));
    expect(await journal.marks("a", all)).to.deep.equal([lock]);
    expect((await journal.events(["a"], all)).map(({ content }) => content)).to.deep.equal(["40"]);
    const wrong = await journal.unmark("a", "bookmark", lock.id).catch((error: unknown) => error);
    expect(wrong).to.have.property("kind", "not-found");
    await journal.unmark("a", "lock", lock.id);
    expect(await journal.cameras()).to.deep.equal(["a"]);
  });

  it("has a thousand marks of a kind of each camera at most", async () => {
    for (let index = 0; index < 1000; index += 1) await mark("bookmark", index, index);
    const refused = await mark("bookmark", 0, 0).catch((error: unknown) => error);
    expect(refused).to.have.property("kind", "busy");
    await mark("lock", 0, 0);
  });
});
