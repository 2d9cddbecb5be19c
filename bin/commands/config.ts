import type { Command } from "commander";

/** The commands for the configuration file. */
export function addConfigCommands(program: Command): void {
  const config = program.command("config").description("the configuration file");
  config
    .command("example")
    .description("print a configuration to begin with")
    .action(async () => (await import("../config.ts")).printExample());
  config
    .command("check")
    .description("read a configuration and say what is wrong with it, with line numbers")
    .argument("<file>", "the file; - for standard input")
    .action(async (file: string) => (await import("../config.ts")).checkConfig(file));
  config
    .command("schema")
    .description("print the JSON Schema of the configuration, for editors")
    .action(async () => (await import("../config.ts")).printSchema());
}
