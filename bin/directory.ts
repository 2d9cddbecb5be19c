import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Finding } from "../base/finding.ts";
import { type DirectorySettings, directoryOptions } from "../bridge/directory-settings.ts";
import { examineDirectory } from "../directory/examine.ts";
import { lineOf } from "./findings.ts";
import { readSettings } from "./settings-file.ts";

export interface DirectoryCommandOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** Says stage by stage what of the directories works. The process ends with 1 where something fails. */
export async function testDirectories(name: string | undefined, options: DirectoryCommandOptions): Promise<void> {
  const { directory } = await readSettings(options.config);
  const found: Record<string, Finding[]> = {};
  for (const settings of chosen(directory, name)) {
    const findings: Finding[] = [];
    found[settings.name] = findings;
    if (options.json !== true) process.stdout.write(`${settings.name}\n`);
    for await (const finding of examineDirectory(await directoryOptions(settings, nothingKept), systemClock)) {
      findings.push(finding);
      if (options.json !== true) process.stdout.write(lineOf(finding));
    }
  }
  if (options.json === true) process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  if (Object.values(found).some((all) => all.some(({ result }) => result === "fails"))) process.exitCode = 1;
}

async function nothingKept(): Promise<undefined> {}

function chosen(all: readonly DirectorySettings[], name: string | undefined): readonly DirectorySettings[] {
  if (all.length === 0) throw new Fault("invalid", "the configuration has no directory");
  if (name === undefined) return all;
  const found = all.filter((one) => one.name === name);
  if (found.length === 0)
    throw new Fault("invalid", `there is no directory ${name}; there are ${all.map((one) => one.name).join(", ")}`);
  return found;
}
