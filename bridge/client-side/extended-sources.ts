import type { Clock } from "../../base/clock.ts";
import { ExtendedSource } from "../../media/extended-source.ts";
import type { LiveSource } from "../../media/source.ts";
import type { BridgedCamera } from "../camera.ts";
import type { EventBus } from "../event-bus.ts";
import { EventTrack } from "./event-track.ts";

/** Live sources with the bridge's own track behind the camera's: the same one for all who watch, as long as the camera is there. */
export class ExtendedSources {
  readonly #bus: EventBus;
  readonly #clock: Clock;
  readonly #tracks = new WeakMap<BridgedCamera, EventTrack>();
  readonly #sources = new WeakMap<LiveSource, ExtendedSource>();

  constructor(bus: EventBus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  /** `live`: one of the camera's. */
  of(camera: BridgedCamera, live: LiveSource): LiveSource {
    const track = this.#tracks.get(camera) ?? new EventTrack(camera.info.id, this.#bus, this.#clock);
    this.#tracks.set(camera, track);
    const source = this.#sources.get(live) ?? new ExtendedSource(live, track);
    this.#sources.set(live, source);
    return source;
  }
}
