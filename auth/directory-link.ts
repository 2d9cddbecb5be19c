import { z } from "zod";
import { Fault } from "../base/fault.ts";
import type { Secret } from "../base/secret.ts";
import { type UnixMillis, unixMillis } from "../base/units.ts";

/** Why a directory keeps somebody out: disabled there, or not in it any more, or in no group that gives a role. */
export type Out = "disabled" | "gone";

/** What ties an account to a person of a directory. Kept up by syncs alone. */
export interface DirectoryLink {
  /** The directory's name in the configuration. */
  readonly directory: string;
  /** The person's, for ever: somebody else under the same name has another. */
  readonly id: string;
  /** Ids of roles that the person's groups give, besides those of the account. */
  readonly roles: readonly string[];
  /** Absent: the directory lets them in. */
  readonly out?: Out;
  /** From then on it does not. */
  readonly expires?: UnixMillis;
}

/** One change of accounts that a sync makes. */
export type DirectoryChange =
  | { readonly make: string; readonly link: DirectoryLink }
  /** `name`: where it becomes another one. */
  | { readonly account: string; readonly name?: string; readonly link: DirectoryLink };

/** What a directory says to a log-in. `change-password`: it was right, and has to be changed first. */
export type DirectoryAnswer = "in" | "wrong" | "change-password" | "unreachable";

/** Log-ins of people whose passwords directories have. */
export interface DirectoryLogIn {
  /** Whether the directory lets the person in with the password, now. Fault `busy`. */
  logIn(link: DirectoryLink, password: Secret): Promise<DirectoryAnswer>;
  /** One of the directories cannot be asked just now. */
  readonly down: boolean;
}

/** Whether the directory, if any, lets an account in at that instant. */
export function letsIn(link: DirectoryLink | undefined, at: UnixMillis): boolean {
  return link === undefined || (link.out === undefined && at < (link.expires ?? Number.POSITIVE_INFINITY));
}

const schema = z.strictObject({
  directory: z.string(),
  id: z.string(),
  roles: z.array(z.string()),
  out: z.enum(["disabled", "gone"]).optional(),
  expires: z.number().transform(unixMillis).optional(),
});

/** A link out of the database. Fault `invalid`. */
export function readLink(text: string | null): DirectoryLink | undefined {
  if (text === null) return undefined;
  const read = schema.safeParse(JSON.parse(text));
  if (!read.success) throw new Fault("invalid", `a link to a directory makes no sense: ${text}`);
  const { out, expires, ...rest } = read.data;
  return { ...rest, ...(out === undefined ? {} : { out }), ...(expires === undefined ? {} : { expires }) };
}
