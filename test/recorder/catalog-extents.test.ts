import { expect } from "chai";
import { Catalog } from "../../recorder/catalog.ts";
import type { Cursor } from "../../recorder/catalog-rows.ts";
import { PAGE_ROWS } from "../../recorder/catalog-schema.ts";

const SECOND_US = 1_000_000;
const COUNT = PAGE_ROWS + 30;

describe("when segments were recorded, from the catalog", () => {
  let catalog: Catalog;
  before(async () => {
    catalog = await Catalog.open(":memory:");
    // Every tenth lies on another disk; one begins when the one before does.
    for (let index = 0; index < COUNT; index += 1) await seal("gate", index, index === 7 ? 6 : index);
    await seal("yard", 3, 3);
  });
  after(() => catalog.close());

  const nameOf = (camera: string, index: number): string => `${camera}/${String(index).padStart(6, "0")}.mp4`;
  const seal = (camera: string, index: number, at: number): Promise<void> =>
    catalog.sealed({
      camera,
      stream: "main",
      startUs: at * SECOND_US,
      endUs: (at + 1) * SECOND_US,
      bytes: 1,
      file: nameOf(camera, index),
      volume: index % 10 === 9 ? "far" : "main",
      tracks: "[]",
      seal: Buffer.alloc(32),
      time: undefined,
      cameraAheadMs: undefined,
    });

  async function all(to: number, volumes: readonly string[]): Promise<readonly (readonly string[])[]> {
    const pages: string[][] = [];
    for (let cursor: Cursor | undefined = { startUs: 0, file: "" }; cursor !== undefined; ) {
      const page: readonly Cursor[] = await catalog.segments.extents("gate", "main", cursor, to * SECOND_US, volumes);
      if (page.length > 0) pages.push(page.map(({ file }) => file));
      cursor = page.at(-1);
    }
    return pages;
  }
  const gate = (of: (index: number) => boolean): readonly string[] =>
    Array.from({ length: COUNT }, (_, index) => index)
      .filter(of)
      .map((index) => nameOf("gate", index));

  it("are all of a stream, each once, a page at a time", async () => {
    const pages = await all(COUNT, ["main", "far"]);
    expect(pages.map(({ length }) => length)).to.deep.equal([PAGE_ROWS, COUNT - PAGE_ROWS]);
    expect(pages.flat()).to.deep.equal(gate(() => true));
  });

  it("end before the one that begins at the end that is asked for", async () => {
    expect((await all(12, ["main", "far"])).flat()).to.deep.equal(gate((index) => index < 12));
  });

  it("are those of the volumes that are asked for", async () => {
    expect((await all(COUNT, ["main"])).flat()).to.deep.equal(gate((index) => index % 10 !== 9));
    const far = await catalog.segments.elsewhere("gate", "main", { fromUs: 0, toUs: 25 * SECOND_US }, ["main"]);
    expect(far.map(({ startUs, volume }) => [startUs / SECOND_US, volume])).to.deep.equal([
      [9, "far"],
      [19, "far"],
    ]);
  });
});
