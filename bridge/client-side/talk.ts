import { randomBytes } from "node:crypto";
import { decide } from "../../auth/access.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Lease } from "../../auth/leases.ts";
import type { Principal } from "../../auth/principal.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import type { Talk } from "../../media/back-channel.ts";
import type { TalkOffer } from "../../rtsp/server/host.ts";
import type { BridgedCamera } from "../camera.ts";
import type { Watch } from "./watch.ts";

/** Who wants to talk to which camera, from where. */
export interface TalkOptions {
  readonly who: Principal;
  readonly camera: BridgedCamera;
  /** The client's. */
  readonly address: string;
  readonly watch: Pick<Watch, "open" | "run">;
  readonly audit: Audit;
  readonly clock: Clock;
}

/**
 * The camera's speaker, for one client: undefined where it may not talk, and where the camera has none. The camera is asked only
 * for those who may. Each talk is demanded when the speaker is taken, which is kept from others no longer than the right lasts; and it
 * stands in the audit log with its beginning and its end.
 */
export async function talkOffer(o: TalkOptions): Promise<TalkOffer | undefined> {
  const { who, camera, watch, address } = o;
  const { id } = camera.info;
  if (!decide(who, { right: "talk", camera: id, interface: "rtsp" }).allowed) return undefined;
  const track = await camera.speaker.track();
  if (track === undefined) return undefined;
  return {
    track,
    take(failed) {
      watch.open(who, id, "talk", "rtsp", address);
      const lease = watch.run(who, camera, ["talk"], "rtsp", address);
      try {
        return new AuditedTalk(camera.speaker.take(failed), lease, failed, o);
      } catch (fault) {
        lease.close();
        throw fault;
      }
    },
  };
}

class AuditedTalk implements Talk {
  readonly #talk: Talk;
  readonly #lease: Lease;
  readonly #onEnded: () => void;
  readonly #o: TalkOptions;
  /** Joins beginning and end in the log. */
  readonly #id = randomBytes(4).toString("hex");
  #begunAt: number | undefined;

  constructor(talk: Talk, lease: Lease, failed: (fault: unknown) => void, o: TalkOptions) {
    this.#talk = talk;
    this.#lease = lease;
    this.#o = o;
    this.#onEnded = () => failed(new Fault("denied", "the right to talk has ended"));
    lease.ended.addEventListener("abort", this.#onEnded, { once: true });
  }

  async start(): Promise<void> {
    await this.#talk.start();
    if (this.#begunAt !== undefined) return;
    this.#begunAt = this.#o.clock.monotonic();
    this.#record("talk-begin", `talk ${this.#id}`);
  }

  push(packet: Buffer): void {
    this.#talk.push(packet);
  }

  close(): void {
    this.#lease.ended.removeEventListener("abort", this.#onEnded);
    this.#lease.close();
    this.#talk.close();
    if (this.#begunAt === undefined) return;
    const seconds = Math.round((this.#o.clock.monotonic() - this.#begunAt) / SECOND);
    this.#begunAt = undefined;
    this.#record("talk-end", `talk ${this.#id}, after ${seconds} s`);
  }

  #record(action: string, why: string): void {
    const { who, camera, address, audit } = this.#o;
    audit.record({
      who: who.name,
      action,
      camera: camera.info.id,
      interface: "rtsp",
      outcome: "allowed",
      why,
      address,
    });
  }
}
