import { type UnixMillis, unixMillis } from "../base/units.ts";

/** When something was used, and from which address. */
export interface LastUse {
  readonly at: UnixMillis;
  readonly address: string;
}

/** As it is stored. */
export function lastUseOf(at: number | null, address: string | null): LastUse | undefined {
  return at === null || address === null ? undefined : { at: unixMillis(at), address };
}

/** Whether it is worth writing down after the one before: from another address, or `everyMs` later. */
export function isNews(use: LastUse, before: LastUse | undefined, everyMs: number): boolean {
  return before === undefined || before.address !== use.address || Math.abs(use.at - before.at) >= everyMs;
}
