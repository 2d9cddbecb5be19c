import { Fault } from "../base/fault.ts";
import { DAY, HOUR, MINUTE, type Millis, SECOND } from "../base/units.ts";
import { type PlainGrant, plainGrants, readGrants } from "./grants.ts";
import { isCameraRight, RIGHTS, type Right } from "./right.ts";

/** Longer than anything that can be said of the few cameras that a person types; more is for the API. */
const MAX_LETTERS = 4000;

/** What stands in a grant's line behind the right, in this order: a word, and what it is followed by. */
const CLAUSES = ["on", "except", "through", "at", "within", "from", "until"] as const;

type Clause = (typeof CLAUSES)[number];

const UNITS: readonly (readonly [name: string, ms: Millis])[] = [
  ["d", DAY],
  ["h", HOUR],
  ["m", MINUTE],
  ["s", SECOND],
  ["ms", 1],
];

/** Before the id of a camera group, and before that of a camera that has the name of a word of ours. */
const GROUP = "group:";
const CAMERA = "camera:";

/**
 * A grant in one line, as commands print and read it:
 *
 * `[deny] RIGHT [on CAMERAS] [except CAMERAS] [through INTERFACES] [at HOURS] [within AGE] [from INSTANT] [until INSTANT]`
 *
 * Cameras are `any`, `none`, or `gate,yard,group:outside`; an age is `90s`, `15m`, `2h` or `30d`; instants are ISO 8601 with
 * their zone. A right over the product names no cameras, and groups beside `any` are not said. {@link parseGrant} makes the
 * same grant of it.
 */
export function printGrant(grant: PlainGrant): string {
  const { right, deny, cameras, interfaces, groups, except, exceptGroups, hours, maxAgeMs, from, until } = grant;
  const said: Readonly<Record<Clause, string | undefined>> = {
    on: isCameraRight(right) ? camerasText(cameras, groups) : undefined,
    except: except === undefined && exceptGroups === undefined ? undefined : camerasText(except ?? [], exceptGroups),
    through: interfaces === "any" ? undefined : interfaces.join(",") || "none",
    at: hours,
    within: maxAgeMs === undefined ? undefined : ageText(maxAgeMs),
    from,
    until,
  };
  const clauses = CLAUSES.flatMap((clause) => (said[clause] === undefined ? [] : [clause, said[clause]]));
  return [...(deny === true ? ["deny"] : []), right, ...clauses].join(" ");
}

/** The grant that a line of {@link printGrant}'s form says. Fault `invalid`, telling what of it cannot be understood. */
export function parseGrant(line: string): PlainGrant {
  if (line.length > MAX_LETTERS) throw refusal(line.slice(0, 40), `a grant has up to ${MAX_LETTERS} letters`);
  const words = line.trim().split(/\s+/);
  const deny = words[0] === "deny";
  if (deny) words.shift();
  const right = RIGHTS.find((one) => one === words[0]);
  if (right === undefined) throw refusal(line, `${words[0] || "nothing"} is not a right: ${RIGHTS.join(", ")}`);
  const said = clausesOf(line, words.slice(1));
  const [read] = readGrants([
    {
      right,
      interfaces: listOf(said.get("through") ?? "any"),
      ...(deny ? { deny } : {}),
      ...onOf(line, right, said.get("on")),
      ...exceptOf(said.get("except")),
      ...optional("hours", said.get("at")),
      ...optional("maxAgeMs", said.has("within") ? ageOf(line, said.get("within") ?? "") : undefined),
      ...optional("from", said.get("from")),
      ...optional("until", said.get("until")),
    },
  ]);
  const [plain] = plainGrants(read === undefined ? [] : [read]);
  if (plain === undefined) throw refusal(line, "it says nothing");
  return plain;
}

function clausesOf(line: string, words: readonly string[]): ReadonlyMap<Clause, string> {
  const said = new Map<Clause, string>();
  for (let index = 0; index < words.length; index += 2) {
    const [word, value] = words.slice(index, index + 2);
    const clause = CLAUSES.find((one) => one === word);
    if (clause === undefined) throw refusal(line, `"${word}" is none of ${CLAUSES.join(", ")}`);
    if (value === undefined) throw refusal(line, `nothing follows "${clause}"`);
    if (said.has(clause)) throw refusal(line, `it says "${clause}" twice`);
    said.set(clause, value);
  }
  return said;
}

function camerasText(cameras: PlainGrant["cameras"], groups: readonly string[] = []): string {
  if (cameras === "any") return "any";
  const named = cameras.map((id) => (id === "any" || id === "none" ? `${CAMERA}${id}` : id));
  return [...named, ...groups.map((id) => `${GROUP}${id}`)].join(",") || "none";
}

function onOf(line: string, right: Right, text: string | undefined): object {
  if (text === undefined && isCameraRight(right))
    throw refusal(line, "say on which cameras: `on any`, `on gate,group:outside`");
  if (text === undefined || text === "any") return { cameras: "any" };
  const { cameras, groups } = camerasOf(text);
  return { cameras, ...optional("groups", groups) };
}

function exceptOf(text: string | undefined): object {
  if (text === undefined) return {};
  const { cameras, groups } = camerasOf(text);
  return {
    ...(groups === undefined || cameras.length > 0 ? { except: cameras } : {}),
    ...optional("exceptGroups", groups),
  };
}

function camerasOf(text: string): {
  readonly cameras: readonly string[];
  readonly groups: readonly string[] | undefined;
} {
  const all = text === "none" ? [] : text.split(",").filter((one) => one !== "");
  const groups = all.filter((one) => one.startsWith(GROUP)).map((one) => one.slice(GROUP.length));
  const cameras = all
    .filter((one) => !one.startsWith(GROUP))
    .map((one) => (one.startsWith(CAMERA) ? one.slice(CAMERA.length) : one));
  return { cameras, groups: groups.length === 0 ? undefined : groups };
}

function listOf(text: string): "any" | readonly string[] {
  if (text === "any") return text;
  return text === "none" ? [] : text.split(",");
}

function ageText(ms: Millis): string {
  const [name, unit] = UNITS.find(([, one]) => ms % one === 0) ?? ["ms", 1];
  return `${ms / unit}${name}`;
}

function ageOf(line: string, text: string): Millis {
  const { count, unit } = /^(?<count>\d{1,12})(?<unit>[a-z]+)$/.exec(text)?.groups ?? {};
  const ms = UNITS.find(([name]) => name === unit)?.[1];
  if (ms === undefined) throw refusal(line, `an age is like 90s, 15m, 2h or 30d, not "${text}"`);
  return Number(count) * ms;
}

function optional(name: string, value: unknown): object {
  return value === undefined ? {} : { [name]: value };
}

function refusal(line: string, why: string): Fault {
  const tell = `the grant "${line}" cannot be read: ${why}`;
  return new Fault("invalid", tell, { tell });
}
