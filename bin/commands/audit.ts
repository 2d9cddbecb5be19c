import type { Command } from "commander";

/** Where an audit log is. */
const LOG = "the data folder, a folder with copies of the log's files, or one file";

/** A command that prints entries. */
function entriesCommand(audit: Command, name: string, description: string): Command {
  return audit
    .command(name)
    .description(description)
    .argument("<path>", LOG)
    .option("--from <time>", "not before: 2026-11-24, or 2026-11-24T13:05:00+01:00")
    .option("--to <time>", "before")
    .option("--who <name>", "of this account")
    .option("--action <action>", "log-in, live, playback, make-account …")
    .option("--camera <camera>", "by its id")
    .option("--interface <interface>", "web, api, onvif, rtsp or cli")
    .option("--outcome <outcome>", "allowed, denied or failed")
    .option("--address <address>", "from this IP address")
    .option("--text <text>", "with this in any value");
}

/** The commands for the audit log. */
export function addAuditCommands(program: Command): void {
  const audit = program.command("audit").description("the audit log, also while the bridge runs, and copies of it");
  audit
    .command("verify")
    .description("say whether an entry was changed, removed or added: its hashes, numbers and signatures, offline")
    .argument("<path>", LOG)
    .option(
      "--certificate <file...>",
      "the certificate that must have signed: evidence-cert.pem of the bridge, and those before it",
    )
    .option("--kept <file>", "lines of the log that were kept elsewhere and must stand in it: shows a cut at the end")
    .option("--json", "print JSON: { entries, first, last, broken: { file, line, why } or null, signers, unsigned }")
    .addHelpText(
      "after",
      `
Lines that are cut off at the end show where a later line was kept elsewhere, as syslog receivers do, or with --kept.

Exit codes: 0 as it was written, 1 tampered with, 2 called wrongly, 3 whole but not signed.

Examples:
  viaduct audit verify /var/lib/viaduct --certificate evidence-cert.pem
  viaduct audit verify /mnt/copies/audit --kept checkpoints.log --json`,
    )
    .action(async (path: string, options: Parameters<typeof import("../audit.ts").verify>[1]) =>
      (await import("../audit.ts")).verify(path, options),
    );
  entriesCommand(audit, "show", "print the newest entries, or the newest of those that are asked for")
    .option("--last <count>", "how many at most", "100")
    .option("--json", "print JSON: a list of entries")
    .addHelpText(
      "after",
      "\nExample:\n  viaduct audit show /var/lib/viaduct --who vms --outcome denied --from 2026-11-24",
    )
    .action(async (path: string, options: Parameters<typeof import("../audit.ts").show>[1]) =>
      (await import("../audit.ts")).show(path, options),
    );
  entriesCommand(audit, "export", "print all entries that are asked for, the oldest first, for other programs")
    .option("--format <format>", "json: lines as they stand; csv; cef: Common Event Format; syslog: RFC 5424", "json")
    .option("--out <file>", "where it goes, which must not exist; standard output if absent")
    .addHelpText(
      "after",
      "\nExample:\n  viaduct audit export /var/lib/viaduct --format csv --from 2026-11-01 --out november.csv",
    )
    .action(async (path: string, options: Parameters<typeof import("../audit.ts").exportAudit>[1]) =>
      (await import("../audit.ts")).exportAudit(path, options, program.version() ?? ""),
    );
}
