import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { decide } from "../auth/access.ts";
import { Accounts } from "../auth/accounts.ts";
import { type AuthSchema, authMigrations } from "../auth/auth-schema.ts";
import { type Lease, Leases } from "../auth/leases.ts";
import type { Grant, Principal } from "../auth/principal.ts";
import { hoursSchema } from "../auth/time-profile.ts";
import { systemClock } from "../base/clock.ts";
import { openDatabase } from "../base/database.ts";
import { silentLog } from "../base/log.ts";
import { Sealer } from "../base/seal.ts";
import { HOUR } from "../base/units.ts";
import { cell, table } from "./figures.ts";

// What one decision costs an account with many grants, and how long it takes to decide anew on all that runs when a role changes.

const { values } = parseArgs({
  options: {
    grants: { type: "string", default: "200" },
    cameras: { type: "string", default: "1" },
    sessions: { type: "string", default: "10000" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true) {
  process.stdout.write(`Measures decisions on rights: microseconds each, for an account with many grants, and milliseconds to decide anew
on everything that runs when the role is changed by which it runs. --cameras is how many each grant names.

  node bench/rights.ts [--grants 200] [--cameras 1] [--sessions 10000] [--json]
`);
  process.exit(0);
}

const many = Number(values.grants);
const named = Number(values.cameras);
const DECISIONS = 200_000;
const ACCOUNTS = 100;
/** As a role of a site: some functions on its cameras, at any hour and at office hours. */
const ROLE: readonly Grant[] = (["live", "playback", "audio", "metadata", "ptz"] as const).flatMap((right): Grant[] => [
  { right, cameras: "any", interfaces: "any", hours: "office" },
  { right, cameras: new Set(["gate"]), interfaces: "any" },
]);

/** A grant for each of many cameras, some of them at hours, for a while or up to an age. */
function grantOf(index: number): Grant {
  const cameras = new Set(Array.from({ length: named }, (_, n) => `camera-${index + n}`));
  const grant = { right: index % 2 === 0 ? "live" : "playback", cameras } as const;
  if (index % 4 === 1) return { ...grant, interfaces: "any", maxAgeMs: HOUR };
  return { ...grant, interfaces: new Set(["rtsp"] as const), ...(index % 8 === 0 ? { hours: "office" } : {}) };
}

const database = await openDatabase<AuthSchema>(":memory:", authMigrations);
const accounts = await Accounts.open({
  query: database.query,
  sealer: new Sealer(Buffer.alloc(32, 7)),
  clock: systemClock,
  log: silentLog(),
});
const everyDay = [{ days: [1, 2, 3, 4, 5, 6, 7], from: "00:00", to: "24:00" }];
await accounts.setPart("hours", "office", { name: "Office", ...hoursSchema.parse({ zone: "UTC", weekly: everyDay }) });
const made = async (name: string, grants: readonly Grant[], roles: readonly string[]): Promise<Principal> => {
  const { account } = await accounts.createIntegration({ name, grants, roles });
  const who = accounts.principalOf(account.id);
  if (who === undefined) throw new Error(`${name} is not let in`);
  return who;
};

const asker = await made(
  "asker",
  Array.from({ length: many }, (_, index) => grantOf(index)),
  [],
);
/** Of all cameras and of one that is not there: the first grant decides, the last, or none. */
const ask = (count: number): void => {
  for (let n = 0; n < count; n += 1)
    decide(asker, { right: "live", camera: `camera-${n % (many + 1)}`, interface: "rtsp" });
};
ask(DECISIONS / 10);
const begun = process.cpuUsage();
ask(DECISIONS);
const { user, system } = process.cpuUsage(begun);
const decisionUs = (user + system) / DECISIONS;

await accounts.setPart("role", "operators", { name: "Operators", grants: ROLE });
const leases = new Leases({ accounts, audit: { record: () => undefined }, clock: systemClock });
const holders = await Promise.all(Array.from({ length: ACCOUNTS }, (_, n) => made(`vms-${n}`, [], ["operators"])));
const sessions = Number(values.sessions);
const running: Lease[] = [];
for (let n = 0; n < sessions; n += 1) {
  const who = holders[n % ACCOUNTS] as Principal;
  running.push(leases.open(who, [{ right: "live", camera: `camera-${n}`, interface: "rtsp", address: "10.2.0.9" }]));
}
await setImmediate();
const tookMs: number[] = [];
for (let round = 0; round < 10; round += 1) {
  const at = performance.now();
  await accounts.setPart("role", "operators", {
    name: "Operators",
    grants: ROLE.slice(0, round % 2 === 0 ? -1 : ROLE.length),
  });
  tookMs.push(performance.now() - at);
}
if (running.some(({ ended }) => ended.aborted)) throw new Error("a session ended whose right is as it was");
leases.close();
await database.close();

const figures = { grants: many, cameras: named, decisionUs, sessions, changeMs: Math.min(...tookMs) };
if (values.json === true) process.stdout.write(`${JSON.stringify(figures)}\n`);
else
  process.stdout.write(
    table([
      ["grants", "cameras of each", "decision, µs", "sessions", "role changed, ms"],
      [String(many), String(named), cell(decisionUs, 2), String(sessions), cell(figures.changeMs, 1)],
    ]),
  );
