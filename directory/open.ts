import type { Clock } from "../base/clock.ts";
import { asFault, Fault, isFault } from "../base/fault.ts";
import { Connection } from "./connection.ts";
import { connectTo, encrypt } from "./dial.ts";
import { LdapStream } from "./framing.ts";
import type { DirectoryOptions } from "./options.ts";
import { addressesOf, type Server, serversOf } from "./servers.ts";

/**
 * A connection to the first server that can be had, over which nothing has been sent yet. Faults: `denied` (one was not who it should
 * be, and there is no other), `unavailable` (none can be had); the reasons of all are told.
 */
export async function openConnection(o: DirectoryOptions, clock: Clock): Promise<Connection> {
  const faults: Fault[] = [];
  for (const server of await serversOf(o, clock))
    try {
      return await connectionTo(server, o, clock);
    } catch (error) {
      faults.push(asFault(error));
    }
  const kind = faults.some((fault) => fault.kind === "denied") ? "denied" : "unavailable";
  const tell = faults.map((fault) => fault.tell ?? fault.message).join("\n");
  throw new Fault(kind, `directory ${o.name}: ${tell}`, { tell });
}

/** As {@link openConnection}, and logged in as the account that reads. Faults: {@link BindFault} too. */
export async function openReading(o: DirectoryOptions, clock: Clock): Promise<Connection> {
  const password = await o.password();
  const connection = await openConnection(o, clock);
  try {
    await connection.bind(o.account, password);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function connectionTo(server: Server, o: DirectoryOptions, clock: Clock): Promise<Connection> {
  let last: unknown;
  for (const address of await addressesOf(o, server.host, clock))
    try {
      const socket = await connectTo(address, server, clock);
      return new Connection(new LdapStream(await encrypt(socket, server, { ...o, clock })), clock);
    } catch (error) {
      if (!isFault(error, "unavailable")) throw error;
      last = error;
    }
  throw last;
}
