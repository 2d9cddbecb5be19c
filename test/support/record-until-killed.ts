// Records without end, as fast as the disk takes it, until the parent kills it. One line of output for every state of
// the disk that was acknowledged: the number of the last sample that a process which comes after must find.
import { writeSync } from "node:fs";
import { silentLog } from "../../base/log.ts";
import { Catalog } from "../../recorder/catalog.ts";
import { diskFiles } from "../../recorder/files.ts";
import { recover } from "../../recorder/recover.ts";
import { Harness } from "./recorder-harness.ts";
import { videoSample } from "./recorder-samples.ts";

const [folder = "", first = "0"] = process.argv.slice(2);
const catalog = await Catalog.open(`${folder}/catalog.db`);
await recover({ folder, files: diskFiles, catalog, log: silentLog() });
const harness = new Harness({ folder, catalog, flushMs: 3 }, 4000);
for (let index = Number(first); ; index += 25) {
  const group = Array.from({ length: 25 }, (_, one) => videoSample(index + one, { bytes: 2000 }));
  await harness.push(group);
  // The group before this one is cut and written; this one is still in memory.
  writeSync(1, `${index - 1}\n`);
}
