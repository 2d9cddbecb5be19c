import type { Command } from "commander";

/** The command for the SMS gateway. */
export function addSmsCommands(program: Command): void {
  program
    .command("sms")
    .description("the gateway that codes to log in with are given to as SMS")
    .command("test")
    .description("send an SMS as codes are sent, and say what came of it; it may cost something")
    .argument("<number>", "a telephone number of yours with its country, as +4512345678")
    .requiredOption("--config <file>", "configuration, YAML")
    .addHelpText("after", "\nExample:\n  viaduct sms test +4512345678 --config viaduct.yaml")
    .action(async (number: string, options: { readonly config: string }) =>
      (await import("../sms.ts")).testSms(number, options),
    );
}
