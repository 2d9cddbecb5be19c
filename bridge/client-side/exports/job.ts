import { z } from "zod";
import type { AccessRequest } from "../../../auth/access.ts";
import { type CameraRight, INTERFACES, type Interface } from "../../../auth/right.ts";
import { Fault } from "../../../base/fault.ts";
import { CAMERA_VERDICTS } from "../../../media/signing/finding.ts";
import { LEAVABLE } from "../../../recorder/export/film.ts";
import { MAIN_STREAM } from "../../camera.ts";

/** How an export stands: made next, being made, to be fetched, or why it is not. */
export const JOB_STATES = ["waiting", "running", "ready", "failed", "cancelled"] as const;

const instant = z.number().int();

const schema = z.strictObject({
  id: z.uuid(),
  /** Who asked, by id and by name. */
  account: z.string(),
  who: z.string(),
  interface: z.enum(INTERFACES),
  address: z.string(),
  /** These, and all below, in milliseconds since 1970. */
  askedAt: instant,
  from: instant,
  to: instant,
  cameras: z.array(z.strictObject({ id: z.string(), name: z.string(), leftOut: z.array(z.enum(LEAVABLE)) })),
  /** Of each camera. */
  stream: z.string().default(MAIN_STREAM),
  reason: z.string(),
  /** It becomes an encrypted ZIP file. */
  isProtected: z.boolean(),
  /** Sealed under the master key, until the file is made. */
  password: z.string().optional(),
  state: z.enum(JOB_STATES),
  /** In words, of one that failed. */
  problem: z.string().optional(),
  /** Of the recordings, as the catalog has them. */
  expectedBytes: z.number().nonnegative(),
  /** Of the file, once it is made. */
  bytes: z.number().nonnegative().optional(),
  films: z.number().int().optional(),
  gaps: z.number().int().optional(),
  /** What cameras have signed of it themselves; of cameras that sign. */
  signatures: z
    .array(
      z.strictObject({
        camera: z.string(),
        verdicts: z.array(z.strictObject({ verdict: z.enum(CAMERA_VERDICTS), seconds: z.number() })),
        signers: z.array(
          z.strictObject({ fingerprint: z.string(), name: z.string().nullable(), issuer: z.string().nullable() }),
        ),
      }),
    )
    .optional(),
  /** Where the first film begins. */
  oldest: instant.optional(),
  /** When it became what it is, and when it is removed. */
  endedAt: instant.optional(),
  goneAt: instant.optional(),
});

/** One export that was asked for, as it is kept over a restart. */
export type Job = z.output<typeof schema>;

/** Fault `invalid` where the text is none. */
export function readJob(text: string): Job {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Fault("invalid", "this is no export job", { cause });
  }
}

export function isOver({ state }: Job): boolean {
  return state !== "waiting" && state !== "running";
}

/** All that is needed for a camera of an export: the first names it in the audit log. */
export function requestsOf(
  { id, leftOut }: Job["cameras"][number],
  door: Interface,
  address: string,
): readonly AccessRequest[] {
  const rights: readonly CameraRight[] = ["export", ...LEAVABLE.filter((right) => !leftOut.includes(right))];
  return rights.map((right) => ({ right, camera: id, interface: door, address }));
}

/** Whose export it is, for the audit log. */
export function entryOf({ id, who, interface: door, address }: Job) {
  return { who, interface: door, address, subject: id };
}
