import type { LowerTransport } from "../../rtsp/wire/transport.ts";
import type { TransportSetting } from "../camera.ts";

/**
 * In which order a camera is asked for transports. `first`, what worked, and TCP otherwise, which loses
 * nothing (docs/decisions/0005). `secure`: over TLS a choice of ours never falls back to UDP, which anybody can read.
 */
export function transportsFor(
  setting: TransportSetting,
  first: LowerTransport | undefined,
  secure: boolean,
): readonly [LowerTransport, ...LowerTransport[]] {
  if (setting !== "auto") return [setting];
  if (secure) return ["tcp"];
  return first === "udp" ? ["udp", "tcp"] : ["tcp", "udp"];
}
