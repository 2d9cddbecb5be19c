import type { DiscoveryBody, TypeName } from "../message.ts";

const RULE = "http://schemas.xmlsoap.org/ws/2005/04/discovery/";

type Probe = Extract<DiscoveryBody, { kind: "Probe" }>;

/**
 * Whether a device of these types and scopes answers a probe (WS-Discovery 5.1): it must have every type that is asked for,
 * and for every scope that is asked for one that matches. Rules that we do not know match nothing.
 */
export function matches(probe: Probe, types: readonly TypeName[], scopes: readonly string[]): boolean {
  const rule = scopeRule(probe.matchBy);
  if (rule === undefined) return false;
  return (
    probe.types.every((asked) => types.some((ours) => ours.ns === asked.ns && ours.name === asked.name)) &&
    probe.scopes.every((asked) => scopes.some((ours) => rule(asked, ours)))
  );
}

function scopeRule(matchBy: string | undefined): ((asked: string, ours: string) => boolean) | undefined {
  switch (matchBy) {
    case undefined:
    case `${RULE}rfc3986`:
    // As the schema's documentation of 2005 calls the same rule.
    case `${RULE}rfc2396`:
      return isWithin;
    case `${RULE}strcmp0`:
      return (asked, ours) => asked === ours;
    default:
      return undefined;
  }
}

/**
 * The rule of RFC 3986 (WS-Discovery 5.1): scheme and authority are equal whatever their case, and the path of `asked` is
 * the path of `ours` or a parent of it, segment by segment and with case. Dot segments and query strings match nothing.
 */
function isWithin(asked: string, ours: string): boolean {
  const [a, b] = [partsOf(asked), partsOf(ours)];
  if (a === undefined || b === undefined || a.origin !== b.origin) return false;
  return a.segments.every((segment, index) => segment === b.segments[index]);
}

function partsOf(scope: string): { origin: string; segments: readonly string[] } | undefined {
  const parts = /^([a-z][a-z0-9+.-]*:(?:\/\/[^/?#]*)?)([^?#]*)$/i.exec(scope);
  if (parts === null) return undefined;
  const segments = (parts[2] ?? "").split("/");
  if (segments.includes(".") || segments.includes("..")) return undefined;
  // `a/b/` asks for the same as `a/b`.
  if (segments.at(-1) === "") segments.pop();
  return { origin: (parts[1] ?? "").toLowerCase(), segments };
}
