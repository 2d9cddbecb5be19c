import { Fault } from "../base/fault.ts";
import type { Finding } from "../base/finding.ts";
import type { PlainChange, PlainExplanation, PlainPreview, PlainSync } from "../bridge/directory/desk.ts";
import type { DataOptions } from "./data.ts";
import { type Desk, withDesk } from "./directory-desk.ts";
import { lineOf } from "./findings.ts";
import { newSecret } from "./passphrase.ts";
import { readSettings } from "./settings-file.ts";

export interface DirectoryCommandOptions extends DataOptions {
  /** One of several. */
  readonly directory?: string;
  readonly json?: boolean;
}

/** Says stage by stage what of the directories works. The process ends with 1 where something fails. */
export async function testDirectories(options: DirectoryCommandOptions): Promise<void> {
  await eachOf(options, async (desk, name) => {
    const findings = await desk.test(name);
    if (findings.some(({ result }) => result === "fails")) process.exitCode = 1;
    return { value: findings, words: findings.map((finding: Finding) => lineOf(finding)).join("") };
  });
}

/** Says what a sync would change. */
export async function previewDirectories(options: DirectoryCommandOptions): Promise<void> {
  await eachOf(options, async (desk, name) => {
    const preview = await desk.preview(name);
    return { value: preview, words: previewWords(preview) };
  });
}

/** Makes accounts follow the directories now. `confirm`: lets the brake go, for what is shown by `preview`. The process ends with 1 where a sync fails or holds. */
export async function syncDirectories(
  options: DirectoryCommandOptions & { readonly confirm?: boolean },
): Promise<void> {
  await eachOf(options, async (desk, name) => {
    const confirm = options.confirm === true ? { confirm: (await desk.preview(name)).id } : {};
    const done = await desk.sync(name, { full: true, ...confirm });
    if (done.outcome === "failed" || done.outcome === "held") process.exitCode = 1;
    const next = done.outcome === "held" ? "Look at `viaduct directory preview`; --confirm lets it pass.\n" : "";
    return { value: done, words: `${syncWords(done)}\n${next}` };
  });
}

/** Says what the syncs of before did. */
export async function showHistory(options: DirectoryCommandOptions): Promise<void> {
  await eachOf(options, async (desk, name) => {
    const history = await desk.history(name);
    const lines = history.map((one) => `${one.at}  ${syncWords(one)}\n`).join("");
    return { value: history, words: lines === "" ? "There has been no sync yet.\n" : lines };
  });
}

/** Says how somebody comes by their roles. The process ends with 1 where no directory has them. */
export async function explainUser(user: string, options: DirectoryCommandOptions): Promise<void> {
  let found = false;
  await eachOf(options, async (desk, name) => {
    const explained = await desk.explain(name, user);
    found ||= explained.found;
    return { value: explained, words: explanationWords(explained) };
  });
  if (!found) process.exitCode = 1;
}

/** Keeps the password of the account that reads a directory, sealed. It is asked for, or read from a file descriptor. */
export async function keepPassword(
  name: string,
  options: DataOptions & { readonly passwordFd?: string },
): Promise<void> {
  const password = await newSecret(`Password of the account that reads ${name}: `, options.passwordFd);
  await withDesk(options, async (desk) => {
    await desk.setPassword(name, password);
    process.stdout.write("The password is kept, sealed. `viaduct directory test` says whether it is right.\n");
  });
}

async function eachOf(
  options: DirectoryCommandOptions,
  work: (desk: Desk, name: string) => Promise<{ readonly value: unknown; readonly words: string }>,
): Promise<void> {
  const names = (await readSettings(options.config)).directory.map(({ name }) => name);
  if (names.length === 0) throw new Fault("invalid", "the configuration has no directory");
  const chosen = options.directory === undefined ? names : names.filter((name) => name === options.directory);
  if (chosen.length === 0)
    throw new Fault("invalid", `there is no directory ${options.directory}; there are ${names.join(", ")}`);
  await withDesk(options, async (desk) => {
    const values: Record<string, unknown> = {};
    for (const name of chosen) {
      const { value, words } = await work(desk, name);
      values[name] = value;
      if (options.json !== true) process.stdout.write(`${names.length === 1 ? "" : `${name}\n`}${words}`);
    }
    if (options.json === true) process.stdout.write(`${JSON.stringify(values, undefined, 2)}\n`);
  });
}

const SIGNS: Readonly<Record<PlainChange["what"], string>> = { comes: "+", goes: "-", changes: "~" };

function previewWords({ changes, conflicts, people, active, removals, held }: PlainPreview): string {
  const lines = changes.map(({ what, name, why, gains, loses, ends }) => {
    const roles = [...gains.map((role) => `+${role}`), ...loses.map((role) => `-${role}`)].join(" ");
    return `${SIGNS[what]} ${name}  ${why}${roles === "" ? "" : `  ${roles}`}${ends === 0 ? "" : `  (ends ${ends} that run now)`}`;
  });
  return `${[
    ...lines,
    ...conflicts.map(({ why }) => `! ${why}`),
    `${people} have a role by groups; ${active} accounts are in; ${changes.length} change, ${removals} lose something.`,
    ...(held === null ? [] : [`A sync would hold: ${held}.`]),
  ].join("\n")}\n`;
}

function syncWords({ outcome, came, went, changed, people, read, why, by, tookMs }: PlainSync): string {
  const counts = `${came} came, ${went} went, ${changed} changed; ${people} have a role (${read === "full" ? "all was read" : "changes were read"}, ${tookMs} ms, ${by})`;
  if (why !== null) return `${outcome}: ${why} (${by})`;
  return `${outcome === "nothing" ? "nothing to do" : outcome}: ${counts}`;
}

function explanationWords({ found, directory, name, dn, standing, expires, roles, account }: PlainExplanation): string {
  if (!found) return `${directory} has no ${name} below its base, or the filter of people leaves them out.\n`;
  const lines = [
    `${name}: ${dn}, ${standing}${expires === null ? "" : `, expires ${expires}`}`,
    ...(roles.length === 0 ? ["in no group that gives a role"] : []),
    ...roles.map(({ role, path }) => `role ${role} by ${path.join(" > ")}`),
    ...roles.flatMap(({ role, grants }) =>
      grants.map(({ right, cameras, interfaces, deny, groups }) => {
        const where = [
          ...(cameras === "any" ? ["any camera"] : cameras),
          ...(groups ?? []).map((group) => `group ${group}`),
        ].join(", ");
        const doors = interfaces === "any" ? "" : ` through ${interfaces.join(", ")}`;
        return `  ${role}: ${deny === true ? "not " : ""}${right}${where === "" ? "" : ` on ${where}`}${doors}`;
      }),
    ),
    account === null
      ? "has no account here yet: the next sync makes it"
      : `account ${account.name}: ${account.out === null ? (account.enabled ? "in" : "disabled here") : `out (${account.out})`}`,
  ];
  return `${lines.join("\n")}\n`;
}
