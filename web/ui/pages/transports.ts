import type { TransportSetting } from "../api.ts";

/** How a camera may be asked to send, in words. */
export const TRANSPORTS: readonly (readonly [TransportSetting, string])[] = [
  ["auto", "Automatic"],
  ["tcp", "TCP alone"],
  ["udp", "UDP alone"],
  ["http", "RTSP in HTTP alone"],
  ["multicast", "Multicast alone"],
];
