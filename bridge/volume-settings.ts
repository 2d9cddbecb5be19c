import { resolve, sep } from "node:path";
import { z } from "zod";
import { Fault } from "../base/fault.ts";
import { MAIN_VOLUME, type Volume } from "../recorder/volume.ts";

const GIGABYTE = 1e9;

const LIMITS = {
  /** Each is looked at every few seconds. */
  volumes: 16,
} as const;

/** What a volume may be called, in settings and wherever one is chosen. */
export const volumeName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "a name has 1 to 64 of A-Z a-z 0-9 _ -")
  .describe("A volume by its name; `main` is the one of `recording.folder`.");

/** Disks beside the one of the recordings' folder. */
export const volumesSchema = z
  .array(
    z.strictObject({
      name: volumeName
        .refine((name) => name !== MAIN_VOLUME, `${MAIN_VOLUME} is the volume of recording.folder: take another name`)
        .describe("What is on a disk belongs to its name: a disk that was replaced by an empty one gets another."),
      folder: z.string().min(1).describe("Where its disk is mounted, or a folder on it. It has to exist."),
      role: z
        .enum(["hot", "archive"])
        .default("hot")
        .describe("`hot`: streams are recorded to it. `archive`: what is older is brought to it."),
      keepFreeGigabytes: z.number().min(0).default(1).describe("Space on its disk that stays free."),
      maxGigabytes: z.number().positive().optional().describe("What recordings may have on it (10^9 bytes)."),
    }),
  )
  .max(LIMITS.volumes)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, "two of them have one name")
  .default([])
  .describe(
    "Further disks for recordings. Where a hot one is named, the folder above is recorded to only while none of them can be.",
  );

/** When what is recorded goes to the archive volumes. */
export const archiveSchema = z
  .strictObject({
    afterHours: z
      .number()
      .min(0)
      .max(87_600)
      .default(24)
      .describe("Older recordings go to a volume of the role `archive`, if there is one; sooner where room is short."),
    megabytesPerSecond: z
      .number()
      .positive()
      .max(100_000)
      .default(50)
      .describe("How fast, at most (10^6 bytes): it must be more than what is recorded."),
  })
  .prefault({});

/** As the recorder has them. Fault `invalid` where two have the same folder, or one has its folder in another's. */
export function volumesFrom(mainFolder: string, volumes: z.output<typeof volumesSchema>): readonly Volume[] {
  const folders = [mainFolder, ...volumes.map(({ folder }) => folder)].map((one) => resolve(one));
  for (const [index, one] of folders.entries())
    for (const other of folders.slice(index + 1))
      if (one === other || `${one}${sep}`.startsWith(`${other}${sep}`) || `${other}${sep}`.startsWith(`${one}${sep}`)) {
        const tell = `recording.volumes: ${one} and ${other} are not apart: each volume has a folder of its own`;
        throw new Fault("invalid", tell, { tell });
      }
  return volumes.map(({ name, folder, role, keepFreeGigabytes, maxGigabytes }) => ({
    name,
    folder,
    role,
    keepFreeBytes: keepFreeGigabytes * GIGABYTE,
    maxBytes: maxGigabytes === undefined ? Number.POSITIVE_INFINITY : maxGigabytes * GIGABYTE,
  }));
}
