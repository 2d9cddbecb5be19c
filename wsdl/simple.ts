import { DAY, HOUR, MINUTE, type Millis, SECOND, type UnixMillis, unixMillis } from "../base/units.ts";
import type { Simple } from "./schema.ts";

/** A type of XML Schema part 2 whose blanks at both ends do not count. */
function simple<T>(name: string, print: (of: T) => string, parse: (text: string) => T | undefined): Simple<T> {
  return { kind: "simple", name, values: undefined, print, parse: (text) => parse(text.trim()) };
}

export const string: Simple<string> = {
  kind: "simple",
  name: "xs:string",
  values: undefined,
  print: (of) => of,
  parse: (text) => text,
};

/** Text with at most `maxCharacters`. Longer text of our own is a bug, except where the caller has cut it. */
export function text(name: string, maxCharacters = Number.POSITIVE_INFINITY): Simple<string> {
  return { ...string, name, parse: (of) => (of.length <= maxCharacters ? of : undefined) };
}

const same = (of: string): string => of;
export const token: Simple<string> = simple("xs:token", same, (of) => of.replaceAll(/\s+/g, " "));
/** Not checked any further than XML Schema does, which is not at all. */
export const anyURI: Simple<string> = simple("xs:anyURI", same, same);

/** Blanks collapsed; the rest as in {@link text}. */
export const tokenText = (name: string): Simple<string> => ({ ...token, name });

export const boolean: Simple<boolean> = simple("xs:boolean", String, (of) =>
  of === "true" || of === "1" ? true : of === "false" || of === "0" ? false : undefined,
);

function whole(name: string, least: number, most: number): Simple<number> {
  return simple(
    name,
    (of) => String(Math.trunc(of)),
    (of) => {
      const number = /^[+-]?\d{1,20}$/.test(of) ? Number(of) : Number.NaN;
      return number >= least && number <= most ? number : undefined;
    },
  );
}

export const int: Simple<number> = whole("xs:int", -(2 ** 31), 2 ** 31 - 1);
/** Unbounded by the schema; what does not fit into a double as a whole number is refused. */
export const integer: Simple<number> = whole("xs:integer", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

export const float: Simple<number> = simple(
  "xs:float",
  (of) => String(Number(of.toPrecision(7))),
  (of) => {
    const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/.test(of) ? Number(of) : Number.NaN;
    return Number.isNaN(number) ? undefined : number;
  },
);

/** Always printed in UTC with `Z` (Core 5.4); read without a zone it is taken for UTC. */
export const dateTime: Simple<UnixMillis> = simple(
  "xs:dateTime",
  (of) => new Date(of).toISOString(),
  (of) => {
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?$/.test(of)) return undefined;
    const at = Date.parse(/(?:Z|[+-]\d\d:\d\d)$/.test(of) ? of : `${of}Z`);
    return Number.isNaN(at) ? undefined : unixMillis(at);
  },
);

const DURATION =
  /^(-)?P(?=[\dT])(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const DURATION_UNITS: readonly Millis[] = [365 * DAY, 30 * DAY, DAY, HOUR, MINUTE, SECOND];

/** Milliseconds. A year is read as 365 days and a month as 30. */
export const duration: Simple<Millis> = simple(
  "xs:duration",
  (of) => `${of < 0 ? "-" : ""}PT${Math.abs(Math.round(of)) / 1000}S`,
  (of) => {
    const match = of.length > 100 ? null : DURATION.exec(of);
    if (match === null) return undefined;
    const exact = DURATION_UNITS.reduce((total, unit, index) => total + unit * Number(match[index + 2] ?? 0), 0);
    // Seconds with a fraction times 1000 are off by a little: 524482.084 s are 524482084.00000006 ms.
    const sum = Math.round(exact * 1000) / 1000;
    return match[1] === undefined ? sum : -sum;
  },
);

/** One of the given words. */
export function oneOf<const V extends readonly string[]>(name: string, ...values: V): Simple<V[number]> {
  return {
    kind: "simple",
    name,
    values,
    print: same,
    parse: (of) => values.find((word) => word === of.trim()),
  };
}

/** Values with blanks between them; none of them may hold a blank itself. */
export function listOf<T>(name: string, item: Simple<T>): Simple<readonly T[]> {
  return simple(
    name,
    (of) => of.map((one) => item.print(one)).join(" "),
    (of) => {
      const items = of === "" ? [] : of.split(/\s+/).map((word) => item.parse(word));
      return items.every((one) => one !== undefined) ? items : undefined;
    },
  );
}
