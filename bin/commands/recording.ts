import type { Command } from "commander";
import { passphraseFd } from "../options.ts";

/** The commands that check, verify, export and decrypt recordings. */
export function addRecordingCommands(program: Command): void {
  program
    .command("check")
    .description("compare catalog and recordings while the bridge is stopped, and say where they disagree")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .option("--verify", "also read all recordings and compare them with their hashes: as long as reading takes")
    .option("--times", "say instead how the times of each stream's recordings are known")
    .option("--json", "print JSON: a list of { file, volume, what }, or of { camera, stream, times }")
    .addHelpText(
      "after",
      `
Nothing is changed. What is damaged or missing is listed by file, below the folder of the recordings; the exit code is 1
then. What a crash left unfinished is no finding: the next start finishes it.

Examples:
  viaduct check --config /etc/viaduct.yaml
  viaduct check --config /etc/viaduct.yaml --verify --json`,
    )
    .action(async (options: import("../check.ts").CheckOptions) => (await import("../check.ts")).check(options));
  program
    .command("volumes")
    .description(
      "list the disks that recordings are on while the bridge is stopped, or take one that is lost out of the catalog",
    )
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .option("--forget <name>", "this volume will not come back: what was on it is told as missing from now on")
    .option("--json", "print JSON: { volumes, unnamed }")
    .addHelpText(
      "after",
      `
What is on a volume that is not there stays in the catalog until it is back, or is forgotten. Nothing on a disk is changed.

Examples:
  viaduct volumes --config /etc/viaduct.yaml
  viaduct volumes --config /etc/viaduct.yaml --forget fast`,
    )
    .action(async (options: import("../volumes.ts").VolumesOptions) =>
      (await import("../volumes.ts")).volumes(options),
    );

  program
    .command("verify")
    .description(
      "compare recordings or an export with their signatures, offline: which second is as it was recorded, and what happened to the rest",
    )
    .argument("<paths...>", "files and folders of recordings; or one export, a folder or a ZIP file")
    .option(
      "--certificate <file>",
      "the certificate that must have signed: evidence-cert.pem of the bridge; may be given several times",
      (file: string, before: readonly string[]) => [...before, file],
      [] as readonly string[],
    )
    .option(
      "--ca <file>",
      "certificates (PEM) of the authority that must have issued that of whoever signed: the root, and those between",
    )
    .option("--config <file>", "configuration of a stopped bridge, whose keys open what is encrypted")
    .addOption(passphraseFd())
    .option("--password-fd <number>", "read the password of an encrypted export from this file descriptor")
    .option(
      "--kept <file>",
      "lines of the audit log that were kept elsewhere: the anchors that they name must be there",
    )
    .option(
      "--tsa-ca <file>",
      "certificates (PEM) of the time stamp authority: says when and by whom each anchor, or an export, was stamped",
    )
    .option(
      "--camera-ca <file>",
      "certificates (PEM) of the makers of cameras that sign their streams themselves, or of these cameras: who must have signed",
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Needs neither a running bridge nor its catalog. Verdicts: ok, recovered, removed (by retention, as is stated beside the recordings: give
the folder of all of them, or of a camera), changed, missing, inserted, reordered, re-timed, from another camera, unsigned, locked (signature and times are good; the content is encrypted and was not compared), unreadable.

Where the camera signed its stream itself (ONVIF Media Signing), it says beside this what that signature says: ok, changed, missing, unsigned, by
somebody who is not trusted, cannot be told.

Exit codes: 0 as it was recorded or removed as is stated, 1 tampered with, 2 called wrongly, 3 unsigned, locked or unreadable, or something
that the camera signed is missing, or was signed by somebody else than --camera-ca says.

Examples:
  viaduct verify gate.mp4 --certificate evidence-cert.pem
  viaduct verify /var/lib/viaduct/recordings/gate --config /etc/viaduct.yaml --json
  viaduct verify /var/lib/viaduct/recordings --certificate evidence-cert.pem --kept siem.log
  viaduct verify /var/lib/viaduct/recordings --certificate evidence-cert.pem --tsa-ca tsa.pem
  viaduct verify /var/lib/viaduct/recordings --ca authority.pem
  viaduct verify /var/lib/viaduct/recordings/gate --certificate evidence-cert.pem --camera-ca maker.pem
  viaduct verify gate.zip --certificate evidence-cert.pem --certificate evidence-cert.2026-11-24.pem`,
    )
    .action(async (paths: string[], options: import("../verify.ts").VerifyOptions) =>
      (await import("../verify.ts")).verify(paths, options),
    );

  program
    .command("export")
    .description(
      "export recordings of a stopped bridge, signed, for whoever has only public tools (the pages do it while it runs)",
    )
    .requiredOption("--config <file>", "configuration, YAML")
    .requiredOption(
      "--camera <id...>",
      "cameras, by their ids; also ones that are removed, as long as their recordings are there",
    )
    .option("--stream <name>", "which stream of each of them", "main")
    .requiredOption("--from <time>", "beginning, with its zone: 2026-11-24T13:05:00Z")
    .requiredOption("--to <time>", "end, likewise")
    .requiredOption("--out <path>", "ZIP file, or with --no-password a folder; it must not exist")
    .option("--reason <text>", "why, for whoever reads it: a case number", "")
    .option("--without <what...>", "leave out audio, metadata")
    .option("--no-password", "do not encrypt")
    .option(
      "--password-fd <number>",
      "read the password from this file descriptor; otherwise one is made and shown once",
    )
    .addOption(passphraseFd())
    .option("--json", "print JSON: { out, password, manifest }")
    .addHelpText(
      "after",
      `
An encrypted ZIP file (AES-256) opens with 7-Zip and WinZip, not with Windows' own folders. README.txt in it says how to check
it with openssl, sha256sum and ffprobe; viewer.html plays it offline. What is missing is said with its reason.

Examples:
  viaduct export --config viaduct.yaml --camera gate --from 2026-11-24T13:05:00Z --to 2026-11-24T13:20:00Z --out gate.zip --reason "case 117"
  viaduct export --config viaduct.yaml --camera gate yard --from 2026-11-24T13:00Z --to 2026-11-24T14:00Z --out case-117 --no-password`,
    )
    .action(async (options: import("../export.ts").ExportOptions) =>
      (await import("../export.ts")).exportRecordings(options, program.version() ?? ""),
    );

  program
    .command("decrypt")
    .description("write one recorded file without its encryption, while the bridge is stopped: an MP4 for any player")
    .argument("<file>", "a file of the recordings")
    .requiredOption("--config <file>", "configuration, YAML")
    .requiredOption("--out <file>", "where it goes; it must not exist")
    .addOption(passphraseFd())
    .addHelpText(
      "after",
      "\nExample:\n  viaduct decrypt recordings/gate/2026-11-24/13/05-09.120Z-0.mp4 --config viaduct.yaml --out gate.mp4",
    )
    .action(async (file: string, options: import("../decrypt.ts").DecryptOptions) =>
      (await import("../decrypt.ts")).decrypt(file, options),
    );
}
