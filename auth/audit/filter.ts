import type { UnixMillis } from "../../base/units.ts";
import { fieldsOf } from "./line.ts";

/** Fields that are asked for by their whole value. */
export const EXACT = ["who", "action", "camera", "interface", "outcome", "address"] as const;

/** Which entries are wanted: those to which all of it applies. */
export type AuditFilter = Readonly<Partial<Record<(typeof EXACT)[number], string>>> & {
  readonly from?: UnixMillis | undefined;
  /** Not included. */
  readonly to?: UnixMillis | undefined;
  /** Stands somewhere in a value, in upper or lower case. */
  readonly text?: string | undefined;
};

/** The fields of an entry, as they stand in the log. */
export type Fields = Readonly<Record<string, unknown>>;

/** Reads the fields of a line where they are wanted. Most lines are left unread: what is looked for is looked for in their bytes. */
export function matcherOf(filter: AuditFilter): (line: Buffer) => Fields | undefined {
  const marks = EXACT.flatMap((name) => {
    const value = filter[name];
    return value === undefined ? [] : [Buffer.from(`"${name}":${JSON.stringify(value)}`)];
  });
  const text = filter.text?.toLowerCase();
  return (line) => {
    if (!marks.every((mark) => line.includes(mark))) return undefined;
    const fields = fieldsOf(line);
    return fields !== undefined && isWanted(fields, filter, text) ? fields : undefined;
  };
}

function isWanted(fields: Fields, filter: AuditFilter, text: string | undefined): boolean {
  const at = Date.parse(String(fields["time"]));
  if (filter.from !== undefined && !(at >= filter.from)) return false;
  if (filter.to !== undefined && !(at < filter.to)) return false;
  if (!EXACT.every((name) => filter[name] === undefined || fields[name] === filter[name])) return false;
  return text === undefined || Object.values(fields).some((value) => String(value).toLowerCase().includes(text));
}
