import type { Command } from "commander";
import { passphraseFd } from "../options.ts";

/** The commands for cameras. */
export function addCameraCommands(program: Command): void {
  const camera = program
    .command("camera")
    .description("cameras, while the bridge is stopped (the pages do it while it runs)");
  camera
    .command("list")
    .description("list the adopted cameras")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .option("--json", "print JSON")
    .action(async (options: import("../data.ts").DataOptions & { json?: boolean }) =>
      (await import("../camera.ts")).listCameras(options),
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
    .action(async (address: string, options: import("../camera.ts").AddCameraOptions) =>
      (await import("../camera.ts")).addCamera(address, options),
    );
  camera
    .command("transport")
    .description("choose how a camera is asked to send")
    .argument("<camera>", "its id")
    .argument("<way>", "auto, tcp, udp, http or multicast")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .action(async (id: string, way: string, options: import("../data.ts").DataOptions) =>
      (await import("../camera.ts")).setCameraTransport(id, way, options),
    );
  camera
    .command("change")
    .description("choose when a stream of a camera is recorded and pulled, and what of the camera is kept")
    .argument("<camera>", "its id")
    .requiredOption("--config <file>", "configuration, YAML")
    .option("--stream <name>", "main, sub, …", "main")
    .option("--record <mode>", "off, continuous, schedule or events")
    .option("--hours <file>", "JSON of a time profile: the hours of a schedule, or in which events count")
    .option(
      "--event <what...>",
      "motion, digital-input, …, or a topic as tns1:RuleEngine/LineDetector; default: motion",
    )
    .option("--before <seconds>", "what was before the event and is recorded, 0 to 60; default: 5")
    .option("--after <seconds>", "how long recording goes on after it, 1 to 3600; default: 10")
    .option("--volume <name>", "the volume to record to while that can be written; any: whichever has room")
    .option("--pull <when>", "always, or on-demand: while somebody watches, or it is to be recorded")
    .option("--min-days <days>", "younger recordings of the camera are deleted only where nothing else can be")
    .option("--max-days <days>", "older recordings of the camera are deleted")
    .option("--max-gigabytes <size>", "the oldest recordings of the camera are deleted beyond this (10^9 bytes)")
    .addHelpText(
      "after",
      "\nExamples:\n  viaduct camera change gate --config viaduct.yaml --record events --event motion digital-input\n  viaduct camera change gate --config viaduct.yaml --record schedule --hours office.json",
    )
    .addOption(passphraseFd())
    .action(async (id: string, options: import("../change-camera.ts").ChangeCameraOptions) =>
      (await import("../change-camera.ts")).changeCamera(id, options),
    );
  camera
    .command("fetch")
    .description(
      "have the running bridge fetch what is missing of a stretch from the camera's own recording (ONVIF Profile G)",
    )
    .argument("<camera>", "its id")
    .requiredOption("--config <file>", "configuration, YAML")
    .requiredOption("--from <time>", "beginning, with its zone: 2026-11-24T13:05:00Z")
    .requiredOption("--to <time>", "end, likewise; a day later at most")
    .option("--stream <name>", "main, sub, …", "main")
    .option("--no-wait", "do not wait for the end of it")
    .action(async (id: string, options: import("../fetch-footage.ts").FetchOptions) =>
      (await import("../fetch-footage.ts")).fetchFootage(id, options),
    );
  camera
    .command("remove")
    .description("remove a camera; its recordings stay until they are too old")
    .argument("<camera>", "its id")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .action(async (id: string, options: import("../data.ts").DataOptions) =>
      (await import("../camera.ts")).removeCamera(id, options),
    );
}
