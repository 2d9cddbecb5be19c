import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { asFault } from "../base/fault.ts";
import { withoutUserInfo } from "../base/log.ts";
import { addRightsCommands } from "./rights-commands.ts";

// What was compiled once is kept beside the packages, where only who installs may write: a command starts in two thirds of the time.
enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/viaduct"));

/** Exit codes: 0 done, 1 failed, 2 called wrongly. */
const EXIT = { failed: 1, usage: 2 };

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as {
  version: string;
};

/** For commands that open the data folder. */
function passphraseFd(): Option {
  return new Option("--passphrase-fd <number>", "read the passphrase of the master key from this file descriptor");
}

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

const doctor = program.command("doctor").description("say in words what does not work, and what to do");
doctor
  .command("camera")
  .description("look at a camera as adopting and pulling it would; nothing is changed")
  .argument("<address>", "its IP address, or the address of its ONVIF service")
  .option("--interface <address...>", "own address on a camera network, or the network; default: all")
  .option("--user <name>", "the camera's user; its password is read from VIADUCT_CAMERA_PASSWORD")
  .option("--plain-text", "it may be spoken to without TLS: everybody on its network can see its pictures")
  .option("--json", "print JSON")
  .action(async (address: string, options: import("./doctor.ts").DoctorOptions) =>
    (await import("./doctor.ts")).examine(address, options),
  );
doctor
  .command("client")
  .description("say what external systems were refused lately, why, and what to do, whether the bridge runs or not")
  .argument("[client]", "the account of one, or its IP address")
  .requiredOption("--config <file>", "configuration, YAML")
  .option("--json", "print JSON")
  .addHelpText(
    "after",
    `
Log-ins that fail, rights that are missing, transports that are switched off, operations that are not there, TLS that does not come
about. The newest first; the bridge writes them down within five seconds.

Exit codes: 0 nothing was refused, 1 something was, 2 called wrongly.

Examples:
  viaduct doctor client --config /etc/viaduct.yaml
  viaduct doctor client 10.2.0.9 --config /etc/viaduct.yaml --json`,
  )
  .action(async (client: string | undefined, options: { config: string; json?: boolean }) =>
    (await import("./doctor-client.ts")).examineClients(client, options),
  );

const sim = program.command("sim").description("simulated cameras, for trying and testing");
sim
  .command("camera")
  .description("run one simulated ONVIF camera until it is stopped")
  .option("--name <name>", "its name", "Simulated camera")
  .option("--address <address>", "address to listen on", "127.0.0.1")
  .option("--port <port>", "ONVIF port; 0: any", "0")
  .option("--rtsp-port <port>", "RTSP port; 0: any", "0")
  .option("--discovery-port <port>", "where it listens for WS-Discovery probes; off if absent")
  .option("--user <name>", "its user", "admin")
  .option("--size <WxH>", "picture size", "640x360")
  .option("--fps <count>", "pictures a second", "15")
  .option("--controls", "with a moved head, picture settings, a relay, an input and snapshots")
  .option("--transport <way...>", "by which alone it sends: tcp, udp, http, multicast; by all if absent")
  .option("--quirk <name...>", "a fault of real cameras to show; see `viaduct sim quirks`")
  .addHelpText(
    "after",
    "\nThe camera's password is read from VIADUCT_SIM_PASSWORD; without it one is made and printed.\n\nExample:\n  viaduct sim camera --port 8000 --quirk clock-off\n  viaduct sim camera --transport http multicast",
  )
  .action(async (options: import("./sim.ts").SimOptions) => (await import("./sim.ts")).simCamera(options));
sim
  .command("quirks")
  .description("list the faults that a simulated camera can show")
  .action(async () => (await import("./sim.ts")).listQuirks());

const config = program.command("config").description("the configuration file");
config
  .command("example")
  .description("print a configuration to begin with")
  .action(async () => (await import("./config.ts")).printExample());
config
  .command("check")
  .description("read a configuration and say what is wrong with it, with line numbers")
  .argument("<file>", "the file; - for standard input")
  .action(async (file: string) => (await import("./config.ts")).checkConfig(file));
config
  .command("schema")
  .description("print the JSON Schema of the configuration, for editors")
  .action(async () => (await import("./config.ts")).printSchema());

