import { type Command, Option } from "commander";
import type { DataOptions } from "../data.ts";
import { passphraseFd } from "../options.ts";

interface PasswordOptions extends DataOptions {
  readonly lasting?: boolean;
  readonly passwordFd?: string;
}

/** Nobody else is to know a password; but one in an envelope for emergencies, or that whoever types it chooses for themselves, stays. */
const lasting = (): Option => new Option("--lasting", "the password need not be changed at the first log-in with it");

/** The commands for accounts. */
export function addAccountCommands(program: Command): void {
  const account = program
    .command("account")
    .description("accounts, while the bridge is stopped (the pages do it while it runs)");
  account
    .command("list")
    .description("list who may log in, and what each may do")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .option("--json", "print JSON")
    .action(async (options: DataOptions & { json?: boolean }) => (await import("../account.ts")).listAccounts(options));
  account
    .command("add")
    .description("make an account for an external system, and print its secret once")
    .argument("<name>")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .option("--live <camera...>", "cameras that it may watch live, or `any`")
    .option("--playback <camera...>", "cameras whose recordings it may play, or `any`")
    .option("--audio <camera...>", "cameras whose sound it may have with the picture, or `any`")
    .option("--metadata <camera...>", "cameras whose metadata it may have with the picture, or `any`")
    .option("--talk <camera...>", "cameras whose speaker it may use while it watches live, or `any`")
    .option("--snapshot <camera...>", "cameras of which it may fetch single pictures, or `any`")
    .option("--ptz <camera...>", "cameras that it may turn and zoom, or `any`")
    .option("--presets <camera...>", "cameras whose presets it may see and change, or `any`")
    .option("--imaging <camera...>", "cameras whose picture settings it may see and change, or `any`")
    .option("--encoding <camera...>", "cameras whose encoders it may set, for all who watch, or `any`")
    .option("--relay <camera...>", "cameras whose outputs it may switch, or `any`")
    .option("--person <name>", "it may what this person of a directory may, too, and is out with them")
    .option("--only-while-armed", "it is let in only while it is armed, which it is not yet")
    .addHelpText(
      "after",
      "\nExample:\n  viaduct account add control-room --config viaduct.yaml --live any --playback front-door gate",
    )
    .action(async (name: string, options: import("../account.ts").AddOptions) =>
      (await import("../account.ts")).addAccount(name, options),
    );
  account
    .command("add-person")
    .description("make an account for somebody who logs in at the pages; the password is asked for")
    .argument("<name>")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .option("--role <id...>", "the roles that they have: administrator, or those of `viaduct role list`")
    .addOption(lasting())
    .option("--password-fd <number>", "read the password from this file descriptor")
    .action(async (name: string, options: PasswordOptions & { role?: string[] }) =>
      (await import("../account.ts")).addPerson(name, options),
    );
  account
    .command("password")
    .description("give a person another password, which is asked for")
    .argument("<name>")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .addOption(lasting())
    .option("--password-fd <number>", "read the password from this file descriptor")
    .addHelpText(
      "after",
      "\nExample:\n  viaduct account password ada --config viaduct.yaml --password-fd 3 3< password.txt",
    )
    .action(async (name: string, options: PasswordOptions) =>
      (await import("../account.ts")).setPassword(name, options),
    );
  account
    .command("renew-secret")
    .description("make another secret for an external system, and print it once; the old one stops working")
    .argument("<name>")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .option("--overlap <time>", "the old one goes on to work for so long, 24h or 7d, 30 days at most")
    .action(async (name: string, options: DataOptions & { overlap?: string }) =>
      (await import("../account.ts")).renewSecret(name, options),
    );
  account
    .command("end-secret")
    .description("have the secret of before `renew-secret --overlap` stop working now")
    .argument("<name>")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .action(async (name: string, options: DataOptions) => (await import("../account.ts")).endSecret(name, options));
  account
    .command("arm")
    .description("let in an external system that is let in only while it is armed")
    .argument("<name>")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .requiredOption("--for <time>", "from now on, 30m or 8h; a minute at least, 24 hours at most")
    .addHelpText("after", "\nExample:\n  viaduct account arm control-room --config viaduct.yaml --for 8h")
    .action(async (name: string, options: DataOptions & { for: string }) =>
      (await import("../account.ts")).armAccount(name, options),
    );
  account
    .command("disarm")
    .description("end the time for which an external system is armed")
    .argument("<name>")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .action(async (name: string, options: DataOptions) => (await import("../account.ts")).disarmAccount(name, options));
  account
    .command("remove")
    .description("remove an account")
    .argument("<name>")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .action(async (name: string, options: DataOptions) => (await import("../account.ts")).removeAccount(name, options));

  account
    .command("change")
    .description("give an account other roles, let it in or keep it out")
    .argument("<name>")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .option("--role <id...>", "the roles that it has from now on")
    .option("--no-role", "take all roles away")
    .option("--enable", "let it log in")
    .option("--disable", "keep it out")
    .option("--only-while-armed", "let an external system in only while it is armed")
    .option("--no-only-while-armed", "let it in at any time")
    .addHelpText("after", "\nExample:\n  viaduct account change control-room --config viaduct.yaml --role guards")
    .action(async (name: string, options: import("../account.ts").ChangeOptions) =>
      (await import("../account.ts")).changeAccount(name, options),
    );
}
