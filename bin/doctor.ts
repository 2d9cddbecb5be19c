import { isIP } from "node:net";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { silentLog } from "../base/log.ts";
import { Secret } from "../base/secret.ts";
import { examineCamera, type Finding } from "../bridge/camera-side/examine.ts";
import { cameraSide } from "../net/sides.ts";
import { stopSignal } from "./stop.ts";

export interface DoctorOptions {
  readonly interface?: string[];
  readonly user?: string;
  readonly json?: boolean;
}

const SIGNS: Readonly<Record<Finding["result"], string>> = { works: "ok  ", note: "note", fails: "FAIL" };

/** Says what of a camera works and what does not. The process ends with 1 where something fails. */
export async function examine(ip: string, options: DoctorOptions): Promise<void> {
  if (isIP(ip) === 0) throw new Fault("invalid", `${ip} is no IP address: say one, such as 10.1.4.20`);
  const stop = new AbortController();
  void stopSignal().then(() => stop.abort());
  const findings: Finding[] = [];
  for await (const finding of examineCamera({
    ip,
    ...(options.user === undefined
      ? {}
      : { credentials: { user: options.user, password: new Secret(process.env["VIADUCT_CAMERA_PASSWORD"] ?? "") } }),
    side: cameraSide({ interfaces: options.interface ?? [], clientAddresses: [] }),
    clock: systemClock,
    log: silentLog(),
    signal: stop.signal,
  })) {
    findings.push(finding);
    if (options.json !== true) process.stdout.write(lineOf(finding));
  }
  if (options.json === true) process.stdout.write(`${JSON.stringify(findings, undefined, 2)}\n`);
  if (findings.some(({ result }) => result === "fails")) process.exitCode = 1;
}

function lineOf({ what, result, says, next }: Finding): string {
  return `${SIGNS[result]}  ${what.padEnd(8)}  ${says}\n${next === undefined ? "" : `${" ".repeat(16)}${next}\n`}`;
}
