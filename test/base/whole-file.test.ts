import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { isFault } from "../../base/fault.ts";
import { putAside, readIfThere, writeNew, writeWhole } from "../../base/whole-file.ts";

describe("a file that is written whole", () => {
  let folder = "";
  const at = (name: string): string => join(folder, name);
  const refused = (work: Promise<unknown>): Promise<boolean> =>
    work.then(
      () => false,
      (error: unknown) => isFault(error, "unavailable"),
    );

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-whole-file-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("takes the place of the old one, for its owner alone, and leaves nothing beside it", async () => {
    await writeFile(at("key"), "old and longer", { mode: 0o644 });
    await writeFile(at(".key.new"), "of a power cut, and longer still");
    await writeWhole(at("key"), "new");
    expect(await readFile(at("key"), "utf8")).to.equal("new");
    expect((await stat(at("key"))).mode & 0o777).to.equal(0o600);
    expect(await readdir(folder)).to.deep.equal(["key"]);
  });

  it("leaves the old one where it cannot be written", async () => {
    await writeFile(at("key"), "old");
    await mkdir(at(".key.new"));
    expect(await refused(writeWhole(at("key"), "new"))).to.equal(true);
    expect(await readFile(at("key"), "utf8")).to.equal("old");
  });

  it("goes over none where it has to be new", async () => {
    await writeNew(at("key"), "first");
    expect(await refused(writeNew(at("key"), "second"))).to.equal(true);
    expect(await readFile(at("key"), "utf8")).to.equal("first");
  });

  it("is read where it is there, and nothing else passes for its absence", async () => {
    expect(await readIfThere(at("key"))).to.equal(undefined);
    await mkdir(at("key"));
    expect(await refused(readIfThere(at("key")))).to.equal(true);
  });

  it("is put aside under the first name that is free", async () => {
    const nameOf = (count: number): string => `key.old-${count}`;
    expect(await putAside(at("key"), nameOf)).to.equal(undefined);
    for (const text of ["first", "second"]) {
      await writeNew(at("key"), text);
      await putAside(at("key"), nameOf);
    }
    expect((await readdir(folder)).toSorted()).to.deep.equal(["key.old-1", "key.old-2"]);
    expect(await readFile(at("key.old-2"), "utf8")).to.equal("second");
  });
});
