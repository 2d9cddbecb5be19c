import type { Command } from "commander";
import type { PolicyKind } from "../../auth/policy.ts";
import type { DataOptions } from "../data.ts";
import { passphraseFd } from "../options.ts";
import type { GroupOptions, HoursOptions, Purpose, RoleOptions } from "../rights.ts";
import type { WhyOptions } from "../why.ts";

const CONFIG = ["--config <file>", "configuration, YAML"] as const;
const STOPPED = "while the bridge is stopped (the pages do it while it runs)";
const EXIT_CODES = "\nExit codes: 0 done, 1 there is no such thing or it is in use, 2 called wrongly.";

/** The commands for what rights are made of, and the one that says why. */
export function addRightsCommands(program: Command): void {
  addRoleCommands(program);
  addGroupCommands(program);
  addHoursCommands(program);
  program
    .command("why")
    .description(
      "say whether an account may do something at an instant, and why or why not, while the bridge is stopped",
    )
    .argument("<account>", "its name")
    .argument("<right>", "as in grants: live, playback, ptz, read-audit …")
    .argument("[camera]", "the id of the camera, for a right over cameras")
    .requiredOption("--interface <name>", "the door: web, api, onvif, rtsp or cli")
    .option("--at <instant>", "when, as 2026-11-29T03:00:00+01:00; now if absent")
    .option("--age <seconds>", "how old the footage is, for playback, search and export")
    .option("--json", "print JSON")
    .requiredOption(...CONFIG)
    .addOption(passphraseFd())
    .addHelpText(
      "after",
      `
Exit codes: 0 it may, 1 it may not (or there is no such account), 2 called wrongly.

Examples:
  viaduct why guard-room live gate --interface rtsp --at 2026-11-29T03:00:00+01:00 --config viaduct.yaml
  viaduct why anna read-audit --interface web --config viaduct.yaml --json`,
    )
    .action(async (account: string, right: string, camera: string | undefined, options: WhyOptions) =>
      (await import("../why.ts")).why(account, right, camera, options),
    );
}

function addRoleCommands(program: Command): void {
  const role = program.command("role").description(`roles: grants under a name, ${STOPPED}`);
  addListAndRemove(role, "role");
  for (const purpose of ["add", "change"] as const)
    partCommand(role, "role", purpose)
      .option("--grant <line...>", "what its holders may do; with change, instead of all that it has")
      .option("--add-grant <line...>", "besides what it has")
      .option("--second-factor", "people with it must have a second factor")
      .option("--no-second-factor", "they need not, as far as this role goes")
      .addHelpText(
        "after",
        `
A line is: [deny] RIGHT [on CAMERAS] [except CAMERAS] [through INTERFACES] [at HOURS] [within AGE] [from INSTANT] [until INSTANT]
Cameras are any, or ids and groups with commas: gate,group:outside. An age is like 90s, 15m, 2h or 30d.
${EXIT_CODES}

Examples:
  viaduct role add guards --config viaduct.yaml --grant "live on group:outside at office" "playback on any within 2h"
  viaduct role change guards --config viaduct.yaml --add-grant "deny ptz on gate"`,
      )
      .action(async (id: string, options: RoleOptions) => (await import("../rights.ts")).setRole(purpose, id, options));
}

function addGroupCommands(program: Command): void {
  const group = program.command("group").description(`camera groups, ${STOPPED}`);
  addListAndRemove(group, "group");
  for (const purpose of ["add", "change"] as const)
    partCommand(group, "group", purpose)
      .option("--camera <id...>", "its cameras; with change, instead of all that it has")
      .option("--no-camera", "leave no camera in it")
      .option("--parent <group>", "the group that it is in: what is granted on that one holds here too")
      .option("--no-parent", "let it be in none")
      .addHelpText(
        "after",
        `${EXIT_CODES}

Example:
  viaduct group ${purpose} outside --config viaduct.yaml --name Outside --camera gate yard --parent site`,
      )
      .action(async (id: string, options: GroupOptions) =>
        (await import("../rights.ts")).setGroup(purpose, id, options),
      );
}

function addHoursCommands(program: Command): void {
  const hours = program.command("hours").description(`time profiles: hours at which grants hold, ${STOPPED}`);
  addListAndRemove(hours, "hours");
  for (const purpose of ["add", "change"] as const)
    partCommand(hours, "hours", purpose)
      .option("--zone <name>", "time zone of the clock on the wall: Europe/Copenhagen")
      .option("--week <line...>", "hours of the week, as `mon-fri 08:00-16:30`; with change, instead of all")
      .option("--no-week", "no hours in the week")
      .option(
        "--except <line...>",
        "days with other hours, as `2026-12-24..2026-12-26 closed`; with change, instead of all",
      )
      .option("--no-except", "no such days")
      .addHelpText(
        "after",
        `
A window whose end is not after its beginning goes on into the next day.
${EXIT_CODES}

Example:
  viaduct hours ${purpose} office --config viaduct.yaml --zone Europe/Copenhagen --week "mon-fri 08:00-16:30" --except "2026-12-24 closed"`,
      )
      .action(async (id: string, options: HoursOptions) =>
        (await import("../rights.ts")).setHours(purpose, id, options),
      );
}

function addListAndRemove(parent: Command, kind: PolicyKind): void {
  parent
    .command("list")
    .description("list them, and what each is made of")
    .requiredOption(...CONFIG)
    .addOption(passphraseFd())
    .option("--json", "print JSON")
    .action(async (options: DataOptions & { json?: boolean }) =>
      (await import("../rights.ts")).listParts(kind, options),
    );
  parent
    .command("remove")
    .description("remove one that nothing names any more")
    .argument("<id>")
    .requiredOption(...CONFIG)
    .addOption(passphraseFd())
    .addHelpText("after", `${EXIT_CODES}\n\nExample:\n  viaduct ${kind} remove old --config viaduct.yaml`)
    .action(async (id: string, options: DataOptions) => (await import("../rights.ts")).removePart(kind, id, options));
}

function partCommand(parent: Command, kind: PolicyKind, purpose: Purpose): Command {
  const what = purpose === "add" ? "make one" : "change one; what is not said stays as it is";
  return parent
    .command(purpose)
    .description(what)
    .argument("<id>", `what names the ${kind === "hours" ? "profile" : kind} in grants: up to 64 of a-z, 0-9 and -`)
    .requiredOption(...CONFIG)
    .addOption(passphraseFd())
    .option("--name <name>", "for people; its id if it never had one");
}
