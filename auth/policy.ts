import { z } from "zod";
import { Fault } from "../base/fault.ts";
import type { UnixMillis } from "../base/units.ts";
import type { DirectoryLink } from "./directory-link.ts";
import { allGrants, plainGrants, policyId, readGrants } from "./grants.ts";
import type { EffectiveGrant, Grant } from "./principal.ts";
import { type Hours, hoursSchema, TimeProfile } from "./time-profile.ts";

const LIMITS = {
  /** Of each kind. */
  parts: 1000,
  /** Groups in groups. */
  depth: 16,
  camerasOfGroup: 2000,
} as const;

/** Grants under a name, for any number of accounts. */
export interface Role {
  readonly name: string;
  /** People with it are let in nowhere before they have set up a second factor. */
  readonly secondFactor?: true;
  readonly grants: readonly Grant[];
}

/** Cameras under a name. What is granted on a group is granted on all groups below it. */
export interface CameraGroup {
  readonly name: string;
  readonly cameras: readonly string[];
  /** The group that this one is in. */
  readonly parent?: string;
}

/** Hours under a name. */
export interface NamedHours extends Hours {
  readonly name: string;
}

/** What rights are made of besides accounts, by kind. */
export interface PolicyParts {
  readonly role: Role;
  readonly group: CameraGroup;
  readonly hours: NamedHours;
}

export type PolicyKind = keyof PolicyParts;

export const POLICY_KINDS: readonly PolicyKind[] = ["role", "group", "hours"];

const name = z.string().trim().min(1).max(64);
const readers = {
  role: z.strictObject({ name, secondFactor: z.literal(true).optional(), grants: z.unknown().transform(readGrants) }),
  group: z.strictObject({
    name,
    cameras: z.array(z.string().min(1).max(64)).max(LIMITS.camerasOfGroup),
    parent: policyId.optional(),
  }),
  hours: hoursSchema.extend({ name }),
} as const;

/** The role that has everything, also what comes with later versions. It can be neither changed nor removed. */
export const ADMINISTRATOR = "administrator";

/** Roles, camera groups and time profiles of one moment. Never changes: a change is another policy. */
export class Policy {
  readonly roles: ReadonlyMap<string, Role>;
  readonly groups: ReadonlyMap<string, CameraGroup>;
  readonly hours: ReadonlyMap<string, NamedHours>;
  readonly #profiles = new Map<string, TimeProfile>();
  readonly #ofRoles = new Map<string, readonly EffectiveGrant[]>();
  readonly #ofRoleSets = new Map<string, readonly EffectiveGrant[]>();

  constructor(parts: {
    readonly roles: ReadonlyMap<string, Role>;
    readonly groups: ReadonlyMap<string, CameraGroup>;
    readonly hours: ReadonlyMap<string, NamedHours>;
  }) {
    this.roles = parts.roles;
    this.groups = parts.groups;
    this.hours = parts.hours;
  }

  /** Nothing but the administrator's role. */
  static readonly empty = new Policy({
    roles: new Map([[ADMINISTRATOR, { name: "Administrator", grants: allGrants() }]]),
    groups: new Map(),
    hours: new Map(),
  });

  /** All stored parts. Faults: `invalid`, `not-found` (one names what is not there). */
  static of(rows: readonly { readonly kind: string; readonly id: string; readonly definition: string }[]): Policy {
    const parts = { roles: new Map(Policy.empty.roles), groups: new Map(), hours: new Map() };
    for (const { kind, id, definition } of rows) {
      if (!Object.hasOwn(MAPS, kind)) throw refusal(`a part of the kind ${kind}`);
      (parts[MAPS[kind as PolicyKind]] as Map<string, unknown>).set(
        id,
        readPart(kind as PolicyKind, id, JSON.parse(definition)),
      );
    }
    const policy = new Policy(parts);
    policy.#assertWhole();
    return policy;
  }

