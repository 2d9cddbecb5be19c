import { readFile } from "node:fs/promises";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { createLog } from "../base/log.ts";
import { makeSecret } from "../base/secret.ts";
import { UPSTREAM_TRANSPORTS } from "../rtsp/wire/transport.ts";
import { startSimCamera } from "../sim/camera.ts";
import { readPlayed } from "../sim/played.ts";
import { isQuirk, QUIRKS } from "../sim/quirks.ts";
import { stopSignal } from "./stop.ts";

export interface SimOptions {
  readonly name: string;
  readonly address: string;
  readonly port: string;
  readonly rtspPort: string;
  readonly discoveryPort?: string;
  readonly user: string;
  readonly size: string;
  readonly fps: string;
  readonly play?: string;
  readonly controls?: boolean;
  readonly card?: boolean | string;
  readonly transport?: string[];
  readonly quirk?: string[];
}

const WIDEST_NAME = Math.max(...Object.keys(QUIRKS).map((name) => name.length));

export function listQuirks(): void {
  for (const [name, { does }] of Object.entries(QUIRKS)) process.stdout.write(`${name.padEnd(WIDEST_NAME)}  ${does}\n`);
}

export async function simCamera(options: SimOptions): Promise<void> {
  const size = /^(\d{2,4})x(\d{2,4})$/.exec(options.size);
  if (size === null) throw new Fault("invalid", "--size must be like 640x360");
  const quirks = (options.quirk ?? []).map((name) => {
    if (!isQuirk(name)) throw new Fault("invalid", `there is no quirk "${name}": see \`viaduct sim quirks\``);
    return name;
  });
  const transports = options.transport?.map((name) => {
    const transport = UPSTREAM_TRANSPORTS.find((one) => one === name);
    if (transport === undefined)
      throw new Fault("invalid", `a simulated camera sends by ${UPSTREAM_TRANSPORTS.join(", ")}, not by "${name}"`);
    return transport;
  });
  if (typeof options.card === "string" && options.card !== "both")
    throw new Fault("invalid", `a card has the main stream, or both, not "${options.card}"`);
  const played = options.play === undefined ? undefined : readPlayed(await readFile(options.play));
  const given = process.env["VIADUCT_SIM_PASSWORD"];
  const password = given ?? makeSecret(12).reveal();
  const camera = await startSimCamera({
    name: options.name,
    address: options.address,
    httpPort: numberOf("--port", options.port),
    rtspPort: numberOf("--rtsp-port", options.rtspPort),
    user: options.user,
    password,
    width: Number(size[1]),
    height: Number(size[2]),
    fps: numberOf("--fps", options.fps),
    controls: options.controls === true,
    card: options.card === "both" ? "both" : options.card !== undefined,
    quirks,
    ...(transports && { transports }),
    ...(played && { played }),
    clock: systemClock,
    log: createLog("warn"),
    ...(options.discoveryPort === undefined
      ? {}
      : { discoveryPort: numberOf("--discovery-port", options.discoveryPort) }),
  });
  // Before anybody can know that it runs.
  const stopped = stopSignal();
  process.stdout.write(`ONVIF  ${camera.deviceUrl}\nRTSP   ${camera.rtspUrl}\nuser   ${options.user}\n`);
  if (given === undefined) process.stdout.write(`password ${password}\n`);
  await stopped;
  await camera.close();
}

function numberOf(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new Fault("invalid", `${option} must be a number`);
  return value;
}
