import type { Command } from "commander";
import { passphraseFd } from "../options.ts";

/** The commands for directories. */
export function addDirectoryCommands(program: Command): void {
  const directory = program
    .command("directory")
    .description("LDAP directories and Active Directory, whether the bridge is running or not");
  for (const [name, description, run] of [
    [
      "test",
      "say stage by stage what works: names, connection, TLS, log-in, groups, people; nothing is changed",
      "testDirectories",
    ],
    [
      "preview",
      "say what a sync would change: who comes, goes, gains and loses roles; nothing is changed",
      "previewDirectories",
    ],
    ["history", "say what the syncs of before did", "showHistory"],
  ] as const)
    directory
      .command(name)
      .description(description)
      .requiredOption("--config <file>", "configuration, YAML")
      .option("--directory <name>", "one of several directories")
      .addOption(passphraseFd())
      .option("--json", "print JSON, by the name of the directory")
      .action(async (options: import("../directory.ts").DirectoryCommandOptions) =>
        (await import("../directory.ts"))[run](options),
      );
  directory
    .command("sync")
    .description("make accounts follow the directory now")
    .requiredOption("--config <file>", "configuration, YAML")
    .option("--directory <name>", "one of several directories")
    .option("--confirm", "also where the brake holds it: more people would lose rights than directory.brake lets pass")
    .addOption(passphraseFd())
    .option("--json", "print JSON, by the name of the directory")
    .addHelpText("after", "\nThe exit code is 1 where a sync fails or holds; nothing is changed then.")
    .action(async (options: import("../directory.ts").DirectoryCommandOptions & { confirm?: boolean }) =>
      (await import("../directory.ts")).syncDirectories(options),
    );
  directory
    .command("explain")
    .description("say how somebody comes by their roles: groups, roles, rights")
    .argument("<user>", "the name to log in with")
    .requiredOption("--config <file>", "configuration, YAML")
    .option("--directory <name>", "one of several directories")
    .addOption(passphraseFd())
    .option("--json", "print JSON, by the name of the directory")
    .action(async (user: string, options: import("../directory.ts").DirectoryCommandOptions) =>
      (await import("../directory.ts")).explainUser(user, options),
    );
  directory
    .command("password")
    .description("keep the password of the account that reads a directory, sealed")
    .argument("<name>", "the directory")
    .requiredOption("--config <file>", "configuration, YAML")
    .option("--password-fd <number>", "read the password from this file descriptor")
    .addOption(passphraseFd())
    .action(async (name: string, options: import("../data.ts").DataOptions & { passwordFd?: string }) =>
      (await import("../directory.ts")).keepPassword(name, options),
    );
}
