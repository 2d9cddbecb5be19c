import { hash } from "node:crypto";
import type { AuditEntry } from "../audit.ts";

const LIMITS = {
  /** Longest value that goes into an entry; the rest is cut. */
  valueLength: 256,
  /** The same of `before` and `after`, whose whole is named by its hash where it was cut. */
  changeLength: 3000,
} as const;

/** Longest line that is read; entries stay far below, also all in Chinese and with every character escaped. */
export const LONGEST_LINE_BYTES = 64 * 1024;

/** The hash that stands before the first line. */
export const NOTHING = "0".repeat(64);

/** The end of each line: `"prev":"…"}`, the hash of the line before. */
const PREV_BYTES = 64;
const END_BYTES = PREV_BYTES + 2;
const PREV_NAME = '"prev":"';

/** SHA-256 of a line without its line end, hexadecimal. */
export function hashOf(line: string | Buffer): string {
  return hash("sha256", line, "hex");
}

/** What is written of an entry: long values cut, numbers as they are. */
export function writtenOf(entry: AuditEntry): Readonly<Record<string, string | number>> {
  return Object.fromEntries(
    Object.entries(entry)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]: [string, unknown]) => [
        name,
        typeof value === "number"
          ? value
          : name === "before" || name === "after"
            ? changeOf(String(value))
            : String(value).slice(0, LIMITS.valueLength),
      ]),
  );
}

/** Two changes that differ only in what is cut off still look different, and whoever has the whole can prove it. */
function changeOf(json: string): string {
  if (json.length <= LIMITS.changeLength) return json;
  return `${json.slice(0, LIMITS.changeLength)}… sha256:${hashOf(json)}`;
}

/** The number of a line, from 1; undefined for what is no whole line. */
export function sequenceOf(line: Buffer): number | undefined {
  if (line.at(-1) !== 0x7d) return undefined;
  const number = /^\{"seq":(\d{1,15}),/.exec(line.toString("latin1", 0, 24))?.[1];
  return number === undefined ? undefined : Number(number);
}

/** The hash of the line before, as a line says it; undefined where it says none. */
export function prevOf(line: Buffer): string | undefined {
  const begin = line.length - END_BYTES;
  if (begin < PREV_NAME.length || line.toString("latin1", begin - PREV_NAME.length, begin) !== PREV_NAME)
    return undefined;
  return line.toString("latin1", begin, begin + PREV_BYTES);
}

/** The fields of a line; undefined where it is no JSON object. */
export function fieldsOf(line: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A value of a line for people; empty where there is none. */
export function wordOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
