import { lookup, Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { type Clock, within } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { SECOND } from "../base/units.ts";
import type { DirectoryOptions } from "./options.ts";

const LIMITS = {
  dnsMs: 5 * SECOND,
  /** Servers that are tried, and addresses of each: more would take minutes where none answers. */
  servers: 8,
  addresses: 4,
} as const;

/** Where a directory may be reached. */
export interface Server {
  /** As the certificate has to name it. */
  readonly host: string;
  readonly port: number;
}

type Where = Pick<DirectoryOptions, "name" | "servers" | "domain" | "schema" | "nameServers" | "port">;

/**
 * The servers in the order in which they are to be tried: as they were written, or as DNS names them for the domain (RFC 2782;
 * MS-ADTS 6.3.2.3: `_ldap._tcp.dc._msdcs`). Fault `unavailable` where DNS knows none.
 */
export async function serversOf(o: Where, clock: Clock): Promise<readonly Server[]> {
  if (o.servers.length > 0) return o.servers.map((host) => ({ host, port: o.port }));
  const name = `_ldap._tcp.${o.schema === "ad" ? "dc._msdcs." : ""}${o.domain ?? ""}`;
  try {
    const found = await within(clock, LIMITS.dnsMs, resolverOf(o).resolveSrv(name), () => new Error("no answer"));
    if (found.length === 0) throw new Error("no servers");
    // The port in the record is that of plain LDAP.
    return found
      .toSorted((a, b) => a.priority - b.priority || b.weight - a.weight)
      .slice(0, LIMITS.servers)
      .map(({ name: host }) => ({ host, port: o.port }));
  } catch (cause) {
    const tell = `DNS names no server at ${name} (${reasonOf(cause)}): check directory.domain and the machine's DNS, set nameServers, or write servers`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
}

/** The addresses of a server. Fault `unavailable` where DNS knows none. */
export async function addressesOf(o: Where, host: string, clock: Clock): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    const asked = o.nameServers.length > 0 ? byNameServers(o, host) : bySystem(host);
    const found = await within(clock, LIMITS.dnsMs, asked, () => new Error("no answer"));
    if (found.length === 0) throw new Error("no addresses");
    return found.slice(0, LIMITS.addresses);
  } catch (cause) {
    const tell = `DNS knows no address of ${host} (${reasonOf(cause)}): check the name, the machine's DNS, or set nameServers`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
}

async function bySystem(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

async function byNameServers(o: Where, host: string): Promise<readonly string[]> {
  const resolver = resolverOf(o);
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  if (v4.status === "rejected" && v6.status === "rejected") throw v4.reason;
  return [v4, v6].flatMap((one) => (one.status === "fulfilled" ? one.value : []));
}

function resolverOf({ nameServers }: Where): Resolver {
  const resolver = new Resolver({ timeout: LIMITS.dnsMs, tries: 1 });
  if (nameServers.length > 0) resolver.setServers(nameServers);
  return resolver;
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return code ?? message;
}
