import type { Command } from "commander";
import { passphraseFd } from "../options.ts";

/** The commands for the keys of recordings. */
export function addKeysCommands(program: Command): void {
  const keys = program.command("keys").description("the keys of recordings, while the bridge is stopped");
  keys
    .command("status")
    .description("say which keys there are, and who can open them")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .option("--json", "print JSON")
    .action(async (options: import("../data.ts").DataOptions) => (await import("../keys.ts")).keysStatus(options));
  keys
    .command("rotate")
    .description("make a new master key; recordings are not touched")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .option("--to-passphrase", "put it under a passphrase, which is asked for at every start")
    .option("--to-file", "put it in master.key without a passphrase")
    .option("--new-passphrase-fd <number>", "read the new passphrase from this file descriptor")
    .addHelpText("after", "\nExample:\n  viaduct keys rotate --config viaduct.yaml --to-passphrase")
    .action(async (options: import("../keys.ts").RotateOptions) => (await import("../keys.ts")).rotateKeys(options));
  keys
    .command("recovery")
    .description("make a recovery key, which opens all recordings should the master key be lost")
    .requiredOption("--config <file>", "configuration, YAML")
    .requiredOption("--out <file>", "where its private half goes; it must not exist")
    .addOption(passphraseFd())
    .action(async (options: import("../data.ts").DataOptions & { out: string }) =>
      (await import("../keys.ts")).makeRecoveryKey(options),
    );
  keys
    .command("write-only")
    .description("let this machine record what it cannot play: whoever takes it sees nothing")
    .requiredOption("--config <file>", "configuration, YAML")
    .option("--out <file>", "where the private key goes; it must not exist")
    .option("--off", "let it play again what it records from now on")
    .addOption(passphraseFd())
    .action(async (options: import("../data.ts").DataOptions & { out?: string; off?: boolean }) =>
      (await import("../keys.ts")).writeOnly(options),
    );
  keys
    .command("restore")
    .description("open data keys with the private key of `recovery` or `write-only`, and put them under the master key")
    .requiredOption("--config <file>", "configuration, YAML")
    .requiredOption("--private-key <file>", "PEM")
    .option(
      "--lost-master",
      "make a new master key: the old one is lost, and with it camera passwords and account secrets",
    )
    .addOption(passphraseFd())
    .action(async (options: import("../data.ts").DataOptions & { privateKey: string; lostMaster?: boolean }) =>
      (await import("../keys.ts")).restoreKeys(options),
    );
}
