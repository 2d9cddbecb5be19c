import { X509Certificate } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { keyFingerprint } from "../auth/audit/checkpoint.ts";
import type { AuditFilter, EXACT, Fields } from "../auth/audit/filter.ts";
import { allEntries, findEntries } from "../auth/audit/find.ts";
import { AUDIT_FORMATS, type AuditFormat, CSV_HEADER, printEntry } from "../auth/audit/format.ts";
import { wordOf } from "../auth/audit/line.ts";
import { type AuditReport, isLine, verifyAudit } from "../auth/audit/verify.ts";
import { Fault } from "../base/fault.ts";
import { printed } from "../base/printed.ts";
import { type UnixMillis, unixMillis } from "../base/units.ts";

/** Exit codes of `verify`: as those of verifying recordings. */
const EXIT = { good: 0, tampered: 1, unsigned: 3 } as const;

/** Which entries, as they are written at a shell. */
export type FilterOptions = Readonly<Partial<Record<(typeof EXACT)[number] | "from" | "to" | "text", string>>>;

/** Follows the chain of an audit log, or of a copy of one, and prints whether it is whole; sets the exit code. */
export async function verify(
  path: string,
  options: { readonly json?: boolean; readonly certificate?: readonly string[]; readonly kept?: string },
): Promise<void> {
  const trusted = options.certificate && new Set(await Promise.all(options.certificate.map(fingerprintOf)));
  const kept = options.kept === undefined ? undefined : await linesIn(options.kept);
  const report = await verifyAudit(path, { trusted, kept });
  if (options.json === true) process.stdout.write(`${JSON.stringify({ ...report, broken: report.broken ?? null })}\n`);
  else process.stdout.write(wordsOf(report, trusted !== undefined));
  const isSigned = report.signers.length > 0;
  process.exitCode = report.broken !== undefined ? EXIT.tampered : isSigned ? EXIT.good : EXIT.unsigned;
}

/** Prints the newest entries that are wanted, the oldest of them first. */
export async function show(
  path: string,
  { last, json, ...filter }: FilterOptions & { readonly last: string; readonly json?: boolean },
): Promise<void> {
  const limit = Number(last);
  if (!Number.isInteger(limit) || limit < 1) throw new Fault("invalid", `--last ${last}: how many entries?`);
  const entries: Fields[] = [];
  for (let before: number | undefined; entries.length < limit; ) {
    const found = await findEntries(path, filterOf(filter), { limit: limit - entries.length, before });
    entries.push(...found.entries);
    before = found.next;
    if (before === undefined) break;
  }
  if (json === true) process.stdout.write(`${JSON.stringify(entries.toReversed(), undefined, 2)}\n`);
  else if (entries.length === 0) process.stdout.write("There are no such entries.\n");
  else for (const fields of entries.toReversed()) process.stdout.write(`${lineFor(fields)}\n`);
}

/** Writes all entries that are wanted, the oldest first, to a new file or to standard output. */
export async function exportAudit(
  path: string,
  { format, out, ...filter }: FilterOptions & { readonly format: string; readonly out?: string },
  version: string,
): Promise<void> {
  const chosen = AUDIT_FORMATS.find((one) => one === format);
  if (chosen === undefined) throw new Fault("invalid", `--format ${format}: one of ${AUDIT_FORMATS.join(", ")}`);
  const origin = { host: hostname(), version };
  const wanted = filterOf(filter);
  if (out === undefined) {
    await writeAll(path, wanted, chosen, { to: process.stdout, origin });
    return;
  }
  try {
    const to = (await open(out, "wx", 0o600)).createWriteStream();
    const done = finished(to);
    const [count] = await Promise.all([writeAll(path, wanted, chosen, { to, origin }).finally(() => to.end()), done]);
    process.stdout.write(`${count} entries are in ${out}.\n`);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    const tell = `cannot write ${out}: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
}

async function writeAll(
  path: string,
  filter: AuditFilter,
  format: AuditFormat,
  { to, origin }: { readonly to: Writable; readonly origin: Parameters<typeof printEntry>[3] },
): Promise<number> {
  let count = 0;
  if (format === "csv") to.write(`${CSV_HEADER}\n`);
  for await (const { line, fields } of allEntries(path, filter)) {
    count += 1;
    if (to.write(`${printEntry(format, line.toString("utf8"), fields, origin)}\n`)) continue;
    if (to.destroyed) break;
    await new Promise((resolve) => to.once("drain", resolve).once("error", resolve));
  }
  return count;
}

function filterOf({ from, to, ...rest }: FilterOptions): AuditFilter {
  return {
    ...rest,
    ...(from === undefined ? {} : { from: instantOf("--from", from) }),
    ...(to === undefined ? {} : { to: instantOf("--to", to) }),
  };
}

function instantOf(option: string, text: string): UnixMillis {
  const at = Date.parse(text);
  if (!Number.isNaN(at)) return unixMillis(at);
  throw new Fault("invalid", `${option} ${text}: a day or an instant, as 2026-11-24 or 2026-11-24T13:05:00+01:00`);
}

/** Who did what, with what came of it, in one line for people. */
function lineFor(fields: Fields): string {
  const text = (name: string): string => wordOf(fields[name]);
  const times = fields["repeated"] === undefined ? "" : `${text("repeated")} times more`;
  const what = [...new Set(["action", "subject", "camera"].map(text))].filter(Boolean).join(" ");
  const where = ["interface", "address"].map(text).filter(Boolean).join(" ");
  const rest = [text("outcome"), where, text("why"), times].filter(Boolean).join(", ");
  return printed(
    `${text("seq")} ${text("time")} ${text("who") || "viaduct"}: ${what}${rest === "" ? "" : `, ${rest}`}`,
  );
}

function wordsOf({ entries, first, last, broken, signers, unsigned }: AuditReport, isTrusted: boolean): string {
  if (broken !== undefined) {
    const place = broken.line === 0 ? broken.file : `${broken.file}, line ${broken.line}`;
    return `${place}: ${broken.why}.\n`;
  }
  if (entries === 0) return "There are no entries.\n";
  const lines = [`${entries} lines, entries ${first} to ${last}, each of which follows from the one before.`];
  for (const { key, checkpoints } of signers) lines.push(`${checkpoints} checkpoints are signed by the key ${key}.`);
  if (signers.length === 0) lines.push("Nothing is signed: whoever can write here may have written all of it.");
  else if (unsigned > 0) lines.push(`The last ${unsigned} entries are under no signature yet.`);
  if (signers.length > 0 && !isTrusted)
    lines.push("Give the certificate of the bridge with --certificate: anybody can sign with a key of their own.");
  return `${lines.join("\n")}\n`;
}

async function fingerprintOf(file: string): Promise<string> {
  try {
    return keyFingerprint(new X509Certificate(await readFile(file)).publicKey);
  } catch (cause) {
    const tell = `${file} is no certificate: ${(cause as Error).message}`;
    throw new Fault("invalid", tell, { tell, cause });
  }
}

async function linesIn(file: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const tell = `cannot read ${file}: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length > 0 && lines.every(isLine)) return lines;
  const tell = `${file} has no lines of an audit log: keep whole lines, as they stand in it`;
  throw new Fault("invalid", tell, { tell });
}
