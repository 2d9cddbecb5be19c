/** Longest value that is kept; beyond it nobody can read it in a list. */
const VALUE_CHARACTERS = 200;

const PREFIX = "onvif://www.onvif.org/";

/** What the scopes of a device say of it to people (Core 7.3.2.2): its `name`, `hardware` or `location`. */
export type ScopeKind = "name" | "hardware" | "location";

/**
 * The first scope of that kind as plain text: percent-decoded, without control characters, undefined when there is none.
 * Locations with several parts (`location/country/germany`) come as `country/germany`.
 */
export function scopeValue(scopes: readonly string[], kind: ScopeKind): string | undefined {
  const start = `${PREFIX}${kind}/`;
  for (const scope of scopes) {
    if (!scope.toLowerCase().startsWith(start)) continue;
    const value = decoded(scope.slice(start.length))
      .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ")
      .trim()
      .slice(0, VALUE_CHARACTERS);
    if (value !== "") return value;
  }
  return undefined;
}

/** Percent-decoding that leaves alone what is not percent-encoded UTF-8: some devices put bare text there. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