  /** With one part put in the place of what had its id. Faults: `invalid`, `not-found` (it names what is not there). */
  with<K extends PolicyKind>(kind: K, id: string, part: PolicyParts[K]): Policy {
    assertChangeable(kind, id);
    const next = this.#with(kind, (parts) => parts.set(id, part));
    if (next.#of(kind).size > LIMITS.parts) throw refusal("there are too many already");
    next.#assertWhole();
    return next;
  }

  /** Without one part. Faults: `not-found`; `wrong-state` where other parts name it. */
  without(kind: PolicyKind, id: string): Policy {
    assertChangeable(kind, id);
    if (!this.#of(kind).has(id)) throw new Fault("not-found", `no ${kind} ${id}`);
    const next = this.#with(kind, (parts) => parts.delete(id));
    try {
      next.#assertWhole();
    } catch (cause) {
      throw new Fault("wrong-state", `${kind} ${id} is in use`, { cause, tell: `${id} is in use by others` });
    }
    return next;
  }

  /** What an account with these roles and grants of its own may do, and what the directory adds. Fault `not-found`: they name what is not there. */
  effective(account: {
    readonly roles: readonly string[];
    readonly grants: readonly Grant[];
    readonly directory?: Pick<DirectoryLink, "roles" | "expires">;
  }): readonly EffectiveGrant[] {
    const ofRoles = this.#ofAll(new Set([...account.roles, ...(account.directory?.roles ?? [])]));
    const own = account.grants.map((grant, line) => this.#resolve(grant, `account, line ${line + 1}`));
    const all = own.length === 0 ? ofRoles : [...own, ...ofRoles];
    const expires = account.directory?.expires;
    // A grant that denies stays: nothing is left that it could deny.
    return expires === undefined ? all : all.map((grant) => grantEndedBy(grant, expires));
  }

  /** Of all parts of a kind. */
  ids(kind: PolicyKind): readonly string[] {
    return [...this.#of(kind).keys()];
  }

  part<K extends PolicyKind>(kind: K, id: string): PolicyParts[K] | undefined {
    return this.#of(kind).get(id) as PolicyParts[K] | undefined;
  }

  #resolve({ groups, except, exceptGroups, hours, cameras, ...line }: Grant, source: string): EffectiveGrant {
    const excluded = [...(except ?? []), ...this.#camerasOf(exceptGroups)];
    return {
      ...line,
      source,
      cameras: cameras === "any" ? cameras : new Set([...cameras, ...this.#camerasOf(groups)]),
      ...(excluded.length === 0 ? {} : { except: new Set(excluded) }),
      ...(hours === undefined ? {} : { hours: this.#profile(hours) }),
    };
  }

  /** The same list for all who have these roles, for there may be thousands: it is indexed for decisions once. */
  #ofAll(roles: ReadonlySet<string>): readonly EffectiveGrant[] {
    const key = [...roles].join(" ");
    const grants = this.#ofRoleSets.get(key) ?? [...roles].flatMap((id) => this.#ofRole(id));
    this.#ofRoleSets.set(key, grants);
    return grants;
  }

  #ofRole(id: string): readonly EffectiveGrant[] {
    const role = this.roles.get(id);
    if (role === undefined) throw missing("role", id);
    const grants =
      this.#ofRoles.get(id) ?? role.grants.map((grant, line) => this.#resolve(grant, `role ${id}, line ${line + 1}`));
    this.#ofRoles.set(id, grants);
    return grants;
  }

  #profile(id: string): TimeProfile {
    const hours = this.hours.get(id);
    if (hours === undefined) throw missing("time profile", id);
    const profile = this.#profiles.get(id) ?? new TimeProfile(hours);
    this.#profiles.set(id, profile);
    return profile;
  }

  /** Of these groups and of all below them. */
  #camerasOf(ids: ReadonlySet<string> = new Set()): readonly string[] {
    for (const id of ids) if (!this.groups.has(id)) throw missing("group", id);
    if (ids.size === 0) return [];
    return [...this.groups].flatMap(([id, { cameras }]) =>
      this.#ancestry(id).some((one) => ids.has(one)) ? cameras : [],
    );
  }

  /** A group, the one it is in, and so on. */
  #ancestry(id: string): readonly string[] {
    const line: string[] = [];
    for (let at: string | undefined = id; at !== undefined; at = this.groups.get(at)?.parent) {
      if (line.includes(at) || line.length >= LIMITS.depth)
        throw refusal(`group ${id} is in itself, or more than ${LIMITS.depth} deep`);
      if (!this.groups.has(at)) throw missing("group", at);
      line.push(at);
    }
    return line;
  }

  /** Everything that is named is there, and no group is in itself. */
  #assertWhole(): void {
    for (const id of this.groups.keys()) this.#ancestry(id);
    this.effective({ roles: [...this.roles.keys()], grants: [] });
  }

  #with(kind: PolicyKind, change: (parts: Map<string, unknown>) => void): Policy {
    const parts = { roles: new Map(this.roles), groups: new Map(this.groups), hours: new Map(this.hours) };
    change(parts[MAPS[kind]]);
    return new Policy(parts);
  }

  #of(kind: PolicyKind): ReadonlyMap<string, unknown> {
    return this[MAPS[kind]];
  }
}

const MAPS = { role: "roles", group: "groups", hours: "hours" } as const;

/** A part out of JSON that was stored or sent. Fault `invalid`, telling the first thing that is wrong. */
export function readPart<K extends PolicyKind>(kind: K, id: string, value: unknown): PolicyParts[K] {
  if (!policyId.safeParse(id).success) throw refusal("an id has up to 64 of a-z, 0-9 and -");
  const read = readers[kind].safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw refusal(`${(issue?.path ?? []).join(".") || kind}: ${issue?.message ?? "invalid"}`);
  }
  return read.data as unknown as PolicyParts[K];
}

/** The same part for JSON. */
export function plainPart<K extends PolicyKind>(kind: K, part: PolicyParts[K]): object {
  return kind === "role" ? { ...part, grants: plainGrants((part as Role).grants) } : part;
}

function assertChangeable(kind: PolicyKind, id: string): void {
  if (kind === "role" && id === ADMINISTRATOR)
    throw new Fault("wrong-state", "the administrator's role", {
      tell: "the administrator's role can be neither changed nor removed",
    });
}

/** The grant, which is in force until `at` at the latest. One that denies stays as it is. */
export function grantEndedBy(grant: EffectiveGrant, at: UnixMillis): EffectiveGrant {
  return grant.deny === true || (grant.until ?? Number.POSITIVE_INFINITY) <= at ? grant : { ...grant, until: at };
}

function missing(kind: string, id: string): Fault {
  return new Fault("not-found", `no ${kind} ${id}`, { tell: `there is no ${kind} ${id}` });
}

function refusal(tell: string): Fault {
  return new Fault("invalid", tell, { tell });
}
