import type { Credentials } from "../../auth/scheme/http.ts";
import type { CameraTls } from "../../net/tcp.ts";
import type { CameraRecord } from "../camera-store.ts";

/** How a camera is logged in to, and known: by the key that it was adopted with, or else by the site's own authority, `ca`. */
export function loginOf(
  { credentials, tlsPin }: CameraRecord,
  ca: string | undefined,
): {
  readonly credentials?: Credentials;
  readonly tls?: CameraTls;
} {
  const tls = tlsPin === undefined ? ca && { ca } : { pin: tlsPin };
  return {
    ...(credentials === undefined ? {} : { credentials }),
    ...(tls ? { tls } : {}),
  };
}
