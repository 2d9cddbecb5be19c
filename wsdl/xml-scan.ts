// What nearly all tags are written with is found here without a regular expression, which costs more than all else of reading. What is not
// found here is not wrong: the expressions have the last word.

const [BLANK, COLON, EQUAL] = [" ".charCodeAt(0), ":".charCodeAt(0), "=".charCodeAt(0)];
const ASCII = 0x80;

/** By the codes of ASCII: what a name begins with (XML 1.0 2.3) is 1, what it only goes on with is 2. */
const IN_NAMES = Uint8Array.from({ length: ASCII }, (_, code) => {
  const character = String.fromCharCode(code);
  return /[A-Za-z_]/.test(character) ? 1 : /[.0-9-]/.test(character) ? 2 : 0;
});

/** With a prefix, `first` is that. */
export interface WrittenName {
  readonly first: string;
  readonly second: string | undefined;
}

interface Found extends WrittenName {
  /** The character behind it. */
  readonly end: number;
}

/** A name at `from`. Undefined where there is none, or one that is not of ASCII alone. */
export function asciiName(text: string, from: number): Found | undefined {
  const end = nameEnd(text, from);
  if (end === from || isBeyond(text, end)) return undefined;
  const first = text.slice(from, end);
  if (text.charCodeAt(end) !== COLON) return { first, second: undefined, end };
  const last = nameEnd(text, end + 1);
  if (isBeyond(text, last)) return undefined;
  // A colon without a name behind it is none of this one.
  return last === end + 1 ? { first, second: undefined, end } : { first, second: text.slice(end + 1, last), end: last };
}

/** An attribute at `from`: one blank, a name of ASCII, `=` without blanks, and a value in quotes. Undefined where none is written so. */
export function asciiAttribute(text: string, from: number): (Found & { readonly value: string }) | undefined {
  if (text.charCodeAt(from) !== BLANK) return undefined;
  const name = asciiName(text, from + 1);
  if (name === undefined || text.charCodeAt(name.end) !== EQUAL) return undefined;
  const quote = text[name.end + 1];
  if (quote !== '"' && quote !== "'") return undefined;
  const begin = name.end + 2;
  const end = text.indexOf(quote, begin);
  if (end === -1) return undefined;
  const value = text.slice(begin, end);
  return value.includes("<") ? undefined : { first: name.first, second: name.second, value, end: end + 1 };
}

function nameEnd(text: string, from: number): number {
  if (IN_NAMES[text.charCodeAt(from)] !== 1) return from;
  let end = from + 1;
  while ((IN_NAMES[text.charCodeAt(end)] ?? 0) > 0) end += 1;
  return end;
}

function isBeyond(text: string, at: number): boolean {
  return text.charCodeAt(at) >= ASCII;
}
