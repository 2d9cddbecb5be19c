import { readdir, readFile, writeFile } from "node:fs/promises";
import { expect } from "chai";
import { assert, asyncProperty, integer, uint8Array } from "fast-check";
import { Fault } from "../../../base/fault.ts";
import { Secret } from "../../../base/secret.ts";
import { unixMillis } from "../../../base/units.ts";
import { type Content, FolderBundle } from "../../../recorder/export/bundle.ts";
import { ZipFile } from "../../../recorder/export/zip-reader.ts";
import { ZipBundle } from "../../../recorder/export/zip-writer.ts";
import { diskFiles } from "../../../recorder/files.ts";
import { START_MS, scratchFolder } from "../../support/recorder-samples.ts";

const PASSWORD = new Secret("correct horse battery staple");

describe("the ZIP file of an export", () => {
  let folder = "";
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
  });
  afterEach(() => remove());

  const path = (): string => `${folder}/export.zip`;

  async function write(files: Readonly<Record<string, Content>>, password: Secret | undefined): Promise<void> {
    await diskFiles.remove(path());
    const bundle = new ZipBundle(await diskFiles.open(path(), "create"), { password, modified: unixMillis(START_MS) });
    for (const [name, content] of Object.entries(files)) await bundle.add(name, content);
    await bundle.finish();
  }

  async function opened<T>(password: Secret | undefined, use: (zip: ZipFile) => Promise<T>): Promise<T> {
    const file = await diskFiles.open(path(), "read");
    try {
      return await use(await ZipFile.open(file, password));
    } finally {
      await file.close();
    }
  }

  async function contentOf(zip: ZipFile, name: string): Promise<Buffer> {
    const file = await zip.open(name);
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    return bytes;
  }

  for (const password of [undefined, PASSWORD])
    describe(password === undefined ? "in clear" : "with a password", () => {
      it("has every file as it was added, however it came in pieces, from any position on", () =>
        assert(
          asyncProperty(
            uint8Array({ maxLength: 200 }),
            integer({ min: 1, max: 60 }),
            integer({ min: 0, max: 200 }),
            async (bytes, size, from) => {
              const whole = Buffer.from(bytes);
              const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
                whole.subarray(index * size, (index + 1) * size),
              );
              await write({ "media/1.mp4": pieces, empty: [] }, password);
              await opened(password, async (zip) => {
                expect(zip.names).to.deep.equal(["media/1.mp4", "empty"]);
                expect(await contentOf(zip, "media/1.mp4")).to.deep.equal(whole);
                expect(await contentOf(zip, "empty")).to.have.length(0);
                expect(await zip.isWhole("media/1.mp4")).to.equal(true);
                const rest = Buffer.alloc(Math.max(0, whole.length - from));
                await (await zip.open("media/1.mp4")).read(rest, from);
                expect(rest).to.deep.equal(whole.subarray(from));
              });
            },
          ),
          { numRuns: 40 },
        ));

      it("is refused wherever a bit of its directory is another one, or read as it was", async () => {
        await write({ a: [Buffer.from("some content")], "b/c": [Buffer.alloc(50, 7)] }, password);
        const good = await readFile(path());
        const from = good.indexOf(Buffer.from("504b0102", "hex"));
        for (let at = from; at < good.length; at += 1) {
          const changed = Buffer.from(good);
          changed[at] = (changed[at] ?? 0) ^ 0x10;
          await writeFile(path(), changed);
          await opened(password, async (zip) => {
            for (const name of zip.names) await contentOf(zip, name);
          }).catch((error: unknown) => expect(error instanceof Fault, `offset ${at}: ${String(error)}`).to.equal(true));
        }
      });
    });

  it("tells a wrong password, and a missing one", async () => {
    await write({ a: [Buffer.from("secret")] }, PASSWORD);
    for (const [password, message] of [
      [new Secret("another"), "another password opens a"],
      [undefined, "a is encrypted"],
    ] as const) {
      const told = await opened(password, (zip) => zip.open("a")).catch((error: unknown) => error);
      expect(told).to.include({ kind: "unauthenticated", message });
    }
  });

  it("notices that encrypted bytes were changed", async () => {
    await write({ a: [Buffer.alloc(1000, 1)], b: [Buffer.alloc(10)] }, PASSWORD);
    const bytes = await readFile(path());
    bytes[500] = (bytes[500] ?? 0) ^ 1;
    await writeFile(path(), bytes);
    await opened(PASSWORD, async (zip) => {
      expect(await zip.isWhole("a")).to.equal(false);
      expect(await zip.isWhole("b")).to.equal(true);
    });
  });

  it("holds nothing of what it encrypts in clear", async () => {
    const text = Buffer.from("Viaduct ".repeat(20));
    await write({ a: [text] }, PASSWORD);
    expect((await readFile(path())).includes("Viaduct")).to.equal(false);
  });

  const HOSTILE: readonly [name: string, why: string][] = [
    ["../outside", "leads out"],
    ["/etc/passwd", "is absolute"],
    ["a/../../b", "leads out in its middle"],
    ["c:\\windows", "is a drive's"],
    ["a\\..\\b", "has backslashes"],
    ["a//b", "has an empty part"],
  ];
  for (const [name, why] of HOSTILE)
    it(`is refused with a name that ${why}: ${name}`, async () => {
      await write({ [name]: [Buffer.of(1)] }, undefined);
      const told = await opened(undefined, async () => undefined).catch((error: unknown) => error);
      expect(told).to.include({ kind: "invalid" });
    });

  it("or a folder instead has the same files, for their owner only", async () => {
    const bundle = await FolderBundle.create(`${folder}/out`);
    await bundle.add("media/a.mp4", [Buffer.from("one "), Buffer.from("two")]);
    await bundle.finish();
    expect(await readdir(`${folder}/out`)).to.deep.equal(["media"]);
    expect(await readFile(`${folder}/out/media/a.mp4`, "utf8")).to.equal("one two");
    const told = await FolderBundle.create(`${folder}/out`).catch((error: unknown) => error);
    expect(told).to.include({ code: "EEXIST" });
  });
});
