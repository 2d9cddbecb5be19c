import type { Command } from "commander";

/** The commands that say what is wrong with a camera or a client. */
export function addDoctorCommands(program: Command): void {
  const doctor = program.command("doctor").description("say in words what does not work, and what to do");
  doctor
    .command("camera")
    .description("look at a camera as adopting and pulling it would; nothing is changed")
    .argument("<address>", "its IP address, or the address of its ONVIF service")
    .option("--interface <address...>", "own address on a camera network, or the network; default: all")
    .option("--user <name>", "the camera's user; its password is read from VIADUCT_CAMERA_PASSWORD")
    .option("--plain-text", "it may be spoken to without TLS: everybody on its network can see its pictures")
    .option("--json", "print JSON")
    .action(async (address: string, options: import("../doctor.ts").DoctorOptions) =>
      (await import("../doctor.ts")).examine(address, options),
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
      (await import("../doctor-client.ts")).examineClients(client, options),
    );
}
