import { Fault } from "../base/fault.ts";
import type { Audit } from "./audit.ts";
import type { Principal } from "./principal.ts";
import type { CameraRight, Interface, Right } from "./right.ts";

/** One question: may it be done, with this camera, through this door? */
export interface AccessRequest {
  readonly right: Right;
  /** Needed for camera rights, without meaning for system rights. */
  readonly camera?: string;
  readonly interface: Interface;
  /** Where the caller is, for the audit log. */
  readonly address?: string;
}

export interface Decision {
  readonly allowed: boolean;
  /** For the audit log; the nearest miss when denied. Never told to the caller. */
  readonly why: string;
}

const CAMERA_RIGHTS: Readonly<Record<CameraRight, true>> = {
  live: true,
  playback: true,
  metadata: true,
  talk: true,
};

/** Rights over cameras; the others are rights over the product. */
export function isCameraRight(right: Right): right is CameraRight {
  return Object.hasOwn(CAMERA_RIGHTS, right);
}

/**
 * Decides one request. Pure: no clock, no store, no log, so that a table of cases can say all of it. Denies by default;
 * grants only add. A principal whose account has changed since is denied: fetch a new one and ask again.
 */
export function decide(who: Principal, what: AccessRequest): Decision {
  if (who.revoked.aborted) return { allowed: false, why: "the account was changed or ended" };
  const camera = isCameraRight(what.right) ? what.camera : undefined;
  if (isCameraRight(what.right) && camera === undefined) return { allowed: false, why: "no camera named" };
  let why = `no grant of ${what.right}`;
  for (const { right, cameras, interfaces } of who.grants) {
    if (right !== what.right) continue;
    if (camera !== undefined && cameras !== "any" && !cameras.has(camera)) why = `${right} is granted on other cameras`;
    else if (interfaces !== "any" && !interfaces.has(what.interface)) why = `${right} is granted on other interfaces`;
    else return { allowed: true, why: `grant of ${right}` };
  }
  return { allowed: false, why };
}

/** Any right over the camera through this door makes it visible there. What may not be seen looks like what does not exist. */
export function maySee(who: Principal, camera: string, door: Interface): boolean {
  return (Object.keys(CAMERA_RIGHTS) as CameraRight[]).some(
    (right) => decide(who, { right, camera, interface: door }).allowed,
  );
}

/**
 * The one way for a handler to pass: returns when allowed, and writes the audit entry in both cases. Throws `denied`, or
 * `not-found` when the camera is one that `who` may not even see.
 */
export function demand(audit: Audit, who: Principal, what: AccessRequest): void {
  const { allowed, why } = decide(who, what);
  audit.record({
    who: who.name,
    action: what.right,
    interface: what.interface,
    outcome: allowed ? "allowed" : "denied",
    why,
    ...(what.camera === undefined ? {} : { camera: what.camera }),
    ...(what.address === undefined ? {} : { address: what.address }),
  });
  if (allowed) return;
  const message = `${who.name} may not ${what.right} on ${what.camera ?? "the system"} through ${what.interface}: ${why}`;
  if (what.camera !== undefined && !maySee(who, what.camera, what.interface)) throw new Fault("not-found", message);
  throw new Fault("denied", message, { tell: "not allowed" });
}
