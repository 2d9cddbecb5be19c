import type { z } from "zod";
import { Fault } from "../base/fault.ts";

/** The query of a request, checked. Fault `invalid`, telling the first thing that is wrong. */
export function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const tell = `${(issue?.path ?? []).join(".")}: ${issue?.message ?? "invalid"}`;
  throw new Fault("invalid", tell, { tell });
}
