import {
  AndFilter,
  Client,
  EqualityFilter,
  type Filter,
  FilterParser,
  type Entry as LdapEntry,
  NotFilter,
  OrFilter,
  ResultCodeError,
  SubstringFilter,
} from "ldapts";
import { type Clock, within } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import type { Secret } from "../base/secret.ts";
import { SECOND } from "../base/units.ts";
import type { LdapStream } from "./framing.ts";
import { BindFault, refusalOf, resultWords } from "./refusal.ts";

const LIMITS = {
  /** For an answer, or a page of one. */
  answerMs: 30 * SECOND,
  /** A wrong password at a slow server must not keep the others waiting. */
  bindMs: 10 * SECOND,
  pageSize: 500,
  /** Entries of one search. More people than accounts can be are more than anybody meant. */
  entries: 100_000,
} as const;

const INVALID_CREDENTIALS = 49;
const NO_SUCH_OBJECT = 32;
/** Time limit, busy, unavailable: another server, or the same one later, may do it. */
const PASSING: ReadonlySet<number> = new Set([3, 51, 52]);

/** An entry, with all values as bytes, by attribute in lower case. */
export interface Entry {
  readonly dn: string;
  readonly values: ReadonlyMap<string, readonly Buffer[]>;
}

export interface Search {
  readonly base: string;
  readonly scope?: "base" | "one" | "sub";
  readonly filter: string;
  readonly attributes: readonly string[];
}

/**
 * An LDAP connection over a stream that stands. It is never made anew: what is lost is lost, so that nothing is ever sent over a
 * connection that nobody has checked. References to other servers are not followed.
 */
export class Connection implements Closable {
  readonly #client: Client;
  readonly #stream: LdapStream;
  readonly #clock: Clock;

  constructor(stream: LdapStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    let given = false;
    const createConnection = (() => {
      if (given || stream.destroyed)
        throw new Fault("unavailable", "the connection to the directory is lost", { tell: LOST });
      given = true;
      return stream;
    }) as never;
    // The host is without meaning: the connection stands.
    this.#client = new Client({ url: "ldap://directory", createConnection });
  }

  /** Log-in by name and password. Faults: {@link BindFault}; `unavailable`. An empty password is refused unasked: servers may take it for nobody (RFC 4513 5.1.2). */
  async bind(who: string, password: Secret): Promise<void> {
    if (who === "" || password.reveal() === "") throw new BindFault("wrong", who);
    try {
      await this.#answered(LIMITS.bindMs, this.#client.bind(who, password.reveal()));
    } catch (error) {
      if (error instanceof ResultCodeError && error.code === INVALID_CREDENTIALS)
        throw new BindFault(refusalOf(error.message), who);
      throw failureOf(error, `log-in as ${who}`);
    }
  }

  /** All entries, in pages. Faults: `unavailable`, `invalid` (the filter, or too many entries). */
  async *search({ base, scope = "sub", filter, attributes }: Search): AsyncGenerator<Entry> {
    let count = 0;
    try {
      const paged = { pageSize: LIMITS.pageSize };
      const names = [...attributes];
      const options = { scope, filter: parsed(filter), attributes: names, explicitBufferAttributes: names, paged };
      const pages = this.#client.searchPaginated(base, options);
      for (;;) {
        const page = await this.#answered(LIMITS.answerMs, pages.next());
        if (page.done === true) return;
        for (const entry of page.value.searchEntries) {
          count += 1;
          if (count > LIMITS.entries) throw new Fault("invalid", "too many entries", { tell: TOO_MANY });
          yield entryOf(entry);
        }
      }
    } catch (error) {
      throw failureOf(error, `search of ${base === "" ? "the server's own entry" : base} for ${filter}`);
    }
  }

  /** One entry; undefined where there is none. */
  async read(dn: string, attributes: readonly string[], filter = "(objectClass=*)"): Promise<Entry | undefined> {
    try {
      for await (const entry of this.search({ base: dn, scope: "base", filter, attributes })) return entry;
    } catch (error) {
      if (resultCodeOf(error) !== NO_SUCH_OBJECT) throw error;
    }
    return undefined;
  }

  close(): void {
    this.#stream.destroy();
  }

  async #answered<T>(limitMs: number, work: Promise<T>): Promise<T> {
    const late = (): Fault => {
      this.#stream.destroy();
      const tell = `the directory server did not answer within ${limitMs / SECOND} s`;
      return new Fault("unavailable", tell, { tell });
    };
    try {
      return await within(this.#clock, limitMs, work, late);
    } catch (error) {
      // What `ldapts` says of a lost connection hides why it was lost.
      throw this.#stream.errored instanceof Fault ? this.#stream.errored : error;
    }
  }
}

const LOST = "the connection to the directory server was lost";
const TOO_MANY = `the directory has more than ${LIMITS.entries} entries there: narrow the base or the filter`;

function resultCodeOf(error: unknown): number | undefined {
  const cause = error instanceof Fault ? error.cause : error;
  return cause instanceof ResultCodeError ? cause.code : undefined;
}

function failureOf(error: unknown, what: string): Fault {
  if (error instanceof Fault) return error;
  const code = resultCodeOf(error);
  const why = code === undefined ? LOST : resultWords(code);
  const tell = `${what} failed: ${why}`;
  const passing = code === undefined || PASSING.has(code);
  return new Fault(passing ? "unavailable" : "invalid", tell, { tell, cause: error });
}

/**
 * `ldapts` takes an escaped byte for a character of that number, and writes it as UTF-8: it would never find an objectGUID. So every
 * character that is not ASCII is escaped by its bytes first, and what comes out is bytes again.
 */
function parsed(filter: string): Filter {
  const escaped = filter.replace(/[^\0-\x7f]+/g, (text) =>
    [...Buffer.from(text, "utf8")].map((byte) => `\\${byte.toString(16)}`).join(""),
  );
  try {
    return inBytes(FilterParser.parseString(escaped));
  } catch (cause) {
    const tell = `${filter} is no search filter (RFC 4515)`;
    throw new Fault("invalid", tell, { tell, cause });
  }
}

function inBytes(filter: Filter): Filter {
  if (filter instanceof AndFilter || filter instanceof OrFilter) for (const one of filter.filters) inBytes(one);
  else if (filter instanceof NotFilter) inBytes(filter.filter);
  else if (filter instanceof EqualityFilter) filter.value = Buffer.from(filter.value.toString(), "latin1");
  else
    for (const key of ["value", "initial", "final"] as const) {
      const part = (filter as { value?: unknown; initial?: unknown; final?: unknown })[key];
      if (typeof part === "string") Object.assign(filter, { [key]: Buffer.from(part, "latin1").toString("utf8") });
    }
  if (filter instanceof SubstringFilter)
    filter.any = filter.any.map((part) => Buffer.from(part, "latin1").toString("utf8"));
  return filter;
}

function entryOf({ dn, ...attributes }: LdapEntry): Entry {
  const values = new Map<string, readonly Buffer[]>();
  for (const [name, value] of Object.entries(attributes)) {
    const all = Array.isArray(value) ? value : [value];
    if (all.length > 0)
      values.set(
        name.toLowerCase(),
        all.map((one) => (typeof one === "string" ? Buffer.from(one, "utf8") : one)),
      );
  }
  return { dn, values };
}
