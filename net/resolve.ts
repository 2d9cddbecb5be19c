import { Resolver } from "node:dns/promises";
import { plainAddress } from "../base/address.ts";
import { Fault } from "../base/fault.ts";

const LIMITS = {
  /** Of one question to one server. */
  timeoutMs: 2000,
  tries: 2,
  /** Addresses of one name that are looked at. */
  addresses: 16,
} as const;

/** The addresses of a name, or of an address the address itself. Fault `not-found`. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/**
 * Asks DNS, and not the system's own look-up: that waits in one of the few threads that files are read and written with, so
 * that names which nobody answers for would hold up recording. Names of /etc/hosts are not found.
 */
export const resolveName: Resolve = async (name) => {
  const plain = plainAddress(name);
  if (plain !== undefined) return [plain];
  const resolver = new Resolver({ timeout: LIMITS.timeoutMs, tries: LIMITS.tries });
  const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const addresses = found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  if (addresses.length === 0) throw new Fault("not-found", `no address of ${name} is known`);
  return addresses.slice(0, LIMITS.addresses);
};
