import { z } from "zod";
import { Fault } from "../base/fault.ts";
import type { Grant } from "./principal.ts";
import type { Interface, Right } from "./right.ts";

const LIMITS = {
  /** Grants of one account. */
  grants: 100,
  /** Cameras that one grant names. */
  cameras: 1000,
} as const;

const RIGHTS: readonly Right[] = [
  "live",
  "playback",
  "metadata",
  "talk",
  "adopt-camera",
  "manage-accounts",
  "read-status",
];
const INTERFACES: readonly Interface[] = ["web", "api", "onvif", "rtsp", "cli"];

const schema = z
  .array(
    z.strictObject({
      right: z.enum(RIGHTS),
      cameras: z.union([z.literal("any"), z.array(z.string().min(1).max(64)).max(LIMITS.cameras)]),
      interfaces: z.union([z.literal("any"), z.array(z.enum(INTERFACES)).max(INTERFACES.length)]),
    }),
  )
  .max(LIMITS.grants);

/** A grant in JSON: lists where {@link Grant} has sets. */
export type PlainGrant = z.infer<typeof schema>[number];

/** Grants out of JSON that was stored or sent. Fault `invalid`, telling the first thing that is wrong. */
export function readGrants(value: unknown): readonly Grant[] {
  const read = schema.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    const tell = `grants${(issue?.path ?? []).map((step) => `.${String(step)}`).join("")}: ${issue?.message ?? "invalid"}`;
    throw new Fault("invalid", tell, { tell });
  }
  return read.data.map(({ right, cameras, interfaces }) => ({
    right,
    cameras: cameras === "any" ? cameras : new Set(cameras),
    interfaces: interfaces === "any" ? interfaces : new Set(interfaces),
  }));
}

/** The same grants for JSON. */
export function plainGrants(grants: readonly Grant[]): readonly PlainGrant[] {
  return grants.map(({ right, cameras, interfaces }) => ({
    right,
    cameras: cameras === "any" ? cameras : [...cameras],
    interfaces: interfaces === "any" ? interfaces : [...interfaces],
  }));
}

/** Everything, everywhere: the first administrator's. */
export function allGrants(): readonly Grant[] {
  return RIGHTS.map((right) => ({ right, cameras: "any", interfaces: "any" }));
}
