import type { Credentials } from "../../auth/scheme/http.ts";
import type { CameraTls } from "../../net/tcp.ts";
import type { CameraRecord } from "../camera-store.ts";

/** How a camera is logged in to, and known. */
export function loginOf({ credentials, tlsPin }: CameraRecord): {
  readonly credentials?: Credentials;
  readonly tls?: CameraTls;
} {
  return {
    ...(credentials === undefined ? {} : { credentials }),
    ...(tlsPin === undefined ? {} : { tls: { pin: tlsPin } }),
  };
}
