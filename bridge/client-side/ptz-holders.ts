import { randomBytes } from "node:crypto";
import type { Audit } from "../../auth/audit.ts";
import type { Principal } from "../../auth/principal.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { type MonotonicMillis, SECOND } from "../../base/units.ts";
import type { BridgedCamera } from "../camera.ts";

/** How long after its last request a holder keeps a camera from others of its rank. */
const HOLD_MS = 10 * SECOND;

/** Whoever stands before the picture goes before what runs by itself, such as a tour of an external system. */
const RANK: Readonly<Record<Principal["kind"], number>> = { integration: 1, person: 2 };

interface Holder {
  readonly who: Principal;
  readonly address: string;
  readonly since: MonotonicMillis;
  /** Joins beginning and end in the log. */
  readonly id: string;
  idle: Timer;
}

/**
 * Who moves which camera: one account at a time, until it has rested for ten seconds. A person takes the camera from an external
 * system, never the other way round. Each holding stands in the audit log with its beginning and its end; the right itself is
 * demanded before. When the holder's account is changed or ended, the camera is stopped.
 */
export class PtzHolders {
  readonly #clock: Clock;
  readonly #audit: Audit;
  /** By camera; there are no more than cameras. */
  readonly #holders = new Map<string, Holder>();

  constructor(o: { readonly clock: Clock; readonly audit: Audit }) {
    this.#clock = o.clock;
    this.#audit = o.audit;
  }

  /** For one more request. Fault `busy` where somebody else of at least the same rank holds the camera. */
  take(who: Principal, camera: BridgedCamera, address: string): void {
    const { id } = camera.info;
    const before = this.#holders.get(id);
    if (before?.who.accountId === who.accountId && before.who.revoked === who.revoked) {
      before.idle.cancel();
      before.idle = this.#clock.after(HOLD_MS, () => this.#release(id, before));
      return;
    }
    if (before !== undefined && before.who.accountId !== who.accountId && RANK[before.who.kind] >= RANK[who.kind])
      throw new Fault("busy", `${before.who.name} moves ${id}`, {
        tell: "Somebody else is moving this camera: try again when they have let it rest for ten seconds",
      });
    if (before !== undefined) this.#release(id, before);
    this.#hold(who, camera, address);
  }

  #hold(who: Principal, camera: BridgedCamera, address: string): void {
    const { id } = camera.info;
    const holder: Holder = {
      who,
      address,
      since: this.#clock.monotonic(),
      id: randomBytes(4).toString("hex"),
      idle: this.#clock.after(HOLD_MS, () => this.#release(id, holder)),
    };
    this.#holders.set(id, holder);
    this.#record(id, holder, "ptz-begin", `ptz ${holder.id}`);
    const gone = AbortSignal.any([who.revoked, camera.removed]);
    const stop = (): void => {
      if (this.#holders.get(id) !== holder) return;
      this.#release(id, holder);
      // The camera has its own end of the move besides, if it cannot be reached now.
      if (!camera.removed.aborted) camera.control.ptz("Stop", { PanTilt: true, Zoom: true }).catch(() => undefined);
    };
    gone.addEventListener("abort", stop, { once: true });
  }

  #release(camera: string, holder: Holder): void {
    holder.idle.cancel();
    if (this.#holders.get(camera) !== holder) return;
    this.#holders.delete(camera);
    const seconds = Math.round((this.#clock.monotonic() - holder.since) / SECOND);
    this.#record(camera, holder, "ptz-end", `ptz ${holder.id}, after ${seconds} s`);
  }

  #record(camera: string, { who, address }: Holder, action: string, why: string): void {
    this.#audit.record({ who: who.name, action, camera, interface: "onvif", outcome: "allowed", why, address });
  }
}
