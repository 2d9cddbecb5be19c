import type { Command } from "commander";

/** The commands for requests that wait for a second person. */
export function addApprovalCommands(program: Command): void {
  const approval = program
    .command("approval")
    .description("what waits for a second person, while the bridge is running (the pages do it too)");
  const of = (name: string, description: string): Command =>
    approval
      .command(name)
      .description(description)
      .requiredOption("--config <file>", "configuration, YAML")
      .requiredOption("--user <name>", "who approves or refuses: a person with the right approve on the interface cli")
      .option("--password-fd <number>", "read the password from this file descriptor")
      .option("--code <code>", "of the second factor, for who has one")
      .addHelpText(
        "after",
        "\nThe password is asked for at the terminal. Exit codes: 0 done, 1 not allowed or not there, 2 called wrongly.",
      );
  of("list", "list what waits, and what was answered")
    .option("--json", "print JSON")
    .action(async (options: import("../approval.ts").ApprovalOptions & { json?: boolean }) =>
      (await import("../approval.ts")).listApprovals(options),
    );
  of("approve", "approve what somebody else asks for")
    .argument("<id>", "as list prints it")
    .action(async (id: string, options: import("../approval.ts").ApprovalOptions) =>
      (await import("../approval.ts")).answerApproval(id, "approved", options),
    );
  of("refuse", "refuse it")
    .argument("<id>", "as list prints it")
    .option("--why <text>", "for who has asked, and for the audit log")
    .action(async (id: string, options: import("../approval.ts").ApprovalOptions) =>
      (await import("../approval.ts")).answerApproval(id, "refused", options),
    );
}
