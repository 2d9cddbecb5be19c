import { randomBytes } from "node:crypto";
import type { Audit } from "../../auth/audit.ts";
import type { Principal } from "../../auth/principal.ts";
import type { Interface } from "../../auth/right.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { Closable } from "../../base/lifecycle.ts";
import { type MonotonicMillis, SECOND } from "../../base/units.ts";
import type { BridgedCamera } from "../camera.ts";
import { LONGEST_MOVE_MS } from "../camera-control.ts";
import type { Watch } from "./watch.ts";

/** How long after its last request a holder keeps a camera from others of its rank. */
const HOLD_MS = 10 * SECOND;

/** Whoever stands before the picture goes before what runs by itself, such as a tour of an external system. */
const RANK: Readonly<Record<Principal["kind"], number>> = { integration: 1, person: 2 };

/** Where a request comes from. */
export interface AskedFrom {
  readonly interface: Interface;
  readonly address: string;
}

interface Holder {
  readonly who: Principal;
  readonly from: AskedFrom;
  readonly since: MonotonicMillis;
  /** Joins beginning and end in the log. */
  readonly id: string;
  idle: Timer;
}

/**
 * Who moves which camera: one account at a time, until it has rested for ten seconds. A person takes the camera from an external
 * system, never the other way round. Each holding stands in the audit log with its beginning and its end; the right itself is
 * demanded before. A move outlasts the holding by up to a minute, but not the right to it: the camera is stopped when that ends.
 */
export class PtzHolders implements Closable {
  readonly #clock: Clock;
  readonly #audit: Audit;
  readonly #watch: Pick<Watch, "run">;
  /** By camera; there are no more than cameras. */
  readonly #holders = new Map<string, Holder>();
  /** How to forget the last move of each camera. */
  readonly #moves = new Map<string, () => void>();

  constructor(o: { readonly clock: Clock; readonly audit: Audit; readonly watch: Pick<Watch, "run"> }) {
    this.#clock = o.clock;
    this.#audit = o.audit;
    this.#watch = o.watch;
  }

  /**
   * For one more request, with the right that it needed. Faults: `busy` where somebody else of at least the same rank holds the
   * camera; `denied` where the right has ended this moment.
   */
  take(who: Principal, camera: BridgedCamera, needs: "ptz" | "presets", from: AskedFrom): void {
    const { id } = camera.info;
    const before = this.#holders.get(id);
    const same = before !== undefined && before.who === who;
    if (before !== undefined && !same && !mayTake(who, before.who))
      throw new Fault("busy", `${before.who.name} moves ${id}`, {
        tell: "Somebody else is moving this camera: try again when they have let it rest for ten seconds",
      });
    if (needs === "ptz") this.#follow(who, camera, from);
    if (same) {
      before.idle.cancel();
      before.idle = this.#clock.after(HOLD_MS, () => this.#release(id, before));
      return;
    }
    if (before !== undefined) this.#release(id, before);
    this.#hold(who, id, from);
  }

  /** Whether nobody else has moved the camera, or kept places of it, since. */
  isHeldBy(who: Principal, camera: string): boolean {
    return this.#holders.get(camera)?.who.accountId === who.accountId;
  }

  /** What moves is stopped by the camera side. */
  close(): void {
    for (const forget of this.#moves.values()) forget();
    for (const [camera, holder] of this.#holders) this.#release(camera, holder);
  }

  #hold(who: Principal, camera: string, from: AskedFrom): void {
    const holder: Holder = {
      who,
      from,
      since: this.#clock.monotonic(),
      id: randomBytes(4).toString("hex"),
      idle: this.#clock.after(HOLD_MS, () => this.#release(camera, holder)),
    };
    this.#holders.set(camera, holder);
    this.#record(camera, holder, "ptz-begin", `ptz ${holder.id}`);
  }

  /** Stops the camera should the right to move it end while it may still be moving. */
  #follow(who: Principal, camera: BridgedCamera, from: AskedFrom): void {
    const { id } = camera.info;
    const lease = this.#watch.run(who, camera, ["ptz"], from.interface, from.address);
    if (lease.ended.aborted) {
      lease.close();
      throw new Fault("denied", `${who.name} may not move ${id} any more`, { tell: "the right to this has ended" });
    }
    this.#moves.get(id)?.();
    const forget = (): void => {
      over.cancel();
      lease.ended.removeEventListener("abort", stop);
      lease.close();
      this.#moves.delete(id);
    };
    const stop = (): void => {
      forget();
      const holder = this.#holders.get(id);
      if (holder?.who.accountId === who.accountId) this.#release(id, holder);
      // The camera has its own end of the move besides, if it cannot be reached now.
      if (!camera.removed.aborted) camera.control.ptz("Stop", { PanTilt: true, Zoom: true }).catch(() => undefined);
    };
    const over = this.#clock.after(LONGEST_MOVE_MS, forget);
    lease.ended.addEventListener("abort", stop, { once: true });
    this.#moves.set(id, forget);
  }

  #release(camera: string, holder: Holder): void {
    holder.idle.cancel();
    if (this.#holders.get(camera) !== holder) return;
    this.#holders.delete(camera);
    const seconds = Math.round((this.#clock.monotonic() - holder.since) / SECOND);
    this.#record(camera, holder, "ptz-end", `ptz ${holder.id}, after ${seconds} s`);
  }

  #record(camera: string, { who, from }: Holder, action: string, why: string): void {
    this.#audit.record({ who: who.name, action, camera, outcome: "allowed", why, ...from });
  }
}

/** An account that was changed holds nothing until it asks again. */
function mayTake(who: Principal, holder: Principal): boolean {
  return holder.revoked.aborted || holder.accountId === who.accountId || RANK[who.kind] > RANK[holder.kind];
}
