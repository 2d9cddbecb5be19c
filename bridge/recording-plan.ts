import { z } from "zod";
import type { AuditEntry } from "../auth/audit.ts";
import { hoursSchema } from "../auth/time-profile.ts";
import { Fault } from "../base/fault.ts";
import { SECOND } from "../base/units.ts";
import { CAMERA_EVENT_KINDS } from "./event-kind.ts";
import { volumeName } from "./volume-settings.ts";

const LIMITS = {
  triggers: 20,
  /** Held in memory for each stream that waits. */
  beforeSeconds: 60,
  afterSeconds: 3600,
} as const;

/** What the bridge says itself cannot start what it says it of. */
const OWN_TOPICS = /^tns1:(?:Media|RecordingConfig|RecordingHistory)(?:\/|$)/;

const topic = z
  .string()
  .max(256)
  .regex(/^tns1:[\p{L}_][^/\s|]*(?:\/[^/\s|]+)*$/u, "a topic is written as tns1:RuleEngine/LineDetector/Crossed")
  .refine((text) => !OWN_TOPICS.test(text), "the bridge's own events start no recording");

const events = z.strictObject({
  of: z
    .array(z.union([z.enum(CAMERA_EVENT_KINDS), topic]))
    .min(1)
    .max(LIMITS.triggers)
    .default(["motion"])
    .describe("Words of the bridge's (`motion`, `digital-input`), or topics, each with all that is below it."),
  beforeSeconds: z
    .number()
    .min(0)
    .max(LIMITS.beforeSeconds)
    .default(5)
    .describe("What was before the event is kept from here on, and from the key frame before that."),
  afterSeconds: z
    .number()
    .min(1)
    .max(LIMITS.afterSeconds)
    .default(10)
    .describe("Recording goes on for at least so long after the event is over."),
});

/** When a stream is recorded, as a person sets it. `off` may keep what it was before, to go back to. */
export const recordingPlanSchema = z
  .strictObject({
    mode: z.enum(["off", "continuous", "schedule", "events"]),
    hours: hoursSchema
      .optional()
      .describe("`schedule`: recorded within them. `events`: an event counts within them alone."),
    events: events.optional(),
    volume: volumeName
      .optional()
      .describe("The volume that it is recorded to while that can be written. Default: any."),
  })
  .refine(({ mode, hours }) => mode !== "schedule" || hours !== undefined, {
    path: ["hours"],
    error: "a schedule has hours: zone, weekly, exceptions",
  })
  .transform((plan) => (plan.mode === "events" ? { ...plan, events: plan.events ?? events.parse({}) } : plan));

export type RecordingPlan = z.output<typeof recordingPlanSchema>;

/** What makes a stream be recorded on events, and how much around them. */
export type EventTriggers = z.output<typeof events>;

/** The longest that can be set of what is around an event. */
export const LONGEST_MS = { before: LIMITS.beforeSeconds * SECOND, after: LIMITS.afterSeconds * SECOND } as const;

export const NOT_RECORDED: RecordingPlan = { mode: "off" };

/** What the audit log has of a change of plan, besides who made it. */
export function recordingChange(
  camera: string,
  stream: string,
  before: RecordingPlan,
  after: RecordingPlan,
): Required<Pick<AuditEntry, "camera" | "why" | "before" | "after">> & {
  readonly action: "set-recording";
  readonly outcome: "allowed";
} {
  const change = { before: JSON.stringify(before), after: JSON.stringify(after) };
  return { action: "set-recording", outcome: "allowed", camera, why: `${stream} ${after.mode}`, ...change };
}

/** Out of JSON that a person sent. Fault `invalid`, telling the first thing that is wrong. */
export function readRecordingPlan(value: unknown): RecordingPlan {
  const read = recordingPlanSchema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const tell = `${["recording", ...(issue?.path ?? [])].join(".")}: ${issue?.message ?? "invalid"}`;
  throw new Fault("invalid", tell, { tell });
}

/** The plan with recording switched off, or on again as it was. */
export function switched(plan: RecordingPlan, on: boolean): RecordingPlan {
  if ((plan.mode !== "off") === on) return plan;
  if (!on) return { ...plan, mode: "off" };
  const mode = plan.events !== undefined ? "events" : plan.hours !== undefined ? "schedule" : "continuous";
  return { ...plan, mode };
}