const account = program
  .command("account")
  .description("accounts, while the bridge is stopped (the pages do it while it runs)");
account
  .command("list")
  .description("list who may log in, and what each may do")
  .requiredOption("--config <file>", "configuration, YAML")
  .addOption(passphraseFd())
  .option("--json", "print JSON")
  .action(async (options: import("./data.ts").DataOptions & { json?: boolean }) =>
    (await import("./account.ts")).listAccounts(options),
  );
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
  .option("--relay <camera...>", "cameras whose outputs it may switch, or `any`")
  .option("--person <name>", "it may what this person of a directory may, too, and is out with them")
  .addHelpText(
    "after",
    "\nExample:\n  viaduct account add control-room --config viaduct.yaml --live any --playback front-door gate",
  )
  .action(async (name: string, options: import("./account.ts").AddOptions) =>
    (await import("./account.ts")).addAccount(name, options),
  );
account
  .command("remove")
  .description("remove an account")
  .argument("<name>")
  .requiredOption("--config <file>", "configuration, YAML")
  .addOption(passphraseFd())
  .action(async (name: string, options: import("./data.ts").DataOptions) =>
    (await import("./account.ts")).removeAccount(name, options),
  );

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
  .addHelpText("after", "\nExample:\n  viaduct account change control-room --config viaduct.yaml --role guards")
  .action(async (name: string, options: import("./account.ts").ChangeOptions) =>
    (await import("./account.ts")).changeAccount(name, options),
  );

