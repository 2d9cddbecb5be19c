import { ChallengeAnswerer, type Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import { type HttpAnswer, httpRequest } from "../../net/http-request.ts";
import type { CameraSide } from "../../net/sides.ts";
import type { CameraTls } from "../../net/tcp.ts";

const LIMITS = {
  /** A picture of 32 megapixels as JPEG has about 15 MB. */
  bytes: 16 * 1024 * 1024,
  timeoutMs: 10 * SECOND,
  /** With the one that asks how to log in. */
  requests: 3,
} as const;

export interface SnapshotOptions {
  /** At the camera's own IP address, as the camera told it. */
  readonly url: URL;
  readonly credentials?: Credentials;
  readonly tls?: CameraTls;
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Fetches a camera's picture from the address that it gave for it (Media 5.15.1), logging in where it asks for that. Redirects are not
 * followed. Faults: `unauthenticated`, `unavailable`, `invalid` (too large, or no JPEG file from its first byte to its last).
 */
export async function fetchSnapshot(o: SnapshotOptions): Promise<Buffer> {
  const { url, credentials } = o;
  const answerer = credentials && new ChallengeAnswerer(credentials, { allowBasic: url.protocol === "https:" });
  for (let count = 0; count < LIMITS.requests; count += 1) {
    const authorization = answerer?.authorize("GET", `${url.pathname}${url.search}`);
    const response = await httpRequest({
      ...o,
      method: "GET",
      headers: { Accept: "image/jpeg", ...(authorization === undefined ? {} : { Authorization: authorization }) },
      maxBytes: LIMITS.bytes,
      timeoutMs: LIMITS.timeoutMs,
    });
    const challenge = response.headers["www-authenticate"];
    if (response.status !== 401) return jpegIn(response, url);
    if (challenge === undefined || answerer?.challenged([challenge]) !== true) break;
  }
  throw new Fault("unauthenticated", `snapshot at ${url.host}: the camera refuses the log-in`);
}

/** What stands behind the end of the picture, which some cameras pad, is not handed on. */
function jpegIn({ status, body }: HttpAnswer, url: URL): Buffer {
  if (status !== 200) throw new Fault("unavailable", `snapshot at ${url.host}: HTTP ${status}`);
  const end = body.lastIndexOf(Buffer.of(0xff, 0xd9));
  if (body.length < 4 || body.readUInt16BE(0) !== 0xff_d8 || body[2] !== 0xff || end < 0)
    throw new Fault("invalid", `snapshot at ${url.host}: no JPEG file`, { tell: "the camera's answer is no picture" });
  return body.subarray(0, end + 2);
}
