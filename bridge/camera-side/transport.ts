import type { LowerTransport } from "../../rtsp/wire/transport.ts";
import type { TransportSetting } from "../camera.ts";

/**
 * In which order a camera is asked for transports. What worked goes first, and TCP otherwise, which loses nothing
 * (docs/decisions/0005). `secure`: over TLS a choice of ours never falls back to UDP, which anybody can read.
 */
export function transportsFor(
  setting: TransportSetting,
  worked: LowerTransport | undefined,
  secure: boolean,
): readonly [LowerTransport, ...LowerTransport[]] {
  if (setting !== "auto") return [setting];
  if (secure) return ["tcp"];
  return worked === "udp" ? ["udp", "tcp"] : ["tcp", "udp"];
}
