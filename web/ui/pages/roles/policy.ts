import { call } from "../../api.ts";

/** One line of rights, as the API has it. */
export interface Grant {
  readonly right: string;
  readonly cameras: "any" | readonly string[];
  readonly interfaces: "any" | readonly string[];
  readonly deny?: true;
  readonly groups?: readonly string[];
  readonly except?: readonly string[];
  readonly exceptGroups?: readonly string[];
  readonly hours?: string;
  readonly maxAgeMs?: number;
  readonly from?: string;
  readonly until?: string;
}

export interface Role {
  readonly id: string;
  readonly name: string;
  /** People with it must have a second factor. */
  readonly secondFactor?: true;
  readonly grants: readonly Grant[];
}

export interface Group {
  readonly id: string;
  readonly name: string;
  readonly cameras: readonly string[];
  readonly parent?: string;
}

export interface Hours {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly weekly: readonly { readonly days: readonly number[]; readonly from: string; readonly to: string }[];
  readonly exceptions: readonly {
    readonly date: string;
    readonly until?: string;
    readonly windows: readonly { readonly from: string; readonly to: string }[];
  }[];
}

/** What rights are made of, and the words for it. */
export interface Policy {
  readonly role: readonly Role[];
  readonly group: readonly Group[];
  readonly hours: readonly Hours[];
  readonly rights: readonly { readonly right: string; readonly words: string; readonly ofCamera: boolean }[];
  readonly interfaces: readonly string[];
}

/** What an account may do at an instant. */
export interface EffectiveRights {
  readonly at: string;
  readonly roles: readonly string[];
  /** Its own. */
  readonly grants: readonly Grant[];
  /** Why nobody is let in by it. */
  readonly out?: string;
  readonly rights: readonly {
    readonly right: string;
    readonly interface: string;
    readonly cameras: readonly string[];
  }[];
}

/** Whether it may, and why. */
export interface Answer {
  readonly allowed: boolean;
  readonly why: string;
  readonly hidden: boolean;
  readonly until?: string;
  readonly maxAgeMs?: number;
  readonly grants: readonly { readonly source: string; readonly deny: boolean; readonly match: string }[];
}

export type Kind = "role" | "group" | "hours";

export const policyApi = {
  all: () => call<Policy>("GET", "/api/policy"),
  set: (kind: Kind, { id, ...part }: Role | Group | Hours) =>
    call<void>("PUT", `/api/policy/${kind}/${encodeURIComponent(id)}`, part),
  remove: (kind: Kind, id: string) => call<void>("DELETE", `/api/policy/${kind}/${encodeURIComponent(id)}`),
  rightsOf: (account: string, at?: string) =>
    call<EffectiveRights>(
      "GET",
      `/api/accounts/${account}/rights${at === undefined ? "" : `?${new URLSearchParams({ at })}`}`,
    ),
  setRights: (account: string, rights: { readonly roles: readonly string[]; readonly grants: readonly Grant[] }) =>
    call<void>("PUT", `/api/accounts/${account}/rights`, rights),
  why: (account: string, question: Readonly<Record<string, string>>) =>
    call<Answer>("GET", `/api/accounts/${account}/why?${new URLSearchParams(question)}`),
};
