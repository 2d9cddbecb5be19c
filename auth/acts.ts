import { z } from "zod";

/** What can be set to wait for a second person, and in which words it is told. Logging in is set by role. */
export const ACTS = {
  export: "export recordings",
  unlock: "take a lock off recordings",
  "change-retention": "change how long recordings of a camera are kept",
  "remove-camera": "remove a camera",
  "forget-volume": "give up what is recorded on a volume",
  "pass-brake": "pass the brake of a directory",
  "grant-administrator": "give the right to manage accounts, or to approve",
  arm: "arm an external system, or let it in without",
  "log-in": "log in at the pages",
} as const;

export type Act = keyof typeof ACTS;

/** The part of the configuration that says what waits for a second person. Nothing does by itself. */
export const approvalSchema = z
  .strictObject({
    acts: z
      .array(z.enum(Object.keys(ACTS) as Act[]).exclude(["log-in"]))
      .default([])
      .describe(
        "What one person asks for and another one, with the right `approve`, has to approve before it is done.",
      ),
    logInOf: z
      .array(z.string().min(1).max(64))
      .default([])
      .describe(
        "Ids of roles: who has one of them logs in at the pages when another person has approved it. Not those who may approve themselves, so that somebody can be the first.",
      ),
    minutes: z
      .number()
      .min(1)
      .max(1440)
      .default(15)
      .describe("How long a request waits, and how long it may be used once it is approved."),
  })
  .prefault({});

export type ApprovalSettings = z.output<typeof approvalSchema>;
