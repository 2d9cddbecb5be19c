import { Fault } from "../base/fault.ts";
import { type Audit, needsAudit } from "./audit.ts";
import { type Decision, decideAt, maySeeAt } from "./decision.ts";
import type { Principal } from "./principal.ts";
import type { Interface, Right } from "./right.ts";

/** One question: may it be done now, with this camera, through this door? */
export interface AccessRequest {
  readonly right: Right;
  /** Needed for camera rights, without meaning for system rights. */
  readonly camera?: string;
  readonly interface: Interface;
  /** Where the caller is, for the audit log. */
  readonly address?: string;
}

/** Who was known may not: `denied`, or `not-found` where the camera may not even be seen. What is in it is for the administrator. */
export class AccessFault extends Fault {
  readonly right: Right;
  readonly camera: string | undefined;
  readonly why: string;

  constructor(
    kind: "denied" | "not-found",
    who: Principal,
    { right, camera, interface: door }: AccessRequest,
    why: string,
  ) {
    const message = `${who.name} may not ${right} on ${camera ?? "the system"} through ${door}: ${why}`;
    super(kind, message, kind === "denied" ? { tell: "not allowed" } : {});
    this.right = right;
    this.camera = camera;
    this.why = why;
  }
}

/**
 * Decides one request at this moment; see {@link decideAt}. A principal whose account has changed since is denied: fetch a new
 * one and ask again.
 */
export function decide(who: Principal, what: AccessRequest): Decision {
  const at = who.now();
  if (who.revoked.aborted)
    return { allowed: false, why: "the account was changed or ended", validUntil: at, maxAgeMs: 0 };
  return decideAt(who.grants, { right: what.right, camera: what.camera, interface: what.interface, at });
}

/** The same of several rights over one camera, all at this moment: what comes back is to be asked at once, and not kept. */
export function allowedNow(
  who: Principal,
  where: Pick<AccessRequest, "camera" | "interface">,
): (right: Right) => boolean {
  if (who.revoked.aborted) return () => false;
  const question = { camera: where.camera, interface: where.interface, at: who.now() };
  return (right) => decideAt(who.grants, { right, ...question }).allowed;
}

/** Of which cameras `who` may know, all at this moment: to be asked at once, as {@link allowedNow}. */
export function seesNow(who: Principal, door: Interface): (camera: string) => boolean {
  if (who.revoked.aborted) return () => false;
  const at = who.now();
  return (camera) => maySeeAt(who.grants, { camera, interface: door, at });
}

/** Whether `who` may know of the camera, through this door; see {@link maySeeAt}. What may not be seen looks like what does not exist. */
export function maySee(who: Principal, camera: string, door: Interface): boolean {
  return !who.revoked.aborted && maySeeAt(who.grants, { camera, interface: door, at: who.now() });
}

/**
 * The one way for a handler to pass: returns when allowed, and writes the audit entry in both cases. Throws `denied`, or
 * `not-found` when the camera is one that `who` may not even see.
 */
export function demand(audit: Audit, who: Principal, what: AccessRequest): Decision {
  const decision = decide(who, what);
  const { allowed, why } = decision;
  audit.record({
    who: who.name,
    action: what.right,
    interface: what.interface,
    outcome: allowed ? "allowed" : "denied",
    why,
    ...(what.camera === undefined ? {} : { camera: what.camera }),
    ...(what.address === undefined ? {} : { address: what.address }),
  });
  if (allowed && audit.failing === true && needsAudit(what.right))
    throw new Fault("unavailable", `${who.name} may ${what.right}, but the audit log cannot be written`, {
      tell: "the audit log cannot be written, so that this is refused: look after the disk of the bridge",
    });
  if (allowed) return decision;
  const hidden = what.camera !== undefined && !maySee(who, what.camera, what.interface);
  throw new AccessFault(hidden ? "not-found" : "denied", who, what, why);
}
