import { MINUTE, type Millis } from "../base/units.ts";
import type { Connection } from "./connection.ts";
import type { DirectoryOptions } from "./options.ts";
import { textOf } from "./person.ts";

/** When a domain locks an account. */
export interface LockoutPolicy {
  /** Wrong passwords in the window that lock it; 0: none do; undefined: the directory does not say. */
  readonly threshold: number | undefined;
  readonly windowMs: Millis;
}

/** Where a directory does not say. */
const UNKNOWN: LockoutPolicy = { threshold: undefined, windowMs: 30 * MINUTE };

/** 100 ns in a millisecond; AD's intervals are negative (MS-ADTS 3.1.1.5.1.5). */
const TICKS = 10_000n;

/** Of the domain's head, which every account may read. Finer policies (PSOs) of single people are not read. */
export async function lockoutOf(connection: Connection, { schema }: DirectoryOptions): Promise<LockoutPolicy> {
  if (schema !== "ad") return UNKNOWN;
  const root = await connection.read("", ["defaultNamingContext"]);
  const domain = root && textOf(root, "defaultNamingContext");
  const head =
    domain === undefined ? undefined : await connection.read(domain, ["lockoutThreshold", "lockOutObservationWindow"]);
  const threshold = head && textOf(head, "lockoutThreshold");
  const window = head && textOf(head, "lockOutObservationWindow");
  if (threshold === undefined || window === undefined || !/^-?\d{1,19}$/.test(window)) return UNKNOWN;
  const windowMs = Number(-BigInt(window) / TICKS);
  return { threshold: Number(threshold), windowMs: windowMs > 0 ? windowMs : UNKNOWN.windowMs };
}
