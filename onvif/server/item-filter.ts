import type { Item } from "../../wsdl/notification.ts";

const LIMITS = {
  characters: 4096,
  tokens: 512,
  /** Brackets inside one another. */
  depth: 16,
} as const;

/** The only dialect of `wsnt:MessageContent` that is understood (ONVIF Core 9.5.6). */
export const ITEM_FILTER = "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter";

/** Whether a message is wanted, by all the items in it. */
export type ItemFilter = (items: readonly Item[]) => boolean;

type ItemTest = (item: Item) => boolean;

const TOKEN =
  /\s*(?:(boolean|not)\s*(?=\()|(and|or)(?=[\s(/@])|(\/\/\s*(?:[\p{L}_][\p{L}\p{N}._-]*:)?SimpleItem)|(@Name|@Value)|("[^"]*"|'[^']*')|([()[\]=]))/uy;

/**
 * Reads the grammar of ONVIF Core 9.5.6: `boolean(//tt:SimpleItem[@Name="State" and @Value="true"])`, joined by `and`, `or`, `not`
 * and brackets. `or` binds less than `and`. Undefined for everything else.
 */
export function readItemFilter(text: string): ItemFilter | undefined {
  const tokens = tokensOf(text);
  if (tokens === undefined) return undefined;
  const reader = new Reader(tokens);
  const filter = reader.expression(0, (depth) => reader.item(depth));
  return reader.isAtEnd ? filter : undefined;
}

function tokensOf(text: string): readonly string[] | undefined {
  const trimmed = text.trim();
  if (trimmed.length > LIMITS.characters) return undefined;
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const match = TOKEN.exec(trimmed);
    if (match === null || tokens.length === LIMITS.tokens) return undefined;
    const [, word, join, path, attribute, string, sign] = match;
    tokens.push(word ?? join ?? (path === undefined ? undefined : "//") ?? attribute ?? string ?? sign ?? "");
  }
  return tokens;
}

type Test<T> = (of: T) => boolean;

class Reader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  /** Joined by `or` and `and`; `leaf` reads what is joined. */
  expression<T>(depth: number, leaf: (depth: number) => Test<T> | undefined): Test<T> | undefined {
    return this.#joined("or", () => this.#joined("and", () => this.#factor(depth, leaf)));
  }

  /** `boolean(//SimpleItem[…])`. */
  item(depth: number): ItemFilter | undefined {
    if (!this.#takeAll("boolean", "(", "//", "[")) return undefined;
    const test = this.expression(depth + 1, () => this.#attribute());
    return test !== undefined && this.#takeAll("]", ")") ? (items) => items.some(test) : undefined;
  }

  #joined<T>(word: "and" | "or", next: () => Test<T> | undefined): Test<T> | undefined {
    const tests: Test<T>[] = [];
    do {
      const test = next();
      if (test === undefined) return undefined;
      tests.push(test);
    } while (this.#takeAll(word));
    return word === "and" ? (of) => tests.every((test) => test(of)) : (of) => tests.some((test) => test(of));
  }

  #factor<T>(depth: number, leaf: (depth: number) => Test<T> | undefined): Test<T> | undefined {
    if (depth > LIMITS.depth) return undefined;
    const negated = this.#takeAll("not");
    if (!negated && this.#tokens[this.#at] !== "(") return leaf(depth);
    if (!this.#takeAll("(")) return undefined;
    const inner = this.expression(depth + 1, leaf);
    if (inner === undefined || !this.#takeAll(")")) return undefined;
    return negated ? (of) => !inner(of) : inner;
  }

  /** `@Name="State"`. */
  #attribute(): ItemTest | undefined {
    const attribute = this.#tokens[this.#at];
    const index = attribute === "@Name" ? 0 : attribute === "@Value" ? 1 : undefined;
    const quoted = this.#tokens[this.#at + 2];
    if (index === undefined || this.#tokens[this.#at + 1] !== "=" || !/^["']/.test(quoted ?? "")) return undefined;
    this.#at += 3;
    const wanted = quoted?.slice(1, -1);
    return (item) => item[index] === wanted;
  }

  /** Takes the tokens, all or none. */
  #takeAll(...wanted: readonly string[]): boolean {
    if (!wanted.every((token, index) => this.#tokens[this.#at + index] === token)) return false;
    this.#at += wanted.length;
    return true;
  }
}
