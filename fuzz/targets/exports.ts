import { isFault } from "../../base/fault.ts";
import { Secret } from "../../base/secret.ts";
import { checkCms } from "../../recorder/cms/detached.ts";
import { checkSeal } from "../../recorder/export/check-seal.ts";
import { readFilm } from "../../recorder/export/film-read.ts";
import { printManifest, readManifest, readSums } from "../../recorder/export/manifest.ts";
import { ZipFile } from "../../recorder/export/zip-reader.ts";
import { inputsOf } from "../seeds.ts";
import { holds, type Target, target } from "../target.ts";
import { inMemory } from "./files.ts";

/** Of the encrypted seed. */
const PASSWORD = new Secret("of the seeds");
/** What the seeds of `cms` are over. */
const SIGNED = Buffer.from("what was signed\n");

/** A changed salt is another password. */
async function opensNot(zip: ZipFile, name: string): Promise<boolean> {
  try {
    await (await zip.open(name)).close();
    return false;
  } catch (error) {
    if (isFault(error, "unauthenticated")) return true;
    throw error;
  }
}

/** What somebody may hand in to be verified. */
export const TARGETS: readonly Target[] = [
  target({
    name: "zip",
    maxBytes: 8192,
    words: "PK\x01\x02 PK\x03\x04 PK\x05\x06 PK\x06\x06 PK\x06\x07 \0\0\0\0 \xff\xff\xff\xff ../",
    async run(input) {
      const zip = await ZipFile.open(inMemory(input), PASSWORD);
      for (const name of zip.names) {
        if (await opensNot(zip, name)) continue;
        holds(!name.split("/").includes("..") && !name.startsWith("/"), "no name leads out");
        const file = await zip.open(name);
        const size = await file.size();
        holds(size <= input.length, "no file is longer than what it is in");
        await file.read(Buffer.alloc(size), 0);
        await zip.isWhole(name);
      }
    },
  }),
  target({
    name: "film",
    maxBytes: 32_768,
    words:
      "ftyp moov uuid prft moof mdat meta suep ipro sinf sibo cert mfra tfdt mfhd \0\0\0\x08 \0\0\0\0 \xff\xff\xff\xff",
    async run(input) {
      const { meta, segments } = await readFilm(inMemory(input));
      const good = segments.flatMap(({ pieces }) =>
        pieces.filter(({ hash, box }) => hash === box.hash.toString("hex")),
      );
      holds(good.length <= input.length / 116, "no more fragments are good than have room");
      const { seal } = await checkSeal(inMemory(input), meta);
      if (seal?.valid === true)
        holds(
          inputsOf("seeds", "film").some(([, seed]) => seed.equals(input)),
          "no film is sealed but those that were",
        );
    },
  }),
  target({
    name: "manifest",
    maxBytes: 8192,
    words: "films cameras gaps sha256 path media/ null [] {}",
    run(input) {
      readSums(input);
      const manifest = readManifest(input);
      holds(
        readManifest(printManifest(manifest)).films.length === manifest.films.length,
        "it is read as it was written",
      );
    },
  }),
  target({
    name: "cms",
    maxBytes: 8192,
    words: "\x30\x82 \x31 \xa0\x80 \x06\x09 \x04\x20",
    run(input) {
      checkCms(SIGNED, input);
    },
  }),
];
