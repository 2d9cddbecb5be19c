import type { Command } from "commander";
import type { DataOptions } from "../data.ts";
import { passphraseFd } from "../options.ts";
import type { AddTokenOptions } from "../token.ts";

const CONFIG = ["--config <file>", "configuration, YAML"] as const;

/** The commands for tokens of accounts. */
export function addTokenCommands(program: Command): void {
  const token = program
    .command("token")
    .description("tokens for programs that use the API, while the bridge is stopped (the pages do it while it runs)");
  token
    .command("list")
    .description("list the tokens of an account, and when each was used last")
    .argument("<account>", "its name")
    .requiredOption(...CONFIG)
    .addOption(passphraseFd())
    .option("--json", "print JSON")
    .action(async (account: string, options: DataOptions & { json?: boolean }) =>
      (await import("../token.ts")).listTokens(account, options),
    );
  token
    .command("add")
    .description("make a token that may what the account may, and print it once")
    .argument("<account>", "the name of the account")
    .argument("<name>", "what the token is for")
    .requiredOption(...CONFIG)
    .addOption(passphraseFd())
    .option("--interface <name...>", "where it is taken: api, onvif, rtsp; default: api")
    .option("--from <network...>", "addresses and networks from which alone it is taken; default: all")
    .option("--certificate <file>", "a client's own certificate (PEM), in the place of a secret; good until it expires")
    .option("--expires <when>", "in days, as 90d; at an instant, as 2027-01-31T00:00:00Z; or never; default: 365d")
    .addHelpText(
      "after",
      "\nExample:\n  viaduct token add monitoring status-page --from 10.2.0.0/24 --expires 90d --config viaduct.yaml",
    )
    .action(async (account: string, name: string, options: AddTokenOptions) =>
      (await import("../token.ts")).addToken(account, name, options),
    );
  token
    .command("remove")
    .description("revoke a token")
    .argument("<account>", "the name of the account")
    .argument("<name>", "that of the token")
    .requiredOption(...CONFIG)
    .addOption(passphraseFd())
    .action(async (account: string, name: string, options: DataOptions) =>
      (await import("../token.ts")).removeToken(account, name, options),
    );
}
