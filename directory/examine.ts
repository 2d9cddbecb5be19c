import type { Clock } from "../base/clock.ts";
import { asFault, type Fault } from "../base/fault.ts";
import type { Finding } from "../base/finding.ts";
import { Connection } from "./connection.ts";
import { connectTo, encrypt } from "./dial.ts";
import { LdapStream } from "./framing.ts";
import { lockoutOf } from "./lockout-policy.ts";
import type { DirectoryOptions } from "./options.ts";
import { readerFor } from "./reader-for.ts";
import { addressesOf, type Server, serversOf } from "./servers.ts";
import { rolesOf, type Snapshot } from "./snapshot.ts";

export type DirectoryFinding = Finding<
  "name" | "connect" | "TLS" | "log-in" | "base" | "groups" | "people" | "lock-out"
>;

/**
 * Looks at a directory as a sync would, stage by stage, and hands on what works and what does not. Every server is connected to and
 * logged in at; the first that works is read. Nothing is changed.
 */
export async function* examineDirectory(o: DirectoryOptions, clock: Clock): AsyncGenerator<DirectoryFinding> {
  if (o.encryption === "none")
    yield {
      what: "TLS",
      result: "note",
      says: "encryption is switched off (encryption: none): everybody on the way can read the passwords of all who log in",
      next: "Use it in a laboratory only.",
    };
  let servers: readonly Server[];
  try {
    servers = await serversOf(o, clock);
    if (o.servers.length === 0) yield works("name", `DNS names ${servers.map(({ host }) => host).join(", ")}`);
  } catch (error) {
    yield failed("name", error);
    return;
  }
  let first: Connection | undefined;
  try {
    for (const server of servers) {
      const connection = yield* examineServer(server, o, clock);
      if (first === undefined) first = connection;
      else connection?.close();
    }
    if (first !== undefined) yield* examineContent(first, o);
  } finally {
    first?.close();
  }
}

async function* examineServer(
  server: Server,
  o: DirectoryOptions,
  clock: Clock,
): AsyncGenerator<DirectoryFinding, Connection | undefined> {
  let what: DirectoryFinding["what"] = "name";
  try {
    const addresses = await addressesOf(o, server.host, clock);
    yield works("name", `${server.host} is ${addresses.join(", ")}`);
    what = "connect";
    const socket = await connectTo(addresses[0] ?? "", server, clock);
    yield works("connect", `${server.host} answers on port ${server.port}`);
    what = "TLS";
    const secure = await encrypt(socket, server, { ...o, clock });
    if (o.encryption !== "none")
      yield works("TLS", `its certificate is good, ${o.encryption === "ldaps" ? "LDAPS" : "StartTLS"}`);
    what = "log-in";
    const connection = new Connection(new LdapStream(secure), clock);
    try {
      await connection.bind(o.account, await o.password());
    } catch (error) {
      connection.close();
      throw error;
    }
    yield works("log-in", `logged in as ${o.account}`);
    return connection;
  } catch (error) {
    yield failed(what, error, o.account);
    return undefined;
  }
}

async function* examineContent(connection: Connection, o: DirectoryOptions): AsyncGenerator<DirectoryFinding> {
  for (const base of new Set([o.userBase, o.groupBase]))
    try {
      const there = (await connection.read(base, ["objectClass"])) !== undefined;
      if (!there) {
        yield {
          what: "base",
          result: "fails",
          says: `there is no ${base}, or ${o.account} may not read it`,
          next: "Check base, userBase and groupBase.",
        };
        return;
      }
      yield works("base", `${base} is there`);
    } catch (error) {
      yield failed("base", error);
      return;
    }
  let snapshot: Snapshot;
  try {
    snapshot = await readerFor(connection, o).full();
  } catch (error) {
    yield failed("groups", error);
    return;
  }
  yield* groupFindings(snapshot);
  yield peopleFinding(snapshot);
  const { threshold, windowMs } = await lockoutOf(connection, o);
  if (threshold !== undefined)
    yield works(
      "lock-out",
      threshold === 0
        ? "the domain locks nobody out after wrong passwords"
        : `the domain locks an account after ${threshold} wrong passwords in ${windowMs / 60_000} min; fewer are passed on from here`,
    );
}

function* groupFindings(snapshot: Snapshot): Generator<DirectoryFinding> {
  const roles = rolesOf(snapshot);
  for (const [mapping, id] of snapshot.mapped) {
    const group = snapshot.groups.get(id);
    const count = mapping.roles.map((role) => [...roles.values()].filter((of) => of.includes(role)).length);
    const says = `${group?.dn ?? mapping.group} gives ${mapping.roles.join(", ")}`;
    if (count.every((one) => one === 0))
      yield {
        what: "groups",
        result: "note",
        says: `${says}, and nobody is in it`,
        next: "Check that its members are below userBase and are people by userFilter.",
      };
    else yield works("groups", says);
  }
  const nested = snapshot.groups.size - new Set(snapshot.mapped.values()).size;
  if (nested > 0) yield works("groups", `${nested} more are in these`);
}

function peopleFinding({ people }: Snapshot): DirectoryFinding {
  const out = [...people.values()].filter(({ standing }) => standing === "disabled").length;
  const says = `${people.size} have a role${out === 0 ? "" : `, ${out} of them disabled`}`;
  if (people.size > 0) return works("people", says);
  return { what: "people", result: "fails", says: "nobody has a role", next: "A sync would change nothing." };
}

function works(what: DirectoryFinding["what"], says: string): DirectoryFinding {
  return { what, result: "works", says };
}

function failed(what: DirectoryFinding["what"], error: unknown, account = ""): DirectoryFinding {
  const fault: Fault = asFault(error);
  // To the administrator it is told why their own account is refused.
  if (fault.kind === "unauthenticated")
    return {
      what,
      result: "fails",
      says: fault.message,
      next: `Check the password of ${account}, and the account at the directory.`,
    };
  return { what, result: "fails", says: fault.tell ?? fault.message };
}
