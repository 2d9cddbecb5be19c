import type { Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { SECOND } from "../../base/units.ts";
import type { CameraSide } from "../../net/sides.ts";
import { type CameraTls, dial } from "../../net/tcp.ts";
import { type CameraDescription, describeCamera } from "../../onvif/client/camera.ts";
import { type HostLookup, systemLookup, targetOfRtsp } from "./rtsp-address.ts";

/** How long an RTSP camera may take to accept a connection. */
const DIAL_MS = 10 * SECOND;

type Profile = CameraDescription["profiles"][number];

/** What is saved of a camera when it becomes ours. */
export interface AdoptedCamera {
  readonly name: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serial?: string;
  /** The only address that is dialed for this camera. */
  readonly ip: string;
  /** Streams at `ip`, without user information. */
  readonly main: URL;
  readonly sub?: URL;
  readonly credentials?: Credentials;
  readonly deviceUrl?: URL;
  /** SHA-256 of the camera's key, base64, where it was reached over TLS. */
  readonly tlsPin?: string;
}

export interface AdoptOptions {
  /** A find, or the RTSP address of any camera: `rtsp://user:password@host:port/path`. */
  readonly target: { readonly ip: string; readonly xaddrs: readonly string[] } | { readonly rtsp: string };
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

/**
 * Turns a find, or an RTSP address, into a camera to save. A find is logged in to and read through ONVIF; an RTSP address is
 * only checked for somebody who listens there, its log-in is tried when the stream is pulled.
 *
 * Faults, each with words for the installer in `tell`: `unauthenticated` (user or password), `unavailable` (no answer),
 * `invalid` (no ONVIF there, no stream, no RTSP address), `denied` (not a camera-side address).
 */
export async function adoptCamera(o: AdoptOptions): Promise<AdoptedCamera> {
  let pin: string | undefined;
  const tls: CameraTls = {
    onPin: (spki) => {
      pin ??= spki;
    },
  };
  const { target } = o;
  const camera = await ("rtsp" in target ? adoptRtsp(target.rtsp, tls, o) : adoptFind(target, tls, o));
  return { ...camera, ...(pin === undefined ? {} : { tlsPin: pin }) };
}

async function adoptFind(
  { ip, xaddrs }: { readonly ip: string; readonly xaddrs: readonly string[] },
  tls: CameraTls,
  o: AdoptOptions,
): Promise<AdoptedCamera> {
  const { credentials } = o;
  const description = await describeCamera({ ...o, ip, xaddrs, tls });
  const { main, sub } = chooseStreams(description);
  const { name, manufacturer, model, serial, deviceUrl } = description;
  return {
    name: name ?? (`${manufacturer} ${model}`.trim() || `Camera ${ip}`),
    ...(manufacturer === "" ? {} : { manufacturer }),
    ...(model === "" ? {} : { model }),
    ...(serial === "" ? {} : { serial }),
    ip,
    main: main.streamUri,
    ...(sub === undefined ? {} : { sub: sub.streamUri }),
    ...(credentials === undefined ? {} : { credentials }),
    deviceUrl,
  };
}

async function adoptRtsp(text: string, tls: CameraTls, o: AdoptOptions): Promise<AdoptedCamera> {
  const target = await targetOfRtsp(text, o.lookup ?? systemLookup);
  const { url, ip } = target;
  const secure = url.protocol === "rtsps:";
  o.onProgress?.("connecting");
  const { side, clock, signal } = o;
  const socket = await dial({
    host: ip,
    port: Number(url.port) || (secure ? 322 : 554),
    side,
    clock,
    timeoutMs: DIAL_MS,
    ...(signal === undefined ? {} : { signal }),
    ...(secure ? { tls } : {}),
  });
  socket.destroy();
  const credentials = o.credentials ?? target.credentials;
  return {
    name: target.host === ip ? `Camera ${ip}` : target.host,
    ip,
    main: url,
    ...(credentials === undefined ? {} : { credentials }),
  };
}

/** Encodings that can be recorded and shown in a browser, best first. */
const RECORDABLE = ["H264", "H265"];

/**
 * Which streams to pull: as main the largest H.264 or H.265 picture, else the largest picture of another encoding, else
 * whatever there is; as sub the smallest H.264 or H.265 picture of the same scene, if it is smaller.
 */
export function chooseStreams(description: Pick<CameraDescription, "profiles">): {
  readonly main: Profile;
  readonly sub?: Profile;
} {
  const recordable = ({ video }: Profile): boolean => video !== undefined && RECORDABLE.includes(video.encoding);
  const area = ({ video }: Profile): number => (video === undefined ? -1 : video.width * video.height);
  const better = (a: Profile, b: Profile): number => Number(recordable(b)) - Number(recordable(a)) || area(b) - area(a);
  const sorted = description.profiles.toSorted(better);
  const main = sorted[0] as Profile;
  const sub = sorted.findLast(
    (profile) =>
      recordable(profile) && profile.source === main.source && area(profile) > 0 && area(profile) < area(main),
  );
  return { main, ...(sub === undefined ? {} : { sub }) };
}
