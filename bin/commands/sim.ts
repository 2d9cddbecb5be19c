import type { Command } from "commander";

/** The commands that simulate cameras. */
export function addSimCommands(program: Command): void {
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
    .option("--play <file>", "an H.264 byte stream that it shows over and over, instead of a drawn picture of --size")
    .option("--controls", "with a moved head, picture settings, a relay, an input and snapshots")
    .option("--card [both]", "with a card on which it records its main stream, or both, to fill gaps from (Profile G)")
    .option("--transport <way...>", "by which alone it sends: tcp, udp, http, multicast; by all if absent")
    .option("--quirk <name...>", "a fault of real cameras to show; see `viaduct sim quirks`")
    .addHelpText(
      "after",
      "\nThe camera's password is read from VIADUCT_SIM_PASSWORD; without it one is made and printed.\n\nExample:\n  viaduct sim camera --port 8000 --quirk clock-off\n  viaduct sim camera --transport http multicast",
    )
    .action(async (options: import("../sim.ts").SimOptions) => (await import("../sim.ts")).simCamera(options));
  sim
    .command("quirks")
    .description("list the faults that a simulated camera can show")
    .action(async () => (await import("../sim.ts")).listQuirks());
}
