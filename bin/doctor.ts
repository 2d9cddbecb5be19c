import { isIP } from "node:net";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Finding } from "../base/finding.ts";
import { silentLog, withoutLogIns } from "../base/log.ts";
import { Secret } from "../base/secret.ts";
import { examineCamera } from "../bridge/camera-side/examine.ts";
import { cameraSide } from "../net/sides.ts";
import { lineOf } from "./findings.ts";
import { stopSignal } from "./stop.ts";

export interface DoctorOptions {
  readonly interface?: string[];
  readonly user?: string;
  readonly plainText?: boolean;
  readonly json?: boolean;
}

/**
 * Says what of a camera works and what does not; `address` is its IP address, or that of its ONVIF service. The process ends
 * with 1 where something fails.
 */
export async function examine(address: string, options: DoctorOptions): Promise<void> {
  const target = targetOf(address);
  const stop = new AbortController();
  void stopSignal().then(() => stop.abort());
  const findings: Finding[] = [];
  for await (const finding of examineCamera({
    ...target,
    plainText: options.plainText === true,
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
  if (stop.signal.aborted) throw new Fault("unavailable", "stopped before everything was looked at");
  if (findings.some(({ result }) => result === "fails")) process.exitCode = 1;
}

function targetOf(address: string): { readonly ip: string; readonly xaddrs: readonly string[] } {
  if (isIP(address) !== 0) return { ip: address, xaddrs: [] };
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const ip = url?.hostname.replace(/^\[(.*)\]$/, "$1") ?? "";
  if (url === undefined || !/^https?:$/.test(url.protocol) || isIP(ip) === 0)
    throw new Fault(
      "invalid",
      `${withoutLogIns(address)} is no IP address and no address of a service: say one, such as 10.1.4.20 or https://10.1.4.20:8443/onvif/device_service`,
    );
  if (url.username !== "" || url.password !== "")
    throw new Fault(
      "invalid",
      "everybody on this machine can read the address: use --user, and VIADUCT_CAMERA_PASSWORD",
    );
  return { ip, xaddrs: [url.href] };
}
