import { Fault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import { type CameraTls, dial } from "../../net/tcp.ts";
import type { CameraDescription } from "../../onvif/client/camera.ts";
import { MAIN_STREAM } from "../camera.ts";
import type { AdoptedCamera, AdoptOptions } from "./adoption.ts";
import { describeEncrypted, encryptedStreams, NeedsPlainText } from "./encryption.ts";
import { systemLookup, targetOfRtsp } from "./rtsp-address.ts";

/** How long an RTSP camera may take to accept a connection. */
const DIAL_MS = 10 * SECOND;

type Profile = CameraDescription["profiles"][number];

/**
 * Turns a find, or an RTSP address, into a camera to save. A find is logged in to and read through ONVIF; an RTSP address is
 * only checked for somebody who listens there, its log-in is tried when the stream is pulled.
 *
 * Faults, each with words for the installer in `tell`: `unauthenticated` (user or password), `unavailable` (no answer),
 * `invalid` (no ONVIF there, no stream, no RTSP address), `denied` (not a camera-side address, or it would need plain text).
 */
export async function adoptCamera(o: AdoptOptions): Promise<AdoptedCamera> {
  let pin: string | undefined;
  const unknown: CameraTls = o.ca === undefined ? { onPin: (spki) => (pin ??= spki) } : { ca: o.ca };
  const tls = (): CameraTls => (pin === undefined ? unknown : { pin });
  const { target } = o;
  const camera = await ("rtsp" in target ? adoptRtsp(target, tls, o) : adoptFind(target, tls, o));
  return { ...camera, ...(pin === undefined ? {} : { tlsPin: pin }) };
}

async function adoptFind(
  { ip, xaddrs }: { readonly ip: string; readonly xaddrs: readonly string[] },
  tls: () => CameraTls,
  o: AdoptOptions,
): Promise<AdoptedCamera> {
  const { credentials } = o;
  const description = await describeEncrypted({ ...o, ip, xaddrs, tls: tls() });
  const { name, manufacturer, model, serial, deviceUrl } = description;
  return {
    name: name ?? (`${manufacturer} ${model}`.trim() || `Camera ${ip}`),
    ...(manufacturer === "" ? {} : { manufacturer }),
    ...(model === "" ? {} : { model }),
    ...(serial === "" ? {} : { serial }),
    ip,
    streams: await encryptedStreams(chooseStreams(description), { ...o, tls: tls() }),
    ...(credentials === undefined ? {} : { credentials }),
    deviceUrl,
  };
}

async function adoptRtsp(
  { rtsp, sub }: { readonly rtsp: string; readonly sub?: string },
  tls: () => CameraTls,
  o: AdoptOptions,
): Promise<AdoptedCamera> {
  const lookUp = o.lookup ?? systemLookup;
  const target = await targetOfRtsp(rtsp, lookUp);
  const { url, ip } = target;
  const smaller = sub === undefined ? undefined : await targetOfRtsp(sub, lookUp);
  if (smaller !== undefined && (smaller.ip !== ip || smaller.url.protocol !== url.protocol))
    throw new Fault("invalid", `second stream at ${smaller.ip}, the first at ${ip}`, {
      tell: "both addresses must be of the same camera, and of the same kind (rtsp or rtsps)",
    });
  const secure = url.protocol === "rtsps:";
  if (!secure && !o.plainText) throw new NeedsPlainText("this address (rtsp:) is one without encryption: use rtsps:");
  o.onProgress?.("connecting");
  const { side, clock, signal } = o;
  const socket = await dial({
    host: ip,
    port: Number(url.port) || (secure ? 322 : 554),
    side,
    clock,
    timeoutMs: DIAL_MS,
    ...(signal === undefined ? {} : { signal }),
    ...(secure ? { tls: tls() } : {}),
  });
  socket.destroy();
  const credentials = o.credentials ?? target.credentials;
  return {
    name: target.host === ip ? `Camera ${ip}` : target.host,
    ip,
    streams: [{ name: MAIN_STREAM, url }, ...(smaller === undefined ? [] : [{ name: SUB_STREAM, url: smaller.url }])],
    ...(credentials === undefined ? {} : { credentials }),
  };
}

/** Encodings that can be recorded and shown in a browser, best first. */
const RECORDABLE = ["H264", "H265"];

const SUB_STREAM = "sub";

/** Streams of one camera; what cameras have beyond is the same picture once more. */
const MAX_STREAMS = 4;

/**
 * Which streams to pull, each by another address, at most four: as main the largest H.264 or H.265 picture, else the largest
 * picture of another encoding, else whatever there is; then the others of the same scene. `sub`, the one for small pictures,
 * is the smallest H.264 or H.265 picture, if it is smaller than the main one.
 */
export function chooseStreams({ profiles }: Pick<CameraDescription, "profiles">): AdoptedCamera["streams"] {
  const recordable = ({ video }: Profile): boolean => video !== undefined && RECORDABLE.includes(video.encoding);
  const area = ({ video }: Profile): number => (video === undefined ? -1 : video.width * video.height);
  const better = (a: Profile, b: Profile): number => Number(recordable(b)) - Number(recordable(a)) || area(b) - area(a);
  const [main, ...sorted] = profiles.toSorted(better) as [Profile, ...Profile[]];
  const seen = new Set([main.streamUri.href]);
  const others = sorted.filter((profile) => {
    const { href } = profile.streamUri;
    const another = profile.source === main.source && profile.video !== undefined && !seen.has(href);
    seen.add(href);
    return another;
  });
  const sub = others.findLast((one) => recordable(one) && area(one) > 0 && area(one) < area(main));
  const rest = others.filter((one) => one !== sub);
  const named = [
    ...(sub === undefined ? [] : [{ name: SUB_STREAM, url: sub.streamUri }]),
    ...rest.map(({ streamUri }, index) => ({ name: `${SUB_STREAM}-${index + 2}`, url: streamUri })),
  ];
  return [{ name: MAIN_STREAM, url: main.streamUri }, ...named.slice(0, MAX_STREAMS - 1)];
}
