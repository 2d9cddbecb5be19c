import { createHash } from "node:crypto";

const LIMITS = {
  /** Longest field value that is looked at; the longest real ones have some 600 characters. */
  valueLength: 4096,
  /** Parameters in one field; RFC 7616 knows 13. */
  parameters: 24,
} as const;

/** One challenge, or one set of credentials (RFC 9110 11.3, 11.4). */
export interface AuthValue {
  /** In lower case. */
  readonly scheme: string;
  /** What stands behind the scheme when it is not a list of parameters (Basic, Bearer, Negotiate). */
  readonly token: string | undefined;
  /** Names in lower case, values without quotes and escapes; of a name that occurs twice the first. */
  readonly params: ReadonlyMap<string, string>;
  /** It could be read, but breaks the grammar: a parameter twice, no closing quote, stray characters. Servers refuse this. */
  readonly malformed: boolean;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const BLANKS = /[ \t]*/y;
const SEPARATORS = /[ \t,]*/y;
/** The unquoted form, up to the next comma: devices leave out quotes around values with characters that are no token. */
const BARE = /[^,"]*/y;

/**
 * Reads the value of a WWW-Authenticate or Authorization field: one or several entries, in linear time. Tolerant, because
 * devices are not exact; what was tolerated shows in `malformed`. Too long a value reads as nothing.
 */
export function parseAuthValues(text: string): readonly AuthValue[] {
  const found: { scheme: string; token: string | undefined; params: Map<string, string>; malformed: boolean }[] = [];
  if (text.length > LIMITS.valueLength || /\p{Cc}/u.test(text.replaceAll("\t", " "))) return found;
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const match = pattern.exec(text)?.[0] ?? "";
    at += match.length;
    return match;
  };

  for (take(SEPARATORS); at < text.length; take(SEPARATORS)) {
    const last = found.at(-1);
    const name = take(TOKEN).toLowerCase();
    if (name === "") {
      if (last !== undefined) last.malformed = true;
      at += 1;
      continue;
    }
    const blank = take(BLANKS);
    if (text[at] !== "=") {
      found.push({
        scheme: name,
        token: take(TOKEN68) || undefined,
        params: new Map(),
        malformed: blank === "" && at < text.length && text[at] !== ",",
      });
      continue;
    }
    at += 1;
    take(BLANKS);
    let value: string | undefined;
    if (text[at] === '"') {
      const end = closingQuote(text, at + 1);
      value = text.slice(at + 1, end).replaceAll(/\\(.)/g, "$1");
      if (end === text.length && last !== undefined) last.malformed = true;
      at = end + 1;
    } else value = take(BARE).trimEnd();
    if (last === undefined) continue;
    if (last.params.has(name) || last.params.size === LIMITS.parameters) last.malformed = true;
    else last.params.set(name, value);
  }
  return found;
}

function closingQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

/** A quoted-string (RFC 9110 5.6.4). */
export function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** The algorithms that we speak, weakest first. `-sess` mixes the nonces into the first hash. */
const ALGORITHMS = {
  md5: { hash: "md5", session: false, strength: 1, hexDigits: 32 },
  "md5-sess": { hash: "md5", session: true, strength: 1, hexDigits: 32 },
  "sha-256": { hash: "sha256", session: false, strength: 2, hexDigits: 64 },
  "sha-256-sess": { hash: "sha256", session: true, strength: 2, hexDigits: 64 },
} as const;

export type Algorithm = (typeof ALGORITHMS)[keyof typeof ALGORITHMS];

/** The algorithm of that name; of none MD5 (RFC 7616 3.3); undefined for one that we do not speak. */
export function algorithmOf(name: string | undefined): Algorithm | undefined {
  const key = (name ?? "md5").toLowerCase();
  return Object.hasOwn(ALGORITHMS, key) ? ALGORITHMS[key as keyof typeof ALGORITHMS] : undefined;
}

export interface DigestInput {
  readonly algorithm: Algorithm;
  readonly user: string;
  readonly realm: string;
  readonly password: string;
  readonly nonce: string;
  readonly method: string;
  readonly uri: string;
  /** Absent: the form of RFC 2069, without qop. */
  readonly quality?: { readonly nc: string; readonly cnonce: string };
  /** For `-sess`, also without qop. */
  readonly cnonce?: string;
}

/** The `response` parameter (RFC 7616 3.4.1; without `quality` RFC 2617 3.2.2.1), in lower-case hexadecimal. */
export function digestResponse(input: DigestInput): string {
  const { algorithm, nonce, quality } = input;
  const h = (...parts: readonly string[]): string => createHash(algorithm.hash).update(parts.join(":")).digest("hex");
  const base = h(input.user, input.realm, input.password);
  const a1 = algorithm.session ? h(base, nonce, quality?.cnonce ?? input.cnonce ?? "") : base;
  const a2 = h(input.method, input.uri);
  return quality === undefined ? h(a1, nonce, a2) : h(a1, nonce, quality.nc, quality.cnonce, "auth", a2);
}
