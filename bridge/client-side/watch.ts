import { type AccessRequest, demand, maySee, seesNow } from "../../auth/access.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Lease, Leases } from "../../auth/leases.ts";
import type { Principal } from "../../auth/principal.ts";
import type { CameraRight, Interface } from "../../auth/right.ts";
import { Fault } from "../../base/fault.ts";
import { isoOf, SECOND } from "../../base/units.ts";
import type { Sent } from "../../media/sent.ts";
import { type BridgedCamera, type BridgedStream, type CameraDirectory, MAIN_STREAM } from "../camera.ts";

/** A lease on what is watched. */
export interface WatchLease extends Omit<Lease, "close"> {
  /** As {@link Lease.close}. What was sent is told to the audit log, where it is known, under the first right. */
  readonly close: (sent?: Sent) => void;
}

/**
 * The one way from an authenticated client to a camera, for every interface. Throws `not-found` for a camera that is
 * missing or hidden from `who`, which must look the same, and `denied` for one that `who` sees without this right.
 */
export class Watch {
  readonly #directory: CameraDirectory;
  readonly #audit: Audit;
  readonly #leases: Leases;

  constructor(directory: CameraDirectory, audit: Audit, leases: Leases) {
    this.#directory = directory;
    this.#audit = audit;
    this.#leases = leases;
  }

  /** `address`: where the client is, for the audit log. */
  open(who: Principal, camera: string, right: CameraRight, door: Interface, address: string): BridgedCamera {
    const found = this.#directory.find(camera);
    if (found === undefined) throw new Fault("not-found", `no camera ${camera}`);
    const request: AccessRequest = { right, camera, interface: door, address };
    demand(this.#audit, who, request);
    return found;
  }

  /**
   * For what begins to run with these rights, which were granted. It ends with any of them, and with the camera: close it when it
   * is over.
   */
  run(
    who: Principal,
    camera: BridgedCamera,
    rights: readonly CameraRight[],
    door: Interface,
    address: string,
  ): WatchLease {
    const requests = rights.map((right) => ({ right, camera: camera.info.id, interface: door, address }));
    const lease = this.#leases.open(who, requests);
    const since = who.now();
    let open = true;
    return {
      ended: AbortSignal.any([lease.ended, camera.removed]),
      get maxAgeMs() {
        return lease.maxAgeMs;
      },
      showed: lease.showed,
      close: (sent) => {
        lease.close();
        if (open && sent !== undefined) this.#tellSent(who, requests[0], sent, who.now() - since);
        open = false;
      },
    };
  }

  #tellSent(who: Principal, first: AccessRequest | undefined, { bytes, from, to }: Sent, ranMs: number): void {
    if (first === undefined) return;
    const { right, ...where } = first;
    this.#audit.record({
      who: who.name,
      action: `${right}-end`,
      outcome: "allowed",
      ...where,
      seconds: Math.max(0, Math.round(ranMs / SECOND)),
      bytes,
      ...(from === undefined ? {} : { from: isoOf(from) }),
      ...(to === undefined ? {} : { to: isoOf(to) }),
    });
  }

  /** A camera of which `who` may know that it exists. */
  see(who: Principal, camera: string, door: Interface): BridgedCamera {
    const found = this.#directory.find(camera);
    if (found === undefined || !maySee(who, camera, door))
      throw new Fault("not-found", `no camera ${camera} for ${who.name}`);
    return found;
  }

  /** Every camera, for who manages rights to them. */
  all(): readonly BridgedCamera[] {
    return this.#directory.list();
  }

  /** The cameras of which `who` may know that they exist. */
  visible(who: Principal, door: Interface): readonly BridgedCamera[] {
    const sees = seesNow(who, door);
    return this.#directory.list().filter(({ info }) => sees(info.id));
  }
}

/** A stream of a camera, the main one where none is named. Rights are those on the camera. Throws `not-found`. */
export function streamOf({ info, streams }: BridgedCamera, name: string = MAIN_STREAM): BridgedStream {
  const found = streams.find((stream) => stream.info.name === name);
  if (found === undefined) throw new Fault("not-found", `no stream ${name} of camera ${info.id}`);
  return found;
}

/** Ends when the account changes or the camera is removed: what was found out under them is to be found out again. */
export function endOf(who: Principal, camera: BridgedCamera): AbortSignal {
  return AbortSignal.any([who.revoked, camera.removed]);
}
