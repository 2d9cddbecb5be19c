import type { Clock } from "../base/clock.ts";
import type { Finding } from "../base/finding.ts";
import type { Secret } from "../base/secret.ts";
import type { Connection } from "./connection.ts";
import { examineDirectory } from "./examine.ts";
import { type LockoutPolicy, lockoutOf } from "./lockout-policy.ts";
import { openConnection, openReading } from "./open.ts";
import type { DirectoryOptions } from "./options.ts";
import type { Reader } from "./reader.ts";
import { readerFor } from "./reader-for.ts";

/** What is done with one directory, each time over connections of its own. Faults: `unavailable`, `denied`, {@link BindFault}, `invalid`. */
export interface DirectoryAccess {
  /** As the account that reads. */
  read<T>(work: (reader: Reader) => Promise<T>): Promise<T>;
  lockoutPolicy(): Promise<LockoutPolicy>;
  /** Whether the directory lets somebody in, by DN. Returns when it does; {@link BindFault}. */
  logIn(dn: string, password: Secret): Promise<void>;
  /** Stage by stage what works. */
  examine(): AsyncGenerator<Finding>;
}

/** A directory that is reached by LDAP. */
export function ldapAccess(options: DirectoryOptions, clock: Clock): DirectoryAccess {
  const asReader = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = await openReading(options, clock);
    try {
      return await work(connection);
    } finally {
      connection.close();
    }
  };
  return {
    read: (work) => asReader((connection) => work(readerFor(connection, options))),
    lockoutPolicy: () => asReader((connection) => lockoutOf(connection, options)),
    async logIn(dn, password) {
      const connection = await openConnection(options, clock);
      try {
        await connection.bind(dn, password);
      } finally {
        connection.close();
      }
    },
    examine: () => examineDirectory(options, clock),
  };
}
