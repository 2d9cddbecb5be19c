import { Fault } from "../../base/fault.ts";
import type { Door } from "../../rtsp/client/dial-rtsp.ts";
import type { UpstreamTransport } from "../../rtsp/wire/transport.ts";
import type { TransportSetting } from "../camera.ts";

/** What loses nothing first, and what nearly every camera knows; HTTP, which costs a connection more and base64, last. */
const ORDER = ["tcp", "udp", "http"] as const;
/** Over TLS a choice of ours never falls back to UDP, which anybody can read. */
const SECURE_ORDER = ["tcp", "http"] as const;

/**
 * In which order a camera is asked for transports: `first`, what worked, before the others (docs/decisions/0005). `secure`: over
 * TLS. Multicast is for who chose it: everybody on the camera's network gets it.
 */
export function transportsFor(
  setting: TransportSetting,
  first: UpstreamTransport | undefined,
  secure: boolean,
): readonly [UpstreamTransport, ...UpstreamTransport[]] {
  if (setting !== "auto") return [setting];
  const order: readonly UpstreamTransport[] = secure ? SECURE_ORDER : ORDER;
  const [best = "tcp", ...others] = order.toSorted((a, b) => Number(b === first) - Number(a === first));
  return [best, ...others];
}

/** What is asked first the next time, where the newest attempt ended with the refusal of `refused`. */
export function afterRefusal(
  order: readonly [UpstreamTransport, ...UpstreamTransport[]],
  refused: UpstreamTransport,
): UpstreamTransport {
  return order[order.indexOf(refused) + 1] ?? order[0];
}

/** Fault `denied` for what is readable whatever the RTSP connection is, where `plainText` is not allowed. */
export function assertMaySendBy(setting: TransportSetting, plainText: boolean): void {
  if (plainText || (setting !== "udp" && setting !== "multicast")) return;
  throw new Fault("denied", `${setting} without plain text`, {
    tell: "over UDP and multicast pictures are in plain text, which is not allowed for this camera: choose TCP, or adopt it with plain text allowed",
  });
}

/** Where a camera with ONVIF serves HTTP: RTSP in HTTP is at the port of its web service (ONVIF Media2 5.4.1). */
export function tunnelDoor(deviceUrl: string | undefined): Door | undefined {
  if (deviceUrl === undefined) return undefined;
  const { protocol, port } = new URL(deviceUrl);
  const secure = protocol === "https:";
  return { port: Number(port) || (secure ? 443 : 80), secure };
}
