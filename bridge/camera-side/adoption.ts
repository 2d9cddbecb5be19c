import type { Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { CameraSide } from "../../net/sides.ts";
import type { HostLookup } from "./rtsp-address.ts";

/** A stream of the camera. */
export interface AdoptedStream {
  /** `main`, `sub`, `sub-2`, … */
  readonly name: string;
  /** At the camera's own IP address, without user information. */
  readonly url: URL;
}

/** What is saved of a camera when it becomes ours. */
export interface AdoptedCamera {
  readonly name: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serial?: string;
  /** The only address that is dialed for this camera. */
  readonly ip: string;
  /** The main one first. */
  readonly streams: readonly [AdoptedStream, ...AdoptedStream[]];
  readonly credentials?: Credentials;
  readonly deviceUrl?: URL;
  /** SHA-256 of the camera's key, base64, where it was reached over TLS. */
  readonly tlsPin?: string;
}

export interface AdoptOptions {
  /** A find, or the RTSP address of any camera, `rtsp://user:password@host:port/path`, and that of its smaller picture. */
  readonly target:
    | { readonly ip: string; readonly xaddrs: readonly string[] }
    | { readonly rtsp: string; readonly sub?: string };
  /** It may be spoken to without TLS, where it does not name an address with. */
  readonly plainText: boolean;
  /** PEM certificates of the site's own authority: the camera must have one of these then. */
  readonly ca?: string | undefined;
  /** Goes before what stands in the address. */
  readonly credentials?: Credentials;
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** Told in words for the person who waits. */
  readonly onProgress?: (step: string) => void;
  /** How host names in RTSP addresses become addresses. The system's resolver if absent. */
  readonly lookup?: HostLookup;
}
