import { Fault } from "../base/fault.ts";
import { openVolumes } from "../bridge/open-archive.ts";
import { recordingsOf } from "../bridge/settings.ts";
import type { TimeQuality } from "../media/group.ts";
import { CATALOG_FILE } from "../recorder/archive-settings.ts";
import { Catalog } from "../recorder/catalog.ts";
import type { TimeSummary } from "../recorder/catalog-rows.ts";
import { type Finding, check as findingsIn } from "../recorder/check.ts";
import { diskFiles } from "../recorder/files.ts";
import { MAIN_VOLUME } from "../recorder/volume.ts";

import { openFolder } from "./data.ts";
import { readSettings } from "./settings-file.ts";

export interface CheckOptions {
  readonly config: string;
  readonly passphraseFd?: string;
  readonly verify?: boolean;
  readonly json?: boolean;
  readonly times?: boolean;
}

/** Compares catalog and files, and prints where they disagree; or how times are known. Nothing is changed. */
export async function check(options: CheckOptions): Promise<void> {
  const settings = await readSettings(options.config);
  const folder = recordingsOf(settings);
  // Opening would make an empty one, with which nothing agrees.
  if (!(await diskFiles.exists(`${folder}/${CATALOG_FILE}`))) {
    const tell = `there is no catalog in ${folder}; the next start makes it from the recordings, if there are any`;
    throw new Fault("not-found", tell, { tell });
  }
  // Its lock keeps a running bridge out, which would change what is compared.
  const data = await openFolder(settings, options.passphraseFd);
  try {
    const catalog = await Catalog.open(`${folder}/${CATALOG_FILE}`);
    try {
      const verify = options.verify === true;
      if (options.times === true) await printTimes(catalog, options.json === true);
      else
        await print(
          findingsIn({
            volumes: await openVolumes(settings, catalog),
            files: diskFiles,
            catalog,
            verify,
            keys: data.keys,
          }),
          options.json === true,
        );
    } finally {
      await catalog.close();
    }
  } finally {
    await data.close();
  }
}

const KNOWN_BY: Readonly<Record<TimeQuality | "unknown", string>> = {
  camera: "by the camera's reports",
  corrected: "partly corrected towards the camera's reports",
  arrival: "by arrival",
  jumped: "with a jump of a clock",
  unknown: "entered before this was noted",
};

async function printTimes(catalog: Catalog, json: boolean): Promise<void> {
  const streams: object[] = [];
  for (const { camera } of await catalog.volumes.totals())
    for (const stream of await catalog.segments.streams(camera)) {
      const times = await catalog.segments.times(camera, stream);
      streams.push({ camera, stream, times });
      if (!json) process.stdout.write(`${camera}/${stream}: ${wordsOf(times)}\n`);
    }
  if (json) process.stdout.write(`${JSON.stringify(streams, undefined, 2)}\n`);
}

function wordsOf(times: readonly TimeSummary[]): string {
  const parts = times.map(({ time, segments }) => `${segments} ${KNOWN_BY[time ?? "unknown"]}`);
  const ahead = times.flatMap(({ leastAheadMs: least, mostAheadMs: most }) => [least ?? [], most ?? []].flat());
  if (ahead.length === 0) return `segments ${parts.join(", ")}; the camera did not tell its time`;
  const [least, most] = [Math.min(...ahead), Math.max(...ahead)];
  return `segments ${parts.join(", ")}; the camera's clock was ${offset(least)}${most === least ? "" : ` to ${offset(most)}`}`;
}

function offset(ms: number): string {
  return `${Math.abs(ms)} ms ${ms < 0 ? "behind" : "ahead of"} ours`;
}

/** Prints each finding as soon as it is known: a large archive takes hours. */
async function print(findings: AsyncIterable<Finding>, json: boolean): Promise<void> {
  let count = 0;
  for await (const finding of findings) {
    count += 1;
    if (json) process.stdout.write(`${count === 1 ? "[" : ","}\n  ${JSON.stringify(finding)}`);
    else process.stdout.write(`${nameOf(finding)}: ${finding.what}\n`);
  }
  if (json) process.stdout.write(count === 0 ? "[]\n" : "\n]\n");
  else if (count === 0) process.stdout.write("Catalog and recordings agree.\n");
  if (count > 0) process.exitCode = 1;
}

/** As it is below the folder of the recordings; with its volume where it is on another. */
function nameOf({ file, volume }: Finding): string {
  if (file === "") return `the volume ${volume}`;
  return volume === MAIN_VOLUME ? file : `${volume}: ${file}`;
}
