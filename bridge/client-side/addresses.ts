import { networkInterfaces } from "node:os";
import { TRACK_KINDS, type TrackKind } from "../../media/track.ts";
import { MAIN_STREAM } from "../camera.ts";

/** What clients reach, by kind of door. Ports are those really bound. */
export interface Doors {
  readonly https: number;
  readonly http: number | undefined;
  readonly rtsps: number;
  readonly rtsp: number | undefined;
}

/** Where a camera's device is by itself; what is absent is the bridge's. */
export interface OwnPlace {
  readonly address?: string | undefined;
  readonly https?: number | undefined;
  readonly http?: number | undefined;
}

/** In the query of a live address: the client wants to be told of the multicast group in the description already. */
export const MULTICAST_QUERY = "multicast";

/** In the query of an address: the client wants SRTP, and keys for it in the description. */
export const SRTP_QUERY = "srtp";

/** In the query of a live address: the kinds of tracks that the client wants alone, with commas between. */
const TRACKS_QUERY = "tracks";

/** An address of ours, of what is said there of these kinds alone. */
export function narrowed(address: string, tracks: readonly TrackKind[]): string {
  return `${address}${address.includes("?") ? "&" : "?"}${TRACKS_QUERY}=${tracks.join(",")}`;
}

/** The kinds that an address does not ask for; none where it does not say. */
export function leftOut(query: URLSearchParams): readonly TrackKind[] {
  const asked = query.get(TRACKS_QUERY)?.split(",");
  return asked === undefined ? [] : TRACK_KINDS.filter((kind) => !asked.includes(kind));
}

/** An address as it stands in a URL: IPv6 in brackets, where it has none yet, IPv4-mapped addresses as IPv4. */
export function hostOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, "");
  return plain.includes(":") && !plain.startsWith("[") ? `[${plain}]` : plain;
}

type Kind = "live" | "recorded";

/** The main stream goes by its camera alone. */
function pathOf(kind: Kind, camera: string, stream: string = MAIN_STREAM): string {
  return stream === MAIN_STREAM ? `/${kind}/${camera}` : `/${kind}/${camera}/${stream}`;
}

/** Every address of this product that a client is told, made in one place from the address that the client dialed. */
export class Addresses {
  readonly doors: Doors;

  constructor(doors: Doors) {
    this.doors = doors;
  }

  /** For a person to copy: plain RTSP where it is switched on, for not every player speaks TLS. */
  rtsp(kind: Kind, camera: string, localAddress: string, stream?: string): string {
    const { rtsp } = this.doors;
    return rtsp === undefined
      ? this.rtsps(kind, camera, localAddress, stream)
      : `rtsp://${hostOf(localAddress)}:${rtsp}${pathOf(kind, camera, stream)}`;
  }

  rtsps(kind: Kind, camera: string, localAddress: string, stream?: string): string {
    return `rtsps://${hostOf(localAddress)}:${this.doors.rtsps}${pathOf(kind, camera, stream)}`;
  }

  /** For clients that take the group from the description. Undefined where there is no plain RTSP. */
  multicast(camera: string, localAddress: string, stream?: string): string | undefined {
    if (this.doors.rtsp === undefined) return undefined;
    return `${this.rtsp("live", camera, localAddress, stream)}?${MULTICAST_QUERY}`;
  }

  /** With keys for SRTP in the description. */
  srtp(kind: Kind, camera: string, localAddress: string, stream?: string): string {
    return `${this.rtsps(kind, camera, localAddress, stream)}?${SRTP_QUERY}`;
  }

  /** By the door at which the client is. */
  rtspInHttp(
    kind: Kind,
    camera: string,
    at: { readonly host: string; readonly port: number; readonly tls: boolean },
    stream?: string,
  ): string {
    return `${at.tls ? "https" : "http"}://${at.host}:${at.port}${pathOf(kind, camera, stream)}`;
  }

  /** Of the device service; of a camera's device below a path of its own, or where it has an address or a port of its own. */
  onvif(
    localAddress: string,
    tls: boolean,
    device?: { readonly camera: string; readonly own?: OwnPlace | undefined },
  ): string {
    const { http, https } = this.doors;
    const secure = tls || http === undefined;
    const { address, ...ports } = device?.own ?? {};
    const port = secure ? ports.https : ports.http;
    const path = device === undefined || address !== undefined || port !== undefined ? "" : `camera/${device.camera}/`;
    const host = hostOf(address ?? localAddress);
    return `${secure ? "https" : "http"}://${host}:${port ?? (secure ? https : http)}/onvif/${path}device_service`;
  }

  /** All of it. Plain HTTP, which is switched on for clients that know nothing else, stands first: these take the first address. */
  onvifAll(
    ...[localAddress, device]: [localAddress: string, device?: Parameters<Addresses["onvif"]>[2]]
  ): readonly string[] {
    return [...new Set([false, true].map((tls) => this.onvif(localAddress, tls, device)))];
  }

  web(localAddress: string): string {
    return `https://${hostOf(localAddress)}:${this.doors.https}/`;
  }
}

/** A network interface of this machine, for clients that identify a device by its hardware address. */
export interface LocalInterface {
  readonly name: string;
  readonly mac: string;
  readonly address: string;
  readonly prefixLength: number;
}

/** The interfaces that carry `addresses`; 0.0.0.0 and :: stand for all of them. */
export function interfacesOf(addresses: readonly string[]): readonly LocalInterface[] {
  const all = addresses.includes("0.0.0.0") || addresses.includes("::");
  return Object.entries(networkInterfaces()).flatMap(([name, entries = []]) =>
    entries
      .filter((entry) => (all ? !entry.internal : addresses.includes(entry.address)))
      .map((entry) => ({
        name,
        mac: entry.mac,
        address: entry.address,
        prefixLength: Number(entry.cidr?.split("/")[1] ?? 32),
      })),
  );
}
