import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Credentials } from "../../auth/scheme/http.ts";
import { plainAddress } from "../../base/address.ts";
import { asFault, Fault } from "../../base/fault.ts";
import { Secret } from "../../base/secret.ts";
import { pinnedToHost } from "../../net/sides.ts";

const LIMITS = {
  /** An address that a person types or pastes. */
  characters: 2048,
} as const;

/** The IP address of a host name; rejects when there is none. */
export type HostLookup = (host: string) => Promise<string>;

export const systemLookup: HostLookup = async (host) => (await lookup(host)).address;

export interface RtspTarget {
  /** At `ip`, without user information. */
  readonly url: URL;
  readonly ip: string;
  /** As it was typed: a name, or the same as `ip`. */
  readonly host: string;
  readonly credentials: Credentials | undefined;
}

/**
 * Reads `rtsp://user:password@host:port/path` as people write it. User and password are percent-decoded once; an `@`, `:`,
 * `/` or `?` in the password need not be encoded. A host name is looked up now and never again: what is dialed later is the
 * address that the installer saw. Fault `invalid`, with what is wrong in `tell`.
 */
export async function targetOfRtsp(text: string, find: HostLookup): Promise<RtspTarget> {
  const whole = text.trim();
  const scheme = /^(rtsps?):\/\//i.exec(whole)?.[1]?.toLowerCase();
  if (scheme === undefined || whole.length > LIMITS.characters || /[\s\p{Cc}]/u.test(whole))
    throw refuse("this is no RTSP address like rtsp://192.0.2.10/stream");
  const { userInfo, rest } = split(whole.slice(scheme.length + 3));
  const host = /^(\[[^\]/?#]+\]|[^:/?#[\]]+)/.exec(rest)?.[1];
  if (host === undefined) throw refuse("the RTSP address names no host");
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  const ip = plainAddress(bare) ?? (await addressOf(bare, find));
  let url: URL;
  try {
    url = pinnedToHost(`${scheme}://${rest}`, ip, ["rtsp", "rtsps"]);
  } catch (cause) {
    throw refuse("this is no RTSP address like rtsp://192.0.2.10/stream", cause);
  }
  return { url, ip, host: isIP(bare) === 0 ? bare : ip, credentials: credentialsIn(userInfo) };
}

/** Whether there is a user name or password in an address, as people write it; not in what is no RTSP address. */
export function holdsLogIn(text: string): boolean {
  const rest = /^rtsps?:\/\/(.*)$/is.exec(text.trim())?.[1];
  return rest !== undefined && split(rest).userInfo !== undefined;
}

/**
 * Up to which `@` the user information goes: the last one before the first slash; when there is none, a later one, if what
 * stands before the first slash cannot be a host and a port (`user:pass/word@host`).
 */
function split(rest: string): { userInfo: string | undefined; rest: string } {
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? "";
  let at = authority.lastIndexOf("@");
  if (at < 0 && !/^(?:\[[^\]]*\]|[^:]*)(?::\d{0,5})?$/.test(authority)) at = rest.lastIndexOf("@");
  return at < 0 ? { userInfo: undefined, rest } : { userInfo: rest.slice(0, at), rest: rest.slice(at + 1) };
}

function credentialsIn(userInfo: string | undefined): Credentials | undefined {
  if (userInfo === undefined || userInfo === "") return undefined;
  const colon = userInfo.indexOf(":");
  const [user, password] = colon < 0 ? [userInfo, ""] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)];
  return { user: decoded(user), password: new Secret(decoded(password)) };
}

/** A `%` that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function addressOf(host: string, find: HostLookup): Promise<string> {
  try {
    const ip = plainAddress(await find(host));
    if (ip !== undefined) return ip;
  } catch (cause) {
    throw refuse(`the name ${host.slice(0, 100)} is not known to this machine`, cause);
  }
  throw refuse(`the name ${host.slice(0, 100)} is not known to this machine`);
}

function refuse(tell: string, cause?: unknown): Fault {
  return new Fault(
    "invalid",
    `RTSP address: ${tell}`,
    cause === undefined ? { tell } : { tell, cause: asFault(cause) },
  );
}
