import { expect } from "chai";
import { Repeats, silentLog } from "../../base/log.ts";
import { Catalog } from "../../recorder/catalog.ts";
import type { SegmentRow, SegmentTime } from "../../recorder/catalog-rows.ts";
import { StreamNotes } from "../../recorder/stream-notes.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const MINUTE_US = 60_000_000;
/** Longer ago than the next start looks for files by itself. */
const REFUSED = 100;

describe("what a stream tells the catalog", () => {
  const row = (index: number): SegmentRow & SegmentTime => ({
    camera: "gate",
    stream: "main",
    fetchedUs: null,
    startUs: index * MINUTE_US,
    endUs: (index + 1) * MINUTE_US,
    bytes: 1,
    file: `gate/2026-11-24/13/${String(index).padStart(3, "0")}.mp4`,
    volume: "main",
    tracks: "[]",
    seal: Buffer.alloc(32),
    time: undefined,
    cameraAheadMs: undefined,
  });
  const all = Array.from({ length: REFUSED }, (_, index) => row(index).file);

  it("is entered once that takes it, or is named for the next start to enter, whatever was refused", async () => {
    const catalog = await Catalog.open(":memory:");
    const place = { camera: "gate", stream: "main", fetchedUs: undefined, catalog };
    const notes = new StreamNotes({ ...place, log: silentLog(), repeats: new Repeats(new VirtualClock()) });
    const [sealed, opening] = [catalog.sealed.bind(catalog), catalog.opening.bind(catalog)];
    const refuse = async (): Promise<never> => {
      throw new Error("database or disk is full");
    };
    catalog.sealed = refuse;
    for (let index = 0; index < REFUSED; index += 1) {
      notes.add(row(index));
      await notes.enter();
    }
    catalog.sealed = sealed;
    catalog.opening = refuse;
    await notes.enter();
    const entered = (await catalog.segments.oldest(REFUSED)).map(({ file }) => file);
    expect(entered).to.deep.equal(all.slice(-entered.length));
    expect(entered.length).to.be.within(1, REFUSED - 1);
    expect(await catalog.opened()).to.deep.equal([]);
    catalog.opening = opening;
    await notes.enter();
    const named = (await catalog.opened()).map(({ file }) => file);
    expect([...named.toSorted(), ...entered]).to.deep.equal(all);
    await catalog.close();
  });
});
