import { Fault, isFault } from "../../base/fault.ts";
import type { PresentationAddress } from "./host.ts";

const LIMITS = { characters: 2048, segments: 8 };

const TRACK = /\/track(\d{1,3})$/;

/** What stands in a request line (RFC 2326 3.2), taken apart. */
export interface RequestAddress extends PresentationAddress {
  /** Of the presentation as the client wrote it, without user information, track and slash at the end. */
  readonly base: string;
  /** Tells presentations apart: path and query, however the client spells the rest. */
  readonly key: string;
  /** Index of the track, where one is named. */
  readonly track: number | undefined;
}

/**
 * Reads the address of a presentation or of one of its tracks, by whichever scheme the client came. Clients put a track behind the path or, joining texts, behind
 * the query (`…?at=-5m/track0`); both are understood. Fault `invalid`.
 */
export function parseAddress(uri: string): RequestAddress {
  if (uri.length > LIMITS.characters) throw new Fault("invalid", `address of ${uri.length} characters`);
  const parts = /^((?:rtsp|http|ws)s?:\/\/)(?:[^/?#@]*@)?([^/?#@]+)([^?#]*)(?:\?([^#]*))?$/i.exec(uri);
  if (parts === null) throw new Fault("invalid", "not an RTSP address", { tell: "this is no RTSP address" });
  const [, scheme = "", host = "", rawPath = "", rawQuery = ""] = parts;
  const [trimmed, query] = [withoutSlashes(rawPath), withoutSlashes(rawQuery)];
  const behindPath = TRACK.exec(trimmed);
  const behindQuery = behindPath === null ? TRACK.exec(query) : null;
  // Clients that join the base of a description and its track by a slash of their own write two of them.
  const path = behindPath === null ? trimmed : withoutSlashes(trimmed.slice(0, behindPath.index));
  const track = (behindPath ?? behindQuery)?.[1];
  const segments = path.split("/").slice(1).map(decoded);
  if (segments.length > LIMITS.segments) throw new Fault("invalid", `address of ${segments.length} segments`);
  const words = withoutSlashes(behindQuery === null ? query : query.slice(0, behindQuery.index));
  const suffix = words === "" ? "" : `?${words}`;
  return {
    base: `${scheme}${host}${path}${suffix}`,
    key: `/${segments.map(encodeURIComponent).join("/")}${suffix}`,
    segments,
    query: new URLSearchParams(suffix),
    track: track === undefined ? undefined : Number(track),
  };
}

/** The track that an address names, if it is one. */
export function trackIn(uri: string): number | undefined {
  try {
    return parseAddress(uri).track;
  } catch (error) {
    if (isFault(error, "invalid")) return undefined;
    throw error;
  }
}

/** Addresses of a description: what relative ones are relative to, the presentation's own, and a track's. */
export interface ControlAddresses {
  readonly contentBase: string;
  readonly aggregate: string;
  track(index: number): string;
}

/**
 * Relative addresses as everybody understands them; absolute ones where there is a query, for clients disagree on how to join
 * a relative address to that.
 */
export function controlAddresses({ base }: RequestAddress): ControlAddresses {
  const mark = base.indexOf("?");
  if (mark < 0) return { contentBase: `${base}/`, aggregate: "*", track: (index) => `track${index}` };
  const [path, query] = [base.slice(0, mark), base.slice(mark)];
  return { contentBase: base, aggregate: base, track: (index) => `${path}/track${index}${query}` };
}

/** The address of one track in full, as RTP-Info names it (RFC 2326 12.33). */
export function trackAddress({ base }: RequestAddress, index: number): string {
  const mark = base.indexOf("?");
  const path = mark < 0 ? base : base.slice(0, mark);
  return `${path}/track${index}${mark < 0 ? "" : base.slice(mark)}`;
}

/** Those at the end. */
function withoutSlashes(text: string): string {
  return text.replace(/\/+$/, "");
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Fault("invalid", `address with a broken escape: ${segment.slice(0, 80)}`);
  }
}
