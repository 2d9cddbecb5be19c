import type { Clock } from "../../base/clock.ts";
import { asFault, type Fault } from "../../base/fault.ts";
import { type Log, Repeats } from "../../base/log.ts";
import { MINUTE, type Millis, type MonotonicMillis, SECOND } from "../../base/units.ts";
import type { CameraSide } from "../../net/sides.ts";
import { pullEvents } from "../../onvif/client/event-pull.ts";
import type { CameraRecord } from "../camera-store.ts";
import type { EventBus } from "../event-bus.ts";
import { Backoff } from "./backoff.ts";
import { EventReading } from "./event-reading.ts";
import { loginOf } from "./login.ts";

/** After this long without a failure the next one is followed by another attempt at once. */
const HEALTHY_AFTER_MS = 30 * SECOND;

/** How long a camera is left alone that refuses us: it may lock the account, or its slots must end by themselves first. */
const REFUSED_MS = 5 * MINUTE;

/** And one that says that it has no events. */
const WITHOUT_MS = 30 * MINUTE;

/** Keeps one subscription at one camera, through everything that ends it, and puts on the bus what the camera says. */
export class CameraEvents {
  readonly #o: ConstructorParameters<typeof CameraEvents>[0];
  readonly #backoff = new Backoff();
  readonly #repeats: Repeats;
  readonly #closing = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(o: {
    readonly camera: CameraRecord;
    readonly bus: EventBus;
    readonly side: CameraSide;
    /** Certificates of the site's own authority. */
    readonly ca: string | undefined;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#o = o;
    this.#repeats = new Repeats(o.clock);
  }

  /** Does nothing for a camera that was not adopted through ONVIF. */
  start(): void {
    const { deviceUrl } = this.#o.camera;
    if (deviceUrl !== undefined) this.#running = this.#run(new URL(deviceUrl));
  }

  /** Gives the slot back, within three seconds. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(device: URL): Promise<void> {
    const { clock } = this.#o;
    const { signal } = this.#closing;
    // So that not all cameras are asked in the instant in which the bridge starts.
    let waitMs = this.#backoff.next();
    while (!signal.aborted) {
      await clock.sleep(waitMs, signal).catch(() => undefined);
      if (!signal.aborted) waitMs = await this.#subscribed(device);
    }
  }

  /** One subscription, to its end. Returns how long to leave the camera alone. */
  async #subscribed(device: URL): Promise<Millis> {
    const { camera, bus, side, clock, log } = this.#o;
    const { signal } = this.#closing;
    const reading = new EventReading({ camera: camera.id, bus, clock });
    let since: MonotonicMillis | undefined;
    try {
      return await pullEvents({
        device,
        ip: camera.ip,
        ...loginOf(camera, this.#o.ca),
        side,
        clock,
        signal,
        onSubscribed: () => {
          since = clock.monotonic();
          log.info("the camera tells of its events");
        },
        onNotification: (notification) => reading.read(notification),
      });
    } catch (error) {
      if (signal.aborted) return 0;
      const fault = asFault(error);
      const suppressed = this.#repeats.admit(`${fault.kind} ${fault.message}`);
      if (suppressed !== undefined)
        log.info({ err: fault, suppressed }, "the camera tells of no events for the moment");
      if (since !== undefined && clock.monotonic() - since > HEALTHY_AFTER_MS) this.#backoff.reset();
      return since === undefined ? this.#patience(fault) : this.#backoff.next();
    } finally {
      reading.close();
    }
  }

  #patience({ kind }: Fault): Millis {
    if (kind === "unauthenticated" || kind === "denied") return REFUSED_MS;
    return kind === "invalid" && this.#backoff.failures > 2 ? WITHOUT_MS : this.#backoff.next();
  }
}
