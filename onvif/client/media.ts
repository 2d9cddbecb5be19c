import { Fault, isFault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { SECOND } from "../../base/units.ts";
import { pinnedToHost } from "../../net/sides.ts";
import { attributeOf, escapeXml, findPath, type XmlElement } from "../../wsdl/xml.ts";
import { type Caller, ifThere } from "./caller.ts";
import { addressIn, encodingOf } from "./quirks.ts";

const LIMITS = {
  /** Profiles that are looked at: a recorder with 64 channels and two streams each. */
  profiles: 128,
  /** Profiles whose snapshot address is asked for, which only the streams that are chosen from need. */
  snapshots: 8,
  token: 128,
  name: 200,
  /** Time that is left for the caller's own end when the camera is slow. */
  reserveMs: 2 * SECOND,
} as const;

/** One way of a camera to send a picture, sound, or both. */
export interface CameraProfile {
  /** Opaque, the camera's own. */
  readonly token: string;
  readonly name: string;
  /** Which of the camera's sensors, or of a recorder's channels; profiles with the same one show the same scene. */
  readonly source?: string;
  readonly video?: { readonly encoding: string; readonly width: number; readonly height: number };
  /** Token of its video encoder configuration. */
  readonly encoder?: string;
  readonly audio?: { readonly encoding: string };
  /** Token of its PTZ configuration; absent where its picture cannot be moved. */
  readonly ptz?: string;
  /** RTSP, at the camera's own IP address, without user information. */
  readonly streamUri: URL;
  readonly snapshotUri?: URL;
}

export type ListedProfile = Omit<CameraProfile, "streamUri" | "snapshotUri">;

/** A media service of a camera. */
export interface Media {
  readonly prefix: "trt" | "tr2";
  readonly url: URL;
}

/**
 * The profiles of a camera with their stream addresses, largest picture first. Media 2 is asked where the camera has it, since
 * Media 1 does not know H.265; Media 1 where it has not, or where Media 2 shows nothing (both exist, Core 5.6).
 *
 * Fault `invalid` when there is no profile with a stream; those of {@link Caller.call}.
 */
export async function readProfiles(
  caller: Caller,
  services: { readonly media1?: URL; readonly media2?: URL },
  o: { readonly ip: string; readonly log: Log },
): Promise<readonly CameraProfile[]> {
  const tries: Media[] = [];
  if (services.media2 !== undefined) tries.push({ prefix: "tr2", url: services.media2 });
  if (services.media1 !== undefined) tries.push({ prefix: "trt", url: services.media1 });
  let failure: unknown;
  for (const media of tries) {
    try {
      const profiles = await withAddresses(caller, media, await listProfiles(caller, media), o);
      if (profiles.length > 0) return profiles;
    } catch (error) {
      if (!isFault(error, "invalid") && !isFault(error, "denied")) throw error;
      failure = error;
      o.log.debug({ err: error, service: media.prefix }, "media service does not tell its profiles");
    }
  }
  throw (
    failure ??
    new Fault("invalid", "camera has no profile with a stream", { tell: "the camera offers no stream through ONVIF" })
  );
}

/**
 * The profile whose stream has this address, where it is, and what there is beside it; undefined where the camera has none (any
 * more). What it refuses to tell is passed over, as in {@link readProfiles}. Faults: `unavailable`, `unauthenticated`.
 */
export async function profileOfStream(
  caller: Caller,
  services: { readonly media1?: URL; readonly media2?: URL },
  { ip, stream }: { readonly ip: string; readonly stream: URL },
): Promise<(Media & { readonly token: string; readonly profiles: readonly ListedProfile[] }) | undefined> {
  const found = await profilesOfStreams(caller, services, { ip, streams: [stream] });
  const [token] = found?.tokens ?? [];
  return found === undefined || token === undefined ? undefined : { ...found, token };
}

/**
 * The same of several streams, where the first one is: `tokens` in their order, undefined for those that no profile has. The others are
 * looked for among the profiles that show the same scene, as long as there is time: a recorder has a hundred more.
 */
export async function profilesOfStreams(
  caller: Caller,
  services: { readonly media1?: URL; readonly media2?: URL },
  o: { readonly ip: string; readonly streams: readonly URL[] },
): Promise<
  | (Media & { readonly tokens: readonly (string | undefined)[]; readonly profiles: readonly ListedProfile[] })
  | undefined
> {
  for (const [prefix, url] of [
    ["tr2", services.media2],
    ["trt", services.media1],
  ] as const) {
    if (url === undefined) continue;
    const media: Media = { prefix, url };
    const profiles = (await ifThere(listProfiles(caller, media))) ?? [];
    const tokens: (string | undefined)[] = o.streams.map(() => undefined);
    for (const { token, source } of profiles) {
      const first = profiles.find((one) => one.token === tokens[0]);
      if (tokens.every((one) => one !== undefined)) break;
      if (first !== undefined && (source !== first.source || caller.remainingMs < LIMITS.reserveMs)) continue;
      const address = await ifThere(streamUriOf(caller, media, token, o.ip));
      const at = o.streams.findIndex(
        (stream, index) => tokens[index] === undefined && address !== undefined && isOf(stream, address),
      );
      if (at !== -1) tokens[at] = token;
    }
    if (tokens[0] !== undefined) return { ...media, tokens, profiles };
  }
  return undefined;
}

/** A camera that was moved to RTSPS at its adoption goes on to tell the address without TLS: the same one at another port. */
function isOf(stream: URL, told: URL): boolean {
  if (stream.protocol === "rtsps:" && told.protocol === "rtsp:")
    return told.pathname === stream.pathname && told.search === stream.search;
  return told.href === stream.href;
}

async function listProfiles(caller: Caller, { prefix, url }: Media): Promise<readonly ListedProfile[]> {
  const content = prefix === "tr2" ? "<tr2:Type>All</tr2:Type>" : "";
  const { body } = await caller.call({ url, prefix, operation: "GetProfiles", content });
  return body.children
    .filter((child) => child.name === "Profiles")
    .slice(0, LIMITS.profiles)
    .flatMap((element) => profileOf(element, prefix) ?? [])
    .toSorted((a, b) => area(b) - area(a));
}

function profileOf(element: XmlElement, prefix: "trt" | "tr2"): ListedProfile | undefined {
  const token = attributeOf(element, "token");
  if (token === undefined || token === "" || token.length > LIMITS.token) return undefined;
  const part = (name: string): XmlElement | undefined =>
    prefix === "tr2" ? findPath(element, "Configurations", name) : findPath(element, `${name}Configuration`);
  const encoder = part("VideoEncoder");
  const video = encodingOf(encoder && findPath(encoder, "Encoding"));
  const audio = encodingOf(findPath(part("AudioEncoder") ?? element, "Encoding"));
  const source = findPath(part("VideoSource") ?? element, "SourceToken")?.text.trim();
  const ptz = attributeOf(part("PTZ") ?? element, "token");
  const encoderToken = encoder && attributeOf(encoder, "token");
  return {
    token,
    name: (findPath(element, "Name")?.text.trim() || token).slice(0, LIMITS.name),
    ...(source === undefined || source === "" ? {} : { source: source.slice(0, LIMITS.token) }),
    ...(encoder === undefined || video === undefined
      ? {}
      : { video: { encoding: video, width: size(encoder, "Width"), height: size(encoder, "Height") } }),
    ...(encoderToken === undefined || encoderToken.length > LIMITS.token ? {} : { encoder: encoderToken }),
    ...(audio === undefined ? {} : { audio: { encoding: audio } }),
    ...(part("PTZ") === undefined || ptz === undefined ? {} : { ptz: ptz.slice(0, LIMITS.token) }),
  };
}

/** 0 when the camera does not say, or says nonsense: the stream itself will tell. */
function size(encoder: XmlElement, name: string): number {
  const text = findPath(encoder, "Resolution", name)?.text.trim() ?? "";
  return /^\d{1,5}$/.test(text) ? Number(text) : 0;
}

function area({ video }: ListedProfile): number {
  return video === undefined ? -1 : video.width * video.height;
}

async function withAddresses(
  caller: Caller,
  media: Media,
  listed: readonly ListedProfile[],
  { ip, log }: { readonly ip: string; readonly log: Log },
): Promise<readonly CameraProfile[]> {
  const profiles: CameraProfile[] = [];
  for (const [index, profile] of listed.entries()) {
    if (profiles.length > 0 && caller.remainingMs < LIMITS.reserveMs) {
      log.info({ of: listed.length, asked: index }, "camera is slow: not all of its profiles were asked for");
      break;
    }
    try {
      const streamUri = await streamUriOf(caller, media, profile.token, ip);
      const snapshotUri = index < LIMITS.snapshots ? await snapshotUriOf(caller, media, profile.token, ip) : undefined;
      profiles.push({ ...profile, streamUri, ...(snapshotUri === undefined ? {} : { snapshotUri }) });
    } catch (err) {
      // Profiles without an encoder have no stream; a camera that falls silent in between has shown enough by then.
      const passing =
        isFault(err, "invalid") || isFault(err, "denied") || (isFault(err, "unavailable") && profiles.length > 0);
      if (!passing) throw err;
      log.debug({ err, profile: profile.token }, "profile without a stream");
    }
  }
  return profiles;
}

async function streamUriOf(caller: Caller, { prefix, url }: Media, token: string, ip: string): Promise<URL> {
  const wanted = `<${prefix}:ProfileToken>${escapeXml(token)}</${prefix}:ProfileToken>`;
  const content =
    prefix === "tr2"
      ? `<tr2:Protocol>RTSP</tr2:Protocol>${wanted}`
      : `<trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport></trt:StreamSetup>${wanted}`;
  const { body } = await caller.call({ url, prefix, operation: "GetStreamUri", content });
  return pinnedToHost(uriIn(body) ?? "", ip, ["rtsp", "rtsps"]);
}

/** Undefined where the camera has none. */
export async function snapshotUriOf(
  caller: Caller,
  { prefix, url }: Media,
  token: string,
  ip: string,
): Promise<URL | undefined> {
  const content = `<${prefix}:ProfileToken>${escapeXml(token)}</${prefix}:ProfileToken>`;
  const told = async (): Promise<URL> => {
    const { body } = await caller.call({ url, prefix, operation: "GetSnapshotUri", content });
    return pinnedToHost(uriIn(body) ?? "", ip, ["http", "https"]);
  };
  return ifThere(told());
}

/** Media 2 has the address at the top, Media 1 inside MediaUri; either is taken from either. */
function uriIn(body: XmlElement): string | undefined {
  return addressIn(findPath(body, "MediaUri", "Uri") ?? findPath(body, "Uri"));
}