addRightsCommands(program);

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
    .action(async (options: import("./directory.ts").DirectoryCommandOptions) =>
      (await import("./directory.ts"))[run](options),
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
  .action(async (options: import("./directory.ts").DirectoryCommandOptions & { confirm?: boolean }) =>
    (await import("./directory.ts")).syncDirectories(options),
  );
directory
  .command("explain")
  .description("say how somebody comes by their roles: groups, roles, rights")
  .argument("<user>", "the name to log in with")
  .requiredOption("--config <file>", "configuration, YAML")
  .option("--directory <name>", "one of several directories")
  .addOption(passphraseFd())
  .option("--json", "print JSON, by the name of the directory")
  .action(async (user: string, options: import("./directory.ts").DirectoryCommandOptions) =>
    (await import("./directory.ts")).explainUser(user, options),
  );
directory
  .command("password")
  .description("keep the password of the account that reads a directory, sealed")
  .argument("<name>", "the directory")
  .requiredOption("--config <file>", "configuration, YAML")
  .option("--password-fd <number>", "read the password from this file descriptor")
  .addOption(passphraseFd())
  .action(async (name: string, options: import("./data.ts").DataOptions & { passwordFd?: string }) =>
    (await import("./directory.ts")).keepPassword(name, options),
  );

const camera = program
  .command("camera")
  .description("cameras, while the bridge is stopped (the pages do it while it runs)");
camera
  .command("list")
  .description("list the adopted cameras")
  .requiredOption("--config <file>", "configuration, YAML")
  .addOption(passphraseFd())
  .option("--json", "print JSON")
  .action(async (options: import("./data.ts").DataOptions & { json?: boolean }) =>
    (await import("./camera.ts")).listCameras(options),
  );
camera
  .command("add")
  .description("adopt a camera by its RTSP address, or by its IP address where it has ONVIF")
  .argument("<address>")
  .requiredOption("--config <file>", "configuration, YAML")
  .addOption(passphraseFd())
  .option("--name <name>", "how operators know it; default: its own name")
  .option("--user <name>", "the camera's user; the password is read from VIADUCT_CAMERA_PASSWORD")
  .option("--transport <way>", "auto, tcp, udp, http or multicast", "auto")
  .option("--plain-text", "it may be spoken to without TLS: everybody on its network can see its pictures")
  .addHelpText(
    "after",
    "\nExamples:\n  viaduct camera add rtsps://10.1.0.9/stream --config viaduct.yaml --user service\n  viaduct camera add 10.1.0.9 --config viaduct.yaml --user service --plain-text",
  )
  .action(async (address: string, options: import("./camera.ts").AddCameraOptions) =>
    (await import("./camera.ts")).addCamera(address, options),
  );
camera
  .command("transport")
  .description("choose how a camera is asked to send")
  .argument("<camera>", "its id")
  .argument("<way>", "auto, tcp, udp, http or multicast")
  .requiredOption("--config <file>", "configuration, YAML")
  .addOption(passphraseFd())
  .action(async (id: string, way: string, options: import("./data.ts").DataOptions) =>
    (await import("./camera.ts")).setCameraTransport(id, way, options),
  );
camera
  .command("change")
  .description("choose when a stream of a camera is recorded and pulled, and what of the camera is kept")
  .argument("<camera>", "its id")
  .requiredOption("--config <file>", "configuration, YAML")
  .option("--stream <name>", "main, sub, …", "main")
  .option("--record <mode>", "off, continuous, schedule or events")
  .option("--hours <file>", "JSON of a time profile: the hours of a schedule, or in which events count")
  .option("--event <what...>", "motion, digital-input, …, or a topic as tns1:RuleEngine/LineDetector; default: motion")
  .option("--before <seconds>", "what was before the event and is recorded, 0 to 60; default: 5")
  .option("--after <seconds>", "how long recording goes on after it, 1 to 3600; default: 10")
  .option("--pull <when>", "always, or on-demand: while somebody watches, or it is to be recorded")
  .option("--min-days <days>", "younger recordings of the camera are deleted only where nothing else can be")
  .option("--max-days <days>", "older recordings of the camera are deleted")
  .option("--max-gigabytes <size>", "the oldest recordings of the camera are deleted beyond this (10^9 bytes)")
  .addHelpText(
    "after",
    "\nExamples:\n  viaduct camera change gate --config viaduct.yaml --record events --event motion digital-input\n  viaduct camera change gate --config viaduct.yaml --record schedule --hours office.json",
  )
  .addOption(passphraseFd())
  .action(async (id: string, options: import("./change-camera.ts").ChangeCameraOptions) =>
    (await import("./change-camera.ts")).changeCamera(id, options),
  );
camera
  .command("remove")
  .description("remove a camera; its recordings stay until they are too old")
  .argument("<camera>", "its id")
  .requiredOption("--config <file>", "configuration, YAML")
  .addOption(passphraseFd())
  .action(async (id: string, options: import("./data.ts").DataOptions) =>
    (await import("./camera.ts")).removeCamera(id, options),
  );

program
  .command("check")
  .description("compare catalog and recordings while the bridge is stopped, and say where they disagree")
  .requiredOption("--config <file>", "configuration, YAML")
  .addOption(passphraseFd())
  .option("--verify", "also read all recordings and compare them with their hashes: as long as reading takes")
  .option("--times", "say instead how the times of each stream's recordings are known")
  .option("--json", "print JSON: a list of { file, what }, or of { camera, stream, times }")
  .addHelpText(
    "after",
    `
Nothing is changed. What is damaged or missing is listed by file, below the folder of the recordings; the exit code is 1
then. What a crash left unfinished is no finding: the next start finishes it.

Examples:
  viaduct check --config /etc/viaduct.yaml
  viaduct check --config /etc/viaduct.yaml --verify --json`,
  )
  .action(async (options: import("./check.ts").CheckOptions) => (await import("./check.ts")).check(options));

const audit = program.command("audit").description("the audit log, also while the bridge runs, and copies of it");
/** For commands that print entries. */
function withFilters(command: Command): Command {
  return command
    .option("--from <time>", "not before: 2026-11-24, or 2026-11-24T13:05:00+01:00")
    .option("--to <time>", "before")
    .option("--who <name>", "of this account")
    .option("--action <action>", "log-in, live, playback, make-account …")
    .option("--camera <camera>", "by its id")
    .option("--interface <interface>", "web, api, onvif, rtsp or cli")
    .option("--outcome <outcome>", "allowed, denied or failed")
    .option("--address <address>", "from this IP address")
    .option("--text <text>", "with this in any value");
}
audit
  .command("verify")
  .description("say whether an entry was changed, removed or added: its hashes, numbers and signatures, offline")
  .argument("<path>", "the data folder, a folder with copies of the log's files, or one file")
  .option(
    "--certificate <file...>",
    "the certificate that must have signed: evidence-cert.pem of the bridge, and those before it",
  )
  .option("--kept <file>", "lines of the log that were kept elsewhere and must stand in it: shows a cut at the end")
  .option("--json", "print JSON: { entries, first, last, broken: { file, line, why } or null, signers, unsigned }")
  .addHelpText(
    "after",
    `
Lines that are cut off at the end show where a later line was kept elsewhere, as syslog receivers do, or with --kept.

Exit codes: 0 as it was written, 1 tampered with, 2 called wrongly, 3 whole but not signed.

Examples:
  viaduct audit verify /var/lib/viaduct --certificate evidence-cert.pem
  viaduct audit verify /mnt/copies/audit --kept checkpoints.log --json`,
  )
  .action(async (path: string, options: Parameters<typeof import("./audit.ts").verify>[1]) =>
    (await import("./audit.ts")).verify(path, options),
  );
withFilters(
  audit
    .command("show")
    .description("print the newest entries, or the newest of those that are asked for")
    .argument("<path>", "the data folder, a folder with copies of the log's files, or one file"),
)
  .option("--last <count>", "how many at most", "100")
  .option("--json", "print JSON: a list of entries")
  .addHelpText(
    "after",
    "\nExample:\n  viaduct audit show /var/lib/viaduct --who vms --outcome denied --from 2026-11-24",
  )
  .action(async (path: string, options: Parameters<typeof import("./audit.ts").show>[1]) =>
    (await import("./audit.ts")).show(path, options),
  );
withFilters(
  audit
    .command("export")
    .description("print all entries that are asked for, the oldest first, for other programs")
    .argument("<path>", "the data folder, a folder with copies of the log's files, or one file"),
)
  .option("--format <format>", "json: lines as they stand; csv; cef: Common Event Format; syslog: RFC 5424", "json")
  .option("--out <file>", "where it goes, which must not exist; standard output if absent")
  .addHelpText(
    "after",
    "\nExample:\n  viaduct audit export /var/lib/viaduct --format csv --from 2026-11-01 --out november.csv",
  )
  .action(async (path: string, options: Parameters<typeof import("./audit.ts").exportAudit>[1]) =>
    (await import("./audit.ts")).exportAudit(path, options, version),
  );

program
  .command("verify")
  .description(
    "compare recordings or an export with their signatures, offline: which second is as it was recorded, and what happened to the rest",
  )
  .argument("<paths...>", "files and folders of recordings; or one export, a folder or a ZIP file")
  .option("--certificate <file>", "the certificate that must have signed: evidence-cert.pem of the bridge")
  .option("--config <file>", "configuration of a stopped bridge, whose keys open what is encrypted")
  .addOption(passphraseFd())
  .option("--password-fd <number>", "read the password of an encrypted export from this file descriptor")
  .option("--json", "print JSON")
  .addHelpText(
    "after",
    `
Needs neither a running bridge nor its catalog. Verdicts: ok, recovered, changed, missing, inserted, reordered, re-timed,
from another camera, unsigned, locked (signature and times are good; the content is encrypted and was not compared), unreadable.

Exit codes: 0 as it was recorded, 1 tampered with, 2 called wrongly, 3 unsigned, locked or unreadable.

Examples:
  viaduct verify gate.mp4 --certificate evidence-cert.pem
  viaduct verify /var/lib/viaduct/recordings/gate --config /etc/viaduct.yaml --json
  viaduct verify gate.zip --certificate evidence-cert.pem`,
  )
  .action(async (paths: string[], options: import("./verify.ts").VerifyOptions) =>
    (await import("./verify.ts")).verify(paths, options),
  );

program
  .command("export")
  .description(
    "export recordings of a stopped bridge, signed, for whoever has only public tools (the pages do it while it runs)",
  )
  .requiredOption("--config <file>", "configuration, YAML")
  .requiredOption(
    "--camera <id...>",
    "cameras, by their ids; also ones that are removed, as long as their recordings are there",
  )
  .requiredOption("--from <time>", "beginning, with its zone: 2026-11-24T13:05:00Z")
  .requiredOption("--to <time>", "end, likewise")
  .requiredOption("--out <path>", "ZIP file, or with --no-password a folder; it must not exist")
  .option("--reason <text>", "why, for whoever reads it: a case number", "")
  .option("--without <what...>", "leave out audio, metadata")
  .option("--no-password", "do not encrypt")
  .option("--password-fd <number>", "read the password from this file descriptor; otherwise one is made and shown once")
  .addOption(passphraseFd())
  .option("--json", "print JSON: { out, password, manifest }")
  .addHelpText(
    "after",
    `
An encrypted ZIP file (AES-256) opens with 7-Zip and WinZip, not with Windows' own folders. README.txt in it says how to check
it with openssl, sha256sum and ffprobe; viewer.html plays it offline. What is missing is said with its reason.

Examples:
  viaduct export --config viaduct.yaml --camera gate --from 2026-11-24T13:05:00Z --to 2026-11-24T13:20:00Z --out gate.zip --reason "case 117"
  viaduct export --config viaduct.yaml --camera gate yard --from 2026-11-24T13:00Z --to 2026-11-24T14:00Z --out case-117 --no-password`,
  )
  .action(async (options: import("./export.ts").ExportOptions) =>
    (await import("./export.ts")).exportRecordings(options, version),
  );

program
  .command("decrypt")
  .description("write one recorded file without its encryption, while the bridge is stopped: an MP4 for any player")
  .argument("<file>", "a file of the recordings")
  .requiredOption("--config <file>", "configuration, YAML")
  .requiredOption("--out <file>", "where it goes; it must not exist")
  .addOption(passphraseFd())
  .addHelpText(
    "after",
    "\nExample:\n  viaduct decrypt recordings/gate/2026-11-24/13/05-09.120Z-0.mp4 --config viaduct.yaml --out gate.mp4",
  )
  .action(async (file: string, options: import("./decrypt.ts").DecryptOptions) =>
    (await import("./decrypt.ts")).decrypt(file, options),
  );

const keys = program.command("keys").description("the keys of recordings, while the bridge is stopped");
keys
  .command("status")
  .description("say which keys there are, and who can open them")
  .requiredOption("--config <file>", "configuration, YAML")
  .addOption(passphraseFd())
  .option("--json", "print JSON")
  .action(async (options: import("./data.ts").DataOptions) => (await import("./keys.ts")).keysStatus(options));
keys
  .command("rotate")
  .description("make a new master key; recordings are not touched")
  .requiredOption("--config <file>", "configuration, YAML")
  .addOption(passphraseFd())
  .option("--to-passphrase", "put it under a passphrase, which is asked for at every start")
  .option("--to-file", "put it in master.key without a passphrase")
  .option("--new-passphrase-fd <number>", "read the new passphrase from this file descriptor")
  .addHelpText("after", "\nExample:\n  viaduct keys rotate --config viaduct.yaml --to-passphrase")
  .action(async (options: import("./keys.ts").RotateOptions) => (await import("./keys.ts")).rotateKeys(options));
keys
  .command("recovery")
  .description("make a recovery key, which opens all recordings should the master key be lost")
  .requiredOption("--config <file>", "configuration, YAML")
  .requiredOption("--out <file>", "where its private half goes; it must not exist")
  .addOption(passphraseFd())
  .action(async (options: import("./data.ts").DataOptions & { out: string }) =>
    (await import("./keys.ts")).makeRecoveryKey(options),
  );
keys
  .command("write-only")
  .description("let this machine record what it cannot play: whoever takes it sees nothing")
  .requiredOption("--config <file>", "configuration, YAML")
  .option("--out <file>", "where the private key goes; it must not exist")
  .option("--off", "let it play again what it records from now on")
  .addOption(passphraseFd())
  .action(async (options: import("./data.ts").DataOptions & { out?: string; off?: boolean }) =>
    (await import("./keys.ts")).writeOnly(options),
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
  .action(async (options: import("./data.ts").DataOptions & { privateKey: string; lostMaster?: boolean }) =>
    (await import("./keys.ts")).restoreKeys(options),
  );

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
    process.stderr.write(`viaduct: ${withoutUserInfo(fault.tell ?? fault.message)}\n`);
    if (fault.kind === "internal")
      process.stderr.write(`${withoutUserInfo((fault.cause as Error | undefined)?.stack ?? fault.stack ?? "")}\n`);
    process.exitCode = fault.kind === "invalid" ? EXIT.usage : EXIT.failed;
  }
}
