import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { Secret } from "../../../base/secret.ts";
import { unixMillis } from "../../../base/units.ts";
import { type Bundle, FolderBundle } from "../../../recorder/export/bundle.ts";
import { ZipFile } from "../../../recorder/export/zip-reader.ts";
import { ZipBundle } from "../../../recorder/export/zip-writer.ts";
import { diskFiles, type OpenFile } from "../../../recorder/files.ts";
import { scratchFolder } from "../../support/recorder-samples.ts";
import { slowFile } from "../../support/slow-file.ts";

const PIECES = 9;
const PIECE_BYTES = 300_000;
const PASSWORD = new Secret("behind");

const piece = (index: number): Buffer => Buffer.alloc(PIECE_BYTES, index + 1);

/** Pieces that lie in two places by turns: what was given is gone once the next but one is asked for. */
async function* reused(): AsyncGenerator<Buffer> {
  const places = [piece(0), piece(0)] as const;
  for (let index = 0; index < PIECES; index += 1) {
    const place = places[index % 2] as Buffer;
    piece(index).copy(place);
    yield place;
    await setImmediate();
  }
  // The last one may still be being written.
  places[PIECES % 2]?.fill(0xff);
}

describe("what is written while the next piece is made", () => {
  let folder = "";
  let remove: () => Promise<void>;
  before(async () => {
    ({ folder, remove } = await scratchFolder());
  });
  after(() => remove());

  const expected = Buffer.concat(Array.from({ length: PIECES }, (_, index) => piece(index)));

  it("is in the file of a folder as it was given", async () => {
    const path = join(folder, "films");
    const bundle = await FolderBundle.create(path);
    await bundle.add("film", reused());
    await bundle.finish();
    expect((await readFile(join(path, "film"))).equals(expected)).to.equal(true);
  });

  for (const password of [undefined, PASSWORD])
    it(`is so in a ZIP file ${password === undefined ? "in clear" : "with a password"}`, async () => {
      const path = join(folder, `${password === undefined}.zip`);
      // On a disk that takes its time.
      const bundle = new ZipBundle(slowFile(await diskFiles.open(path, "create")), {
        password,
        modified: unixMillis(0),
      });
      await bundle.add("film", reused());
      await bundle.add("more", [Buffer.from("words")]);
      await bundle.finish();
      const file = await diskFiles.open(path, "read");
      const zip = await ZipFile.open(file, password);
      const film = await zip.open("film");
      const found = Buffer.alloc(await film.size());
      await film.read(found, 0);
      expect(found.equals(expected)).to.equal(true);
      await file.close();
    });

  it("is missed by whoever adds it where the disk does not take it", async () => {
    const file = await diskFiles.open(join(folder, "full.zip"), "create");
    let writes = 0;
    const full: OpenFile = {
      ...slowFile(file),
      async write(buffers, position) {
        writes += 1;
        if (writes > 2) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
        await file.write(buffers, position);
      },
    };
    const bundle: Bundle = new ZipBundle(full, { password: undefined, modified: unixMillis(0) });
    const refused: unknown = await bundle.add("film", reused()).catch((error: unknown) => error);
    expect(refused).to.include({ code: "ENOSPC" });
    await bundle.abandon();
    expect(writes).to.equal(3);
  });
});
