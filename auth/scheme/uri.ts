/** What a request names, without the parts in which clients spell one resource differently. */
interface Resource {
  readonly path: string;
  readonly query: string;
}

/**
 * True when the `uri` that a client signed denotes what it asks for. Scheme, host, port, a slash at the end and percent
 * signs do not count, for clients and proxies write them in their own ways. In RTSP clients also sign the presentation's
 * address where they ask for a track one segment below it, or the other way around, with or without the query; and
 * anything for OPTIONS, which names nothing.
 */
export function denotesSame(signed: string, asked: string, door: string, method: string): boolean {
  if (signed === asked) return true;
  const [a, b] = [resourceOf(signed), resourceOf(asked)];
  if (door !== "rtsp") return a.path === b.path && a.query === b.query;
  if (method === "OPTIONS" && (signed === "*" || asked === "*")) return true;
  if (a.query !== b.query && a.query !== "" && b.query !== "")
    return isTrackOf(whole(a), whole(b)) || isTrackOf(whole(b), whole(a));
  return a.path === b.path || isTrackOf(a.path, b.path) || isTrackOf(b.path, a.path);
}

function resourceOf(uri: string): Resource {
  const rest = uri.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, "");
  const mark = rest.indexOf("?");
  const [path, query] = mark < 0 ? [rest, ""] : [rest.slice(0, mark), rest.slice(mark + 1)];
  return { path: plain(path), query: plain(query) };
}

function whole({ path, query }: Resource): string {
  return `${path}?${query}`;
}

function isTrackOf(track: string, presentation: string): boolean {
  if (presentation === "" || !track.startsWith(`${presentation}/`)) return false;
  return !track.slice(presentation.length + 1).includes("/");
}

function plain(text: string): string {
  const bare = text.replace(/\/$/, "");
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}
