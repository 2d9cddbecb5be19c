import { spawn } from "node:child_process";
import { on, once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Accounts } from "../auth/accounts.ts";
import { authMigrations } from "../auth/auth-schema.ts";
import { Leases } from "../auth/leases.ts";
import { systemClock } from "../base/clock.ts";
import { openDatabase } from "../base/database.ts";
import { silentLog } from "../base/log.ts";
import { Sealer } from "../base/seal.ts";
import { Directories } from "../bridge/directory/directories.ts";
import { DirectoryStore, directoryMigrations } from "../bridge/directory/store.ts";
import { directoriesSchema } from "../bridge/directory-settings.ts";
import { cell, table } from "./figures.ts";

// How long it takes to follow an Active Directory domain with many people in nested groups: the first time, again, after a few changes, and in a preview.

const { values } = parseArgs({
  options: {
    people: { type: "string", default: "5000" },
    groups: { type: "string", default: "50" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true) {
  process.stdout.write(`Makes a domain of Samba on this machine (as root) and measures how long it takes to follow it, by the clock and in CPU of this process.

  node bench/directory.ts [--people 5000] [--groups 50] [--json]
`);
  process.exit(0);
}

interface Domain {
  readonly host: string;
  readonly address: string;
  readonly ca: string;
  readonly account: string;
  readonly password: string;
  readonly base: string;
}

const samba = spawn(process.execPath, ["test/support/samba-domain.ts", values.people, values.groups], {
  cwd: join(import.meta.dirname, ".."),
  stdio: ["pipe", "pipe", "inherit"],
});
const answers = on(createInterface(samba.stdout), "line", { close: ["close"] });
const answer = async (): Promise<unknown> => {
  const { value } = await answers.next();
  if (value === undefined) throw new Error("the domain did not start");
  return JSON.parse(String(value[0]));
};
const edit = async (...changes: readonly (readonly string[])[]): Promise<void> => {
  samba.stdin.write(`${JSON.stringify(changes)}\n`);
  await answer();
};
const domain = (await answer()) as Domain;
const folder = await mkdtemp(join(tmpdir(), "viaduct-bench-directory-"));
const passwordFile = join(folder, "password");
await writeFile(passwordFile, `${domain.password}\n`, { mode: 0o600 });

const database = await openDatabase(join(folder, "bench.db"), { ...authMigrations, ...directoryMigrations });
const sealer = new Sealer(Buffer.alloc(32, 7));
const [clock, log, audit] = [systemClock, silentLog(), { record: () => undefined }];
const accounts = await Accounts.open({ query: database.query, sealer, clock, log });
const leases = new Leases({ accounts, audit, clock });
const grants = [{ right: "live", cameras: "any", interfaces: "any" }] as const;
await accounts.setPart("role", "viewer", { name: "Viewer", grants });
const tops = Math.ceil(Math.ceil(Number(values.groups) / 5) / 5);
const settings = directoriesSchema.parse([
  {
    name: "site",
    servers: [domain.host],
    nameServers: [domain.address],
    ca: domain.ca,
    account: domain.account,
    passwordFile,
    base: domain.base,
    roles: Array.from({ length: tops }, (_, n) => ({ group: `Crowd-${n}`, roles: ["viewer"] })),
  },
]);
const store = new DirectoryStore(database.query, sealer);
const directories = await Directories.open(
  settings,
  { accounts, audit, leases, clock, log, store },
  { scheduled: false },
);
const directory = directories.get("site");

const figures: { readonly what: string; readonly ms: number; readonly cpuMs: number; readonly people: number }[] = [];
const measure = async (what: string, work: () => Promise<{ people: number; why?: string | undefined }>) => {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const { people, why } = await work();
  if (why !== undefined) throw new Error(why);
  const { user, system } = process.cpuUsage(cpu);
  figures.push({ what, ms: performance.now() - begun, cpuMs: (user + system) / 1000, people });
};
try {
  await measure("preview of the first sync", () => directory.preview());
  await measure("first sync, all accounts made", () => directory.sync(undefined, { full: true }));
  await measure("full sync, nothing changed", () => directory.sync(undefined, { full: true }));
  await measure("sync of changes, nothing changed", () => directory.sync(undefined));
  await edit(["disable", "crowd7"], ["set", "crowd8", "displayName", "Somebody"]);
  await measure("sync of changes, two people changed", () => directory.sync(undefined));
  await edit(["remove", "Leaf-0", "crowd0"]);
  await measure("sync of changes, a group changed: all read", () => directory.sync(undefined));
  await measure("preview", () => directory.preview());
} finally {
  await directories.close();
  leases.close();
  await database.close();
  await rm(folder, { recursive: true, force: true });
  samba.stdin.end();
  if (samba.exitCode === null) await once(samba, "exit");
}
if (values.json === true) process.stdout.write(`${JSON.stringify(figures)}\n`);
else
  process.stdout.write(
    table([
      ["what", "people", "ms", "CPU, ms"],
      ...figures.map(({ what, people, ms, cpuMs }) => [what, String(people), cell(ms, 0), cell(cpuMs, 0)]),
    ]),
  );
