import { z } from "zod";
import type { Principal } from "../auth/principal.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { asFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { type MonotonicMillis, SECOND } from "../base/units.ts";
import type { BridgedCamera } from "../bridge/camera.ts";
import type { AskedFrom, PtzHolders } from "../bridge/client-side/ptz-holders.ts";
import { askPtz, headOf, speedOf, type Velocity } from "../bridge/client-side/ptz-requests.ts";
import type { Watch } from "../bridge/client-side/watch.ts";
import type { WebSocket } from "../net/websocket.ts";
import { Newest } from "./newest.ts";
import { CLOSE_WRONG } from "./playback-words.ts";

const LIMITS = {
  /** A page that holds a button says so again each half second. Silence for so long is the end of the move. */
  silenceMs: 1.5 * SECOND,
  /** The camera is told to go on for so long. It is the last end of a move, should the bridge be gone. */
  moveMs: 3 * SECOND,
  /** It is told again when no more than that is left of it. */
  leftMs: 2 * SECOND,
};

const part = z.number().min(-1).max(1);
const request = z.discriminatedUnion("type", [
  /** Moves, and goes on moving while it is said again. */
  z.strictObject({ type: z.literal("move"), pan: part, tilt: part, zoom: part }),
  z.strictObject({ type: z.literal("stop") }),
]);

/** What the page is told: a sentence for people. Whatever it was that it asked for, the camera is told to stand still. */
export interface PtzRefused {
  readonly type: "refused";
  readonly why: string;
}

export interface PtzFeedOptions {
  readonly watch: Watch;
  readonly ptzHolders: PtzHolders;
  readonly clock: Clock;
  readonly log: Log;
}

const STILL: Velocity = { pan: 0, tilt: 0, zoom: 0 };

/**
 * One page that moves a camera while a button is held: a dead man's switch. The camera is stopped when the page says so, when it says
 * nothing any more, and when it is gone.
 */
export class PtzFeed {
  readonly #ws: WebSocket;
  readonly #camera: BridgedCamera;
  readonly #by: { readonly who: Principal; readonly camera: string; readonly from: AskedFrom };
  readonly #o: PtzFeedOptions;
  readonly #wishes = new Newest<Velocity>((velocity) => this.#move(velocity));
  /** What the camera was told last; undefined while it stands still for all that is known. */
  #told: { readonly velocity: Velocity; readonly until: MonotonicMillis } | undefined;
  #silence: Timer | undefined;

  constructor(
    ws: WebSocket,
    camera: BridgedCamera,
    by: { readonly who: Principal; readonly from: AskedFrom },
    o: PtzFeedOptions,
  ) {
    this.#ws = ws;
    this.#camera = camera;
    this.#by = { ...by, camera: camera.info.id };
    this.#o = o;
    ws.on("message", (data: Buffer) => this.#take(data));
  }

  /** The page is gone, or its right is. */
  close(): void {
    this.#silence?.cancel();
    this.#wishes.ask(STILL);
  }

  #take(data: Buffer): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    const asked = parsed(data);
    if (asked === undefined) {
      this.#ws.close(CLOSE_WRONG);
      this.close();
      return;
    }
    this.#silence?.cancel();
    if (asked.type === "stop") this.#wishes.ask(STILL);
    else {
      this.#silence = this.#o.clock.after(LIMITS.silenceMs, () => this.#wishes.ask(STILL));
      this.#wishes.ask({ pan: asked.pan, tilt: asked.tilt, zoom: asked.zoom });
    }
  }

  /** Never throws. */
  async #move(velocity: Velocity): Promise<void> {
    try {
      if (isStill(velocity)) await this.#stop();
      else if (!this.#isTold(velocity)) await this.#go(velocity);
    } catch (error) {
      const { message, tell } = asFault(error);
      this.#o.log.info({ why: message }, "a camera was not moved");
      this.#refuse(tell ?? "The camera cannot be moved at the moment.");
      this.#silence?.cancel();
      // It may have begun to move all the same. Where it cannot be stopped either, that need not be said again.
      await this.#stop().catch(() => undefined);
    }
  }

  #isTold({ pan, tilt, zoom }: Velocity): boolean {
    if (this.#told === undefined) return false;
    const { velocity, until } = this.#told;
    const isSame = velocity.pan === pan && velocity.tilt === tilt && velocity.zoom === zoom;
    return isSame && until - this.#o.clock.monotonic() > LIMITS.leftMs;
  }

  async #go(velocity: Velocity): Promise<void> {
    const asked = { Velocity: speedOf(headOf(this.#camera), velocity), Timeout: LIMITS.moveMs };
    const until = (this.#o.clock.monotonic() + LIMITS.moveMs) as MonotonicMillis;
    // The right is demanded, and written down, once a move; it ends with its right all the same.
    if (this.#told === undefined) {
      this.#told = { velocity, until };
      await askPtz(this.#o, this.#by, "ptz", "ContinuousMove", asked);
      return;
    }
    this.#told = { velocity, until };
    this.#o.ptzHolders.take(this.#by.who, this.#camera, "ptz", this.#by.from);
    await this.#camera.control.ptz("ContinuousMove", asked);
  }

  async #stop(): Promise<void> {
    const moved = this.#told !== undefined;
    this.#told = undefined;
    // What somebody else moves now is theirs.
    if (!moved || !this.#o.ptzHolders.isHeldBy(this.#by.who, this.#by.camera)) return;
    await this.#camera.control.ptz("Stop", { PanTilt: true, Zoom: true });
  }

  #refuse(why: string): void {
    const told: PtzRefused = { type: "refused", why };
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(JSON.stringify(told));
  }
}

function isStill({ pan, tilt, zoom }: Velocity): boolean {
  return pan === 0 && tilt === 0 && zoom === 0;
}

function parsed(data: Buffer): z.output<typeof request> | undefined {
  try {
    return request.safeParse(JSON.parse(data.toString("utf8"))).data;
  } catch {
    return undefined;
  }
}
