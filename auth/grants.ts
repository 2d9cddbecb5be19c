import { z } from "zod";
import { Fault } from "../base/fault.ts";
import { unixMillis } from "../base/units.ts";
import type { Grant } from "./principal.ts";
import { INTERFACES, isCameraRight, RIGHTS } from "./right.ts";

const LIMITS = {
  /** Grants of one account or role. */
  grants: 200,
  /** Cameras, or groups, that one grant names. */
  cameras: 1000,
} as const;

/** What a person chooses to name roles, groups and time profiles in grants and commands. */
export const policyId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "an id has up to 64 of a-z, 0-9 and -");

const ids = z.array(z.string().min(1).max(64)).max(LIMITS.cameras);
const groups = z.array(policyId).max(LIMITS.cameras);
/** ISO 8601 with its zone, kept in UTC. */
const instant = z.iso.datetime({ offset: true });

const line = z
  .strictObject({
    right: z.enum(RIGHTS),
    cameras: z.union([z.literal("any"), ids]),
    interfaces: z.union([z.literal("any"), z.array(z.enum(INTERFACES)).max(INTERFACES.length)]),
    deny: z.literal(true).optional(),
    groups: groups.optional(),
    except: ids.optional(),
    exceptGroups: groups.optional(),
    hours: policyId.optional(),
    maxAgeMs: z.number().int().positive().optional(),
    from: instant.optional(),
    until: instant.optional(),
  })
  .refine(({ deny, maxAgeMs }) => deny !== true || maxAgeMs === undefined, "what denies has no age limit")
  .refine(
    ({ right, maxAgeMs }) => maxAgeMs === undefined || /^(?:playback|search|export)$/.test(right),
    "an age limit is one of playback, search or export",
  )
  .refine(
    ({ right, groups: named, except, exceptGroups }) =>
      isCameraRight(right) || (named ?? except ?? exceptGroups) === undefined,
    "a right over the product names no cameras",
  );

const schema = z.array(line).max(LIMITS.grants);

/** A grant in JSON: lists where {@link Grant} has sets, and ISO 8601 where it has instants. */
export type PlainGrant = z.infer<typeof line>;

/** Grants out of JSON that was stored or sent. Fault `invalid`, telling the first thing that is wrong. */
export function readGrants(value: unknown): readonly Grant[] {
  const read = schema.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    const tell = `grants${(issue?.path ?? []).map((step) => `.${String(step)}`).join("")}: ${issue?.message ?? "invalid"}`;
    throw new Fault("invalid", tell, { tell });
  }
  return read.data.map(grantOf);
}

/** The same grants for JSON. */
export function plainGrants(grants: readonly Grant[]): readonly PlainGrant[] {
  return grants.map(plainOf);
}

function grantOf({
  right,
  cameras,
  interfaces,
  groups: named,
  except,
  exceptGroups,
  from,
  until,
  ...rest
}: PlainGrant): Grant {
  return {
    right,
    cameras: cameras === "any" ? cameras : new Set(cameras),
    interfaces: interfaces === "any" ? interfaces : new Set(interfaces),
    ...given("groups", named && new Set(named)),
    ...given("except", except && new Set(except)),
    ...given("exceptGroups", exceptGroups && new Set(exceptGroups)),
    ...given("from", from === undefined ? undefined : unixMillis(Date.parse(from))),
    ...given("until", until === undefined ? undefined : unixMillis(Date.parse(until))),
    ...given("deny", rest.deny),
    ...given("hours", rest.hours),
    ...given("maxAgeMs", rest.maxAgeMs),
  };
}

function plainOf({
  right,
  cameras,
  interfaces,
  groups: named,
  except,
  exceptGroups,
  from,
  until,
  ...rest
}: Grant): PlainGrant {
  return {
    right,
    cameras: cameras === "any" ? cameras : [...cameras],
    interfaces: interfaces === "any" ? interfaces : [...interfaces],
    ...given("groups", named && [...named]),
    ...given("except", except && [...except]),
    ...given("exceptGroups", exceptGroups && [...exceptGroups]),
    ...given("from", from === undefined ? undefined : new Date(from).toISOString()),
    ...given("until", until === undefined ? undefined : new Date(until).toISOString()),
    ...rest,
  };
}

/** The property, where it has a value. */
function given<K extends string, V>(name: K, value: V | undefined): { readonly [name in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [name in K]?: V });
}

/** Everything, everywhere, at all times. */
export function allGrants(): readonly Grant[] {
  return RIGHTS.map((right) => ({ right, cameras: "any", interfaces: "any" }));
}
