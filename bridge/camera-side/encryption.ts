import { isIP } from "node:net";
import { Fault, isFault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import { pinnedToHost } from "../../net/sides.ts";
import { type CameraTls, dial } from "../../net/tcp.ts";
import { type CameraDescription, type DescribeOptions, describeCamera } from "../../onvif/client/camera.ts";
import type { AdoptedCamera, AdoptOptions } from "./adoption.ts";

/** Where RTSP inside TLS is by default (RFC 7826 22.6). */
const RTSPS_PORT = 322;

/** How long a camera may take to accept a connection at a port that it did not name. */
const LOOK_MS = 3 * SECOND;

/** A camera would have to be spoken to in plain text, and nobody has allowed that. */
export class NeedsPlainText extends Fault {
  constructor(why: string) {
    super("denied", `plain text is not allowed: ${why}`, {
      tell: `${why}, or allow plain text for this camera: everybody on its network can read its pictures then`,
    });
  }
}

/**
 * Reads a camera through ONVIF, inside TLS where it names such an address, and nowhere else unless plain text is allowed: then
 * HTTPS is tried also where it names HTTP alone. Faults: `denied`, those of {@link describeCamera}.
 */
export async function describeEncrypted(
  o: DescribeOptions & Pick<AdoptOptions, "plainText">,
): Promise<CameraDescription> {
  if (o.plainText)
    return describeCamera({ ...o, xaddrs: o.xaddrs.toSorted((a, b) => Number(isSecure(b)) - Number(isSecure(a))) });
  const named = o.xaddrs.filter(isSecure);
  try {
    return await describeCamera({ ...o, xaddrs: named.length > 0 ? named : guesses(o) });
  } catch (error) {
    if (named.length > 0 || !(isFault(error, "unavailable") || isFault(error, "invalid"))) throw error;
    throw new NeedsPlainText("the camera does not answer over HTTPS: switch HTTPS on in the camera");
  }
}

function isSecure(address: string): boolean {
  return /^https:/i.test(address);
}

/** The same paths inside TLS, at the port where that usually is. */
function guesses({ xaddrs, ip }: DescribeOptions): readonly string[] {
  const host = isIP(ip) === 6 ? `[${ip}]` : ip;
  const paths = xaddrs.flatMap((address) => {
    try {
      return pinnedToHost(address, ip, ["http"]).pathname;
    } catch {
      return [];
    }
  });
  return [...new Set([...paths, "/onvif/device_service"])].map((path) => `https://${host}${path}`);
}

/**
 * The streams as they are, where plain text is allowed or they are inside TLS; else at the port of RTSPS, where somebody must be
 * who has the camera's key. A camera that has not shown its key yet (`tls.onPin`) shows it here, if a stream is inside TLS: it could
 * not be pulled without. Faults: `denied`, `unavailable`.
 */
export async function encryptedStreams(
  streams: AdoptedCamera["streams"],
  o: Pick<AdoptOptions, "plainText" | "side" | "clock" | "signal"> & { readonly tls: CameraTls },
  port = RTSPS_PORT,
): Promise<AdoptedCamera["streams"]> {
  const plain = streams.find(({ url }) => url.protocol === "rtsp:");
  const { side, clock, signal, tls } = o;
  const look = async ({ hostname }: URL, at: number): Promise<void> => {
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    const wanted = { host, port: at, side, clock, timeoutMs: LOOK_MS, tls, ...(signal && { signal }) };
    (await dial(wanted)).destroy();
  };
  if (o.plainText || plain === undefined) {
    const secure = tls.onPin && streams.find(({ url }) => url.protocol === "rtsps:");
    if (secure !== undefined) await look(secure.url, Number(secure.url.port) || RTSPS_PORT);
    return streams;
  }
  try {
    await look(plain.url, port);
  } catch (error) {
    if (!isFault(error, "unavailable")) throw error;
    throw new NeedsPlainText("the camera sends its pictures without encryption (rtsp:): switch RTSPS on in the camera");
  }
  const [main, ...others] = streams;
  const inside = (stream: (typeof streams)[number]): (typeof streams)[number] =>
    stream.url.protocol === "rtsp:" ? { ...stream, url: atRtsps(stream.url, port) } : stream;
  return [inside(main), ...others.map(inside)];
}

function atRtsps({ host, hostname, href }: URL, port: number): URL {
  return new URL(href.replace(`rtsp://${host}`, `rtsps://${hostname}:${port}`));
}
