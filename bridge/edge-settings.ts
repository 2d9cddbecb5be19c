import { z } from "zod";

/** Gaps that are filled from what cameras recorded themselves, as a person sets it. */
export const edgeSchema = z
  .strictObject({
    fill: z
      .union([z.literal("all"), z.array(z.string().min(1).max(64)).max(10_000)])
      .default([])
      .describe(
        "The ids of the cameras of which gaps are filled from their own recordings (ONVIF Profile G, an SD card), or `all`. Default: none.",
      ),
    atOnce: z.int().min(1).max(32).default(2).describe("From so many cameras at once."),
    megabitsPerSecond: z
      .number()
      .min(1)
      .max(10_000)
      .default(16)
      .describe(
        "What is fetched from all of them together (10^6 bits each second): the cameras' network has live streams to carry.",
      ),
    maxHours: z
      .number()
      .positive()
      .max(720)
      .default(72)
      .describe("Gaps that ended longer ago are left alone: most cards have been written over by then."),
  })
  .prefault({});

export type EdgeSettings = z.output<typeof edgeSchema>;
