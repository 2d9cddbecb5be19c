import { z } from "zod";
import { unixMillis } from "../base/units.ts";
import { ACTS, type Act } from "./acts.ts";
import type { Approval } from "./approval.ts";
import type { ApprovalTable } from "./auth-schema.ts";
import { INTERFACES } from "./right.ts";

const instant = z.number().transform(unixMillis);

const answer = z.strictObject({ account: z.string(), who: z.string(), interface: z.enum(INTERFACES), at: instant });

const schema = z.strictObject({
  id: z.string(),
  act: z.enum(Object.keys(ACTS) as Act[]),
  account: z.string(),
  who: z.string(),
  interface: z.enum(INTERFACES),
  address: z.string(),
  words: z.string(),
  hash: z.string(),
  askedAt: instant,
  until: instant,
  state: z.enum(["waiting", "approved", "used", "refused", "withdrawn", "expired", "void"]),
  by: answer.optional(),
  why: z.string().optional(),
});

/** A request out of the database. Throws where the row makes no sense: what is not clear is not approved. */
export function approvalOf({ definition }: ApprovalTable): Approval {
  const { by, why, ...rest } = schema.parse(JSON.parse(definition));
  return { ...rest, ...(by === undefined ? {} : { by }), ...(why === undefined ? {} : { why }) };
}

export function approvalRow(one: Approval): ApprovalTable {
  return { id: one.id, asked_at: one.askedAt, definition: JSON.stringify(one) };
}
