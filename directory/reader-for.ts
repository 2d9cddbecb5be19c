import { AdReader } from "./ad-reader.ts";
import type { Connection } from "./connection.ts";
import { ListReader } from "./list-reader.ts";
import type { DirectoryOptions } from "./options.ts";
import type { Reader } from "./reader.ts";

/** The reader for the directory's schema. */
export function readerFor(connection: Connection, options: DirectoryOptions): Reader {
  return options.schema === "ad" ? new AdReader(connection, options) : new ListReader(connection, options);
}
