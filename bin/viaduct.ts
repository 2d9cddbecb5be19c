import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Command, CommanderError, Option } from "commander";
import { asFault } from "../base/fault.ts";
import { withoutLogIns } from "../base/log.ts";
import { printed } from "../base/printed.ts";
import { addAccountCommands } from "./commands/account.ts";
import { addApprovalCommands } from "./commands/approval.ts";
import { addAuditCommands } from "./commands/audit.ts";
import { addCameraCommands } from "./commands/camera.ts";
import { addConfigCommands } from "./commands/config.ts";
import { addDirectoryCommands } from "./commands/directory.ts";
import { addDoctorCommands } from "./commands/doctor.ts";
import { addKeysCommands } from "./commands/keys.ts";
import { addMailCommands } from "./commands/mail.ts";
import { addRecordingCommands } from "./commands/recording.ts";
import { addRightsCommands } from "./commands/rights.ts";
import { addSimCommands } from "./commands/sim.ts";
import { addSmsCommands } from "./commands/sms.ts";
import { addTokenCommands } from "./commands/token.ts";
import { passphraseFd } from "./options.ts";

// What was compiled once is kept beside the packages, where only who installs may write: a command starts in two thirds of the time.
enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/viaduct"));

// The collector looks through the whole heap when it is two and a half times what was in use the last time. V8 would wait until it is nearly four times that.
setFlagsFromString("--heap-growing-percent=150");

/** Exit codes: 0 done, 1 failed, 2 called wrongly. */
const EXIT = { failed: 1, usage: 2 };

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as {
  version: string;
};

const program = new Command("viaduct")
  .description(
    "Finds and records IP cameras, and shows them to other systems as one authenticated ONVIF and RTSP endpoint.",
  )
  .version(version)
  .showHelpAfterError("(add --help for what there is)")
  .exitOverride()
  .addHelpText(
    "after",
    `
Examples:
  viaduct demo                                try it, with simulated cameras
  viaduct serve --config /etc/viaduct.yaml    run it
  viaduct discover --interface 10.1.0.0/24    list the cameras of a network

Exit codes: 0 done, 1 failed, 2 called wrongly.`,
  );

program
  .command("demo")
  .description("run with simulated cameras that are found and adopted, and with log-ins made for this run")
  .option("--cameras <count>", "how many cameras to simulate, 1 to 16", "4")
  .option("--listen <address>", "address for clients", "127.0.0.1")
  .option("--data <folder>", "keep what is recorded here; otherwise it is deleted at the end")
  .option("--verbose", "log to standard error")
  .action(async (options: import("./demo.ts").DemoOptions) => (await import("./demo.ts")).demo(options, version));

program
  .command("serve")
  .description("run the bridge")
  .requiredOption("--config <file>", "configuration, YAML")
  .addOption(passphraseFd())
  .addHelpText("after", "\n`viaduct config example` prints a configuration to begin with.")
  .action(async (options: import("./serve.ts").ServeOptions) => (await import("./serve.ts")).serve(options, version));

program
  .command("discover")
  .description("ask the camera networks which cameras there are")
  .argument("[targets...]", "addresses and ranges to ask one by one: 10.1.4.20 10.1.5.0/24")
  .option("--interface <address...>", "own address on a camera network, or the network; default: all")
  .option("--seconds <count>", "how long to listen", "4")
  .option("--json", "print JSON")
  .addOption(new Option("--port <port>", "where cameras listen").default("3702").hideHelp())
  .addHelpText("after", "\nExamples:\n  viaduct discover\n  viaduct discover 10.1.5.0/24 --json")
  .action(async (targets: string[], options: import("./discover.ts").DiscoverOptions) =>
    (await import("./discover.ts")).discover(targets, options),
  );

addDoctorCommands(program);
addSimCommands(program);
addConfigCommands(program);
addAccountCommands(program);
addTokenCommands(program);
addRightsCommands(program);
addDirectoryCommands(program);
addMailCommands(program);
addSmsCommands(program);
addCameraCommands(program);
addRecordingCommands(program);
addApprovalCommands(program);
addAuditCommands(program);
addKeysCommands(program);

// Whoever reads the output may have read enough: `viaduct config schema | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  } else {
    const fault = asFault(error);
    const lines = withoutLogIns(fault.tell ?? fault.message).split("\n");
    process.stderr.write(`viaduct: ${lines.map(printed).join("\n")}\n`);
    if (fault.kind === "internal")
      process.stderr.write(`${withoutLogIns((fault.cause as Error | undefined)?.stack ?? fault.stack ?? "")}\n`);
    process.exitCode = fault.kind === "invalid" ? EXIT.usage : EXIT.failed;
  }
}
