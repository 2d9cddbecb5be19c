import type { Command } from "commander";

/** The command for the mail server. */
export function addMailCommands(program: Command): void {
  program
    .command("mail")
    .description("the server that codes to log in with are given to as e-mail")
    .command("test")
    .description("send a message as codes are sent, and say what came of it")
    .argument("<address>", "an e-mail address of yours")
    .requiredOption("--config <file>", "configuration, YAML")
    .addHelpText("after", "\nExample:\n  viaduct mail test anna@example.org --config viaduct.yaml")
    .action(async (address: string, options: { readonly config: string }) =>
      (await import("../mail.ts")).testMail(address, options),
    );
}
