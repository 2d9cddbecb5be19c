import { explain } from "../auth/explain.ts";
import { INTERFACES, isCameraRight, RIGHTS } from "../auth/right.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { isoOf, type Millis, SECOND, type UnixMillis, unixMillis } from "../base/units.ts";
import type { DataOptions } from "./data.ts";
import { accountNamed, withAccounts } from "./with-accounts.ts";

/** What `viaduct why` ends with where the account may not. */
const MAY_NOT = 1;

export interface WhyOptions extends DataOptions {
  readonly interface: string;
  /** ISO 8601 with its zone; now if absent. */
  readonly at?: string;
  /** How old the footage is, in seconds. */
  readonly age?: string;
  readonly json?: boolean;
}

/** Says whether an account may do something at an instant, and which line of its rights decides. */
export async function why(name: string, right: string, camera: string | undefined, options: WhyOptions): Promise<void> {
  const asked = oneOf(RIGHTS, right, "right");
  const door = oneOf(INTERFACES, options.interface, "interface");
  const at = options.at === undefined ? systemClock.now() : instantOf(options.at);
  const ageMs = options.age === undefined ? undefined : ageOf(options.age);
  if (isCameraRight(asked) && camera === undefined)
    throw new Fault("invalid", `${asked} is a right over cameras: say over which`);
  if (!isCameraRight(asked) && camera !== undefined)
    throw new Fault("invalid", `${asked} is no right over cameras: ask without ${camera}`);
  await withAccounts(options, async ({ accounts }) => {
    const { id, ...named } = accountNamed(accounts, name);
    const account = { ...named, lacksFactor: accounts.lacksFactor(id) };
    const grants = accounts.grantsOf(id) ?? [];
    const found = explain(account, grants, { right: asked, camera, interface: door, at, ageMs });
    const until = found.until === undefined ? undefined : isoOf(found.until);
    if (options.json === true)
      process.stdout.write(`${JSON.stringify({ ...found, at: isoOf(at), until }, undefined, 2)}\n`);
    else {
      const on = camera === undefined ? "" : ` on ${camera}`;
      const word = found.allowed ? "may" : "may not";
      process.stdout.write(`${name} ${word} ${asked}${on} through ${door} at ${isoOf(at)}: ${found.why}.\n`);
      if (found.hidden) process.stdout.write("The camera looks to it as one that does not exist.\n");
      if (found.maxAgeMs !== undefined)
        process.stdout.write(`Footage of up to ${found.maxAgeMs / SECOND} s before that.\n`);
      if (until !== undefined) process.stdout.write(`That changes at ${until}.\n`);
      for (const { source, deny, match } of found.grants)
        process.stdout.write(`  ${source}${deny ? ", which denies" : ""}: ${match}\n`);
    }
    if (!found.allowed) process.exitCode = MAY_NOT;
  });
}

function oneOf<T extends string>(all: readonly T[], text: string, what: string): T {
  const found = all.find((one) => one === text);
  if (found === undefined) throw new Fault("invalid", `there is no ${what} "${text}": ${all.join(", ")}`);
  return found;
}

function instantOf(text: string): UnixMillis {
  const at = /T.*(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new Fault("invalid", `--at must be like 2026-11-29T03:00:00+01:00, with its zone`);
  return unixMillis(at);
}

function ageOf(text: string): Millis {
  if (!/^\d{1,10}$/.test(text)) throw new Fault("invalid", "--age must be a number of seconds");
  return Number(text) * SECOND;
}
