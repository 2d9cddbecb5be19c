import { join } from "node:path";
import { openDataFolder } from "../bridge/data-folder.ts";
import { checkArchive } from "../recorder/check.ts";
import { readSettings } from "./settings-file.ts";

/** Compares catalog and files, and says where they disagree. Nothing is changed. */
export async function check(options: { config: string; json?: boolean }): Promise<void> {
  const settings = await readSettings(options.config);
  const folder = await openDataFolder(settings.dataFolder);
  try {
    const findings = await checkArchive({
      folder: settings.recording.folder ?? join(settings.dataFolder, "recordings"),
      catalog: folder.file("catalog.db"),
    });
    if (options.json === true) process.stdout.write(`${JSON.stringify(findings, undefined, 2)}\n`);
    else if (findings.length === 0) process.stdout.write("Catalog and recordings agree.\n");
    else for (const finding of findings) process.stdout.write(`${finding.file}: ${finding.problem}\n`);
    if (findings.length > 0) process.exitCode = 1;
  } finally {
    await folder.close();
  }
}
