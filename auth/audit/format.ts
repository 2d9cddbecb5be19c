import type { Fields } from "./filter.ts";
import { wordOf } from "./line.ts";

/** What entries can be printed as. */
export const AUDIT_FORMATS = ["json", "csv", "cef", "syslog"] as const;

export type AuditFormat = (typeof AUDIT_FORMATS)[number];

/** Whose entries they are. */
export interface Origin {
  /** RFC 5424 6.2.4: the host's name. */
  readonly host: string;
  readonly version: string;
}

/** In this order in a table. */
const COLUMNS = [
  "seq",
  "time",
  "who",
  "action",
  "outcome",
  "interface",
  "camera",
  "subject",
  "address",
  "why",
  "from",
  "to",
  "seconds",
  "bytes",
  "repeated",
  "before",
  "after",
] as const;

export const CSV_HEADER = COLUMNS.join(",");

/** Facility 13, log audit (RFC 5424 6.2.1); severities warning and informational. */
const AUDIT_FACILITY = 13;
const SEVERITY = { warning: 4, informational: 6 } as const;

/** The number that RFC 5612 sets aside for examples: the project has none of its own. */
const SD_ID = "viaduct@32473";

/** Values longer than this are cut where the receiver expects short ones; the whole line follows as the message. */
const PARAM_LENGTH = 256;

/** One entry, without a line end. `line`: as it stands in the log. */
export function printEntry(format: AuditFormat, line: string, fields: Fields, origin: Origin): string {
  if (format === "json") return line;
  if (format === "csv") return COLUMNS.map((name) => csvValue(fields[name])).join(",");
  return format === "cef" ? printCef(fields, origin) : printSyslog(line, fields, origin);
}

/** A message of syslog (RFC 5424): the fields as structured data, the line of the log as the text, so that its hash can be checked there. */
export function printSyslog(line: string, fields: Fields, origin: Origin): string {
  const params = COLUMNS.filter((name) => name !== "time" && name !== "before" && name !== "after")
    .filter((name) => fields[name] !== undefined)
    .map((name) => `${name}="${sdValue(fields[name])}"`);
  return `${syslogHeader(fields, origin)} [${[SD_ID, ...params].join(" ")}] ${line}`;
}

/** A message of syslog with an event in ArcSight's Common Event Format (version 0). */
export function printCefMessage(fields: Fields, origin: Origin): string {
  return `${syslogHeader(fields, origin)} - ${printCef(fields, origin)}`;
}

function printCef(fields: Fields, { host, version }: Origin): string {
  const action = wordOf(fields["action"]);
  const extension: readonly (readonly [string, unknown])[] = [
    ["rt", Date.parse(wordOf(fields["time"]))],
    ["dvchost", host],
    ["externalId", fields["seq"]],
    ["suser", fields["who"]],
    ["src", fields["address"]],
    ["act", action],
    ["outcome", fields["outcome"]],
    ["app", fields["interface"]],
    ["reason", fields["why"]],
    ["out", fields["bytes"]],
    ["cnt", fields["repeated"]],
    ["duser", fields["subject"]],
    ["cs1Label", fields["camera"] === undefined ? undefined : "camera"],
    ["cs1", fields["camera"]],
    ["cs2Label", fields["before"] === undefined ? undefined : "before"],
    ["cs2", fields["before"]],
    ["cs3Label", fields["after"] === undefined ? undefined : "after"],
    ["cs3", fields["after"]],
  ];
  const header = ["Viaduct", "Viaduct", version, action, [action, wordOf(fields["outcome"])].join(" ").trim()];
  const severity = isRefusal(fields) ? 6 : 3;
  const said = extension.filter(([, value]) => value !== undefined);
  return [
    "CEF:0",
    ...header.map((value) => value.replace(/[\\|]/g, "\\$&").replace(/[\r\n]/g, " ")),
    severity,
    said.map(([name, value]) => `${name}=${cefValue(value)}`).join(" "),
  ].join("|");
}

function syslogHeader(fields: Fields, { host }: Origin): string {
  const severity = isRefusal(fields) ? SEVERITY.warning : SEVERITY.informational;
  const id = printable(fields["action"], 32);
  return `<${AUDIT_FACILITY * 8 + severity}>1 ${wordOf(fields["time"])} ${printable(host, 255)} viaduct - ${id}`;
}

function isRefusal({ outcome }: Fields): boolean {
  return outcome === "denied" || outcome === "failed";
}

/** PRINTUSASCII of RFC 5424 6; the nil value where nothing is left. */
function printable(value: unknown, length: number): string {
  return (
    wordOf(value)
      .replace(/[^\x21-\x7e]/g, "")
      .slice(0, length) || "-"
  );
}

/** PARAM-VALUE of RFC 5424 6.3.3. */
function sdValue(value: unknown): string {
  return wordOf(value)
    .slice(0, PARAM_LENGTH)
    .replace(/["\\\]]/g, "\\$&")
    .replace(/\p{Cc}/gu, " ");
}

function cefValue(value: unknown): string {
  return wordOf(value)
    .replace(/[\\=]/g, "\\$&")
    .replace(/\r?\n|\r/g, "\\n");
}

/** RFC 4180, and nothing that a spreadsheet takes for a formula. */
function csvValue(value: unknown): string {
  const plain = wordOf(value);
  const harmless = /^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
