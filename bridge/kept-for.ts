import { z } from "zod";
import { Fault } from "../base/fault.ts";
import { DAY } from "../base/units.ts";
import type { Retention } from "../recorder/retention.ts";

const days = z.number().positive().max(3650);

/** What is kept of one camera. What is absent is as the settings say for each. */
export const keptForSchema = z
  .strictObject({
    /** Younger recordings are deleted only where there is no room for anything else, after an alarm. */
    minDays: days.optional(),
    maxDays: days.optional(),
    /** 10^9 bytes. */
    maxGigabytes: z.number().positive().max(1_000_000).optional(),
  })
  .refine(({ minDays, maxDays }) => minDays === undefined || maxDays === undefined || minDays <= maxDays, {
    path: ["minDays"],
    error: "the minimum is not beyond the maximum",
  });

export type KeptFor = z.output<typeof keptForSchema>;

/** Out of what a person said. Fault `invalid`, telling the first thing that is wrong. */
export function readKeptFor(value: unknown): KeptFor {
  const read = keptForSchema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const tell = `${(issue?.path ?? []).join(".") || "retention"}: ${issue?.message ?? "invalid"}`;
  throw new Fault("invalid", tell, { tell });
}

/** In the units of the recorder. */
export function retentionOf({ minDays, maxDays, maxGigabytes }: KeptFor): Retention {
  return {
    ...(minDays === undefined ? {} : { minAgeMs: minDays * DAY }),
    ...(maxDays === undefined ? {} : { maxAgeMs: maxDays * DAY }),
    ...(maxGigabytes === undefined ? {} : { maxBytes: maxGigabytes * 1e9 }),
  };
}
