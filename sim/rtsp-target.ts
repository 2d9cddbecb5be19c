import type { Quirk } from "./quirks.ts";

const TARGET = "/live";
const WITH_QUERY = "/cam/realmonitor?channel=1&subtype=0";
/** Where the stream is really, for clients that are sent there. */
const MOVED = "/moved";

/** Path and query of the stream, as the camera names it. */
export function targetOf(quirks: ReadonlySet<Quirk>): string {
  return quirks.has("query-control") ? WITH_QUERY : TARGET;
}

/** Where a client that asks for the stream at `uri` is sent; undefined where it is right. */
export function movedFrom(uri: string, quirks: ReadonlySet<Quirk>): string | undefined {
  if (!quirks.has("redirects") || withoutHost(uri) !== targetOf(quirks)) return undefined;
  return `${hostOf(uri)}${MOVED}`;
}

/** The stream's address: `named`, unless the client was sent elsewhere. */
export function baseOf(uri: string, named: string): string {
  return withoutHost(uri) === MOVED ? `${hostOf(named)}${MOVED}` : named;
}

/** What stands behind the stream's path, or undefined where the address is of something else. */
export function trackPath(uri: string, quirks: ReadonlySet<Quirk>): string | undefined {
  const path = withoutHost(uri);
  const target = [targetOf(quirks), ...(quirks.has("redirects") ? [MOVED] : [])].find((one) => path.startsWith(one));
  return target === undefined ? undefined : path.slice(target.length);
}

function hostOf(uri: string): string {
  return /^rtsp:\/\/[^/]*/i.exec(uri)?.[0] ?? "";
}

function withoutHost(uri: string): string {
  return uri.slice(hostOf(uri).length).replace(/\/$/, "");
}
