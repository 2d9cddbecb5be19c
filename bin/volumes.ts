import { assertAlone } from "../auth/approval.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { silentLog } from "../base/log.ts";
import { openAudit } from "../bridge/audit-log.ts";
import { openVolumes } from "../bridge/open-archive.ts";
import { recordingsOf } from "../bridge/settings.ts";
import { CATALOG_FILE } from "../recorder/archive-settings.ts";
import { Catalog } from "../recorder/catalog.ts";
import { diskFiles } from "../recorder/files.ts";
import type { UnnamedVolume, VolumeStatus } from "../recorder/volume.ts";
import { type DataOptions, withDatabase } from "./data.ts";
import { operator } from "./operator.ts";

export interface VolumesOptions extends DataOptions {
  /** A volume that will not come back. */
  readonly forget?: string;
  readonly json?: boolean;
}

/** Prints the disks that recordings are on, with those that the settings no longer name; or takes one out of the catalog. */
export async function volumes(options: VolumesOptions): Promise<void> {
  await withDatabase(options, async ({ settings, folder }) => {
    const recordings = recordingsOf(settings);
    if (!(await diskFiles.exists(`${recordings}/${CATALOG_FILE}`))) {
      const tell = `there is no catalog in ${recordings}; the next start makes it`;
      throw new Fault("not-found", tell, { tell });
    }
    const catalog = await Catalog.open(`${recordings}/${CATALOG_FILE}`);
    const audit = openAudit(folder, settings, { clock: systemClock, log: silentLog() });
    try {
      const found = await openVolumes(settings, catalog);
      if (options.forget === undefined) {
        const named = await found.status();
        await print(named, await found.unnamed(), options.json === true);
        return;
      }
      assertAlone(settings.approval.acts, "forget-volume");
      const name = options.forget;
      const segments = await found.forget(name);
      const why = `${segments} segments`;
      audit.record({
        who: operator(),
        action: "forget-volume",
        interface: "cli",
        outcome: "allowed",
        subject: name,
        why,
      });
      process.stdout.write(`The catalog names ${segments} segments of ${name} no more; they are told as missing.\n`);
    } finally {
      audit.close();
      await catalog.close();
    }
  });
}

async function print(named: readonly VolumeStatus[], others: readonly UnnamedVolume[], json: boolean): Promise<void> {
  if (json) {
    process.stdout.write(`${JSON.stringify({ volumes: named, unnamed: others }, undefined, 2)}\n`);
    return;
  }
  for (const { name, role, state, folder, bytes, freeBytes } of named)
    process.stdout.write(
      `${name}  ${role}  ${state}  ${gigabytes(bytes)} recorded  ${freeBytes === undefined ? "" : `${gigabytes(freeBytes)} free  `}${folder}\n`,
    );
  for (const { name, bytes } of others)
    process.stdout.write(`${name}  not in the settings  ${gigabytes(bytes)} recorded\n`);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
