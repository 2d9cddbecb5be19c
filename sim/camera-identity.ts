import { createHash } from "node:crypto";

/** What tells a simulated camera from all others. */
export interface CameraIdentity {
  readonly serial: string;
  readonly mac: string;
  /** `urn:uuid:…`. */
  readonly endpoint: string;
  /** What it says of itself when it is looked for. */
  readonly scopes: readonly string[];
  /** Multicast groups for its streams, of those for use within an organization (RFC 2365 6.2). */
  readonly groups: { readonly main: string; readonly sub: string };
}

/** Of a camera with this name at this address: the same after a restart, and another one for every other camera. */
export function identityOf(name: string, address: string): CameraIdentity {
  const hash = createHash("sha256").update(`${name} ${address}`).digest();
  const id = hash.toString("hex");
  const group = (at: number): string => `239.${192 + (hash.readUInt8(at) & 3)}.${hash[at + 1]}.${hash[at + 2]}`;
  return {
    serial: id.slice(0, 12).toUpperCase(),
    mac: `02:${(id.slice(12, 22).match(/../g) ?? []).join(":")}`,
    endpoint: `urn:uuid:${id.slice(0, 8)}-${id.slice(8, 12)}-5${id.slice(13, 16)}-a${id.slice(17, 20)}-${id.slice(20, 32)}`,
    scopes: [
      "onvif://www.onvif.org/Profile/Streaming",
      "onvif://www.onvif.org/Profile/T",
      "onvif://www.onvif.org/type/video_encoder",
      "onvif://www.onvif.org/hardware/Simulated",
      `onvif://www.onvif.org/name/${encodeURIComponent(name)}`,
    ],
    groups: { main: group(16), sub: group(19) },
  };
}
