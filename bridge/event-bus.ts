import type { Clock } from "../base/clock.ts";
import { asFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { UnixMillis } from "../base/units.ts";
import { type Item, type Notification, type PropertyOperation, printNotification } from "../wsdl/notification.ts";
import { type Topic, topicKey } from "../wsdl/topic.ts";
import type { EventKind } from "./event-kind.ts";

const LIMITS = {
  /** Properties of one camera that are remembered; what it says of more is passed on as if it were over at once. */
  properties: 128,
} as const;

/** Something that happened, or is so, as it is put on the bus. */
export interface Occurrence {
  /** Undefined: the bridge itself. */
  readonly camera: string | undefined;
  /** Undefined for what has no word of our own. */
  readonly kind: EventKind | undefined;
  readonly topic: Topic;
  readonly source: readonly Item[];
  readonly key?: readonly Item[];
  readonly data: readonly Item[];
  /** It lasts until something else is said of the same. */
  readonly property: boolean;
  /** Now if absent. */
  readonly at?: UnixMillis;
  /** What the camera sent, as it sent it. */
  readonly raw?: Notification;
}

/** An occurrence as those on the bus are told of it. Immutable, and the same for all of them. */
export interface BridgeEvent {
  readonly camera: string | undefined;
  readonly kind: EventKind | undefined;
  readonly notification: Notification;
  readonly raw: Notification | undefined;
  /** The notification as `printNotification` makes it, once for all. */
  readonly xml: string;
}

class Told implements BridgeEvent {
  readonly camera: string | undefined;
  readonly kind: EventKind | undefined;
  readonly notification: Notification;
  readonly raw: Notification | undefined;
  #xml: string | undefined;

  constructor({ camera, kind, raw }: Pick<BridgeEvent, "camera" | "kind" | "raw">, notification: Notification) {
    this.camera = camera;
    this.kind = kind;
    this.raw = raw;
    this.notification = notification;
  }

  get xml(): string {
    this.#xml ??= printNotification(this.notification);
    return this.#xml;
  }

  as(operation: PropertyOperation): Told {
    return new Told(this, { ...this.notification, operation });
  }
}

/** A property, as it is told to those who ask how everything stands. */
interface Property {
  readonly initialized: Told;
  readonly value: string;
}

/**
 * What happens, from all who notice it to all who want to know: events of cameras, and the bridge's own. Remembers how every
 * property stands, and tells of changes alone. Listeners are called at once and must be quick: who cannot be keeps a bounded queue.
 */
export class EventBus {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners = new Set<(event: BridgeEvent) => void>();
  /** Of each camera, and of the bridge itself, by what they are about. */
  readonly #properties = new Map<string | undefined, Map<string, Property>>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Says nothing where a property stands as it did. */
  publish(occurrence: Occurrence): void {
    const { camera, topic, source, key, data, property, raw, kind } = occurrence;
    const base = { at: occurrence.at ?? this.#clock.now(), topic, source, data, ...(key === undefined ? {} : { key }) };
    const about = { camera, kind, raw };
    if (!property) {
      this.#tell(new Told(about, base));
      return;
    }
    const known = this.#properties.get(camera) ?? new Map<string, Property>();
    const name = JSON.stringify([topicKey(topic), source, key]);
    const value = JSON.stringify(data);
    const before = known.get(name);
    if (before?.value === value) return;
    const initialized = new Told(about, { ...base, operation: "Initialized" });
    if (before !== undefined || known.size < LIMITS.properties) known.set(name, { initialized, value });
    this.#properties.set(camera, known);
    this.#tell(before === undefined ? initialized : initialized.as("Changed"));
  }

  /** How everything stands, as events that say `Initialized`; of one camera where it is named. */
  properties(camera?: string): readonly BridgeEvent[] {
    const known = camera === undefined ? [...this.#properties.values()] : [this.#properties.get(camera) ?? new Map()];
    return known.flatMap((of) => [...of.values()].map(({ initialized }: Property) => initialized));
  }

  /** Returns how to stop listening. */
  listen(listener: (event: BridgeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A camera is gone, and with it all that was so of it. */
  forget(camera: string): void {
    const known = this.#properties.get(camera);
    this.#properties.delete(camera);
    for (const { initialized } of known?.values() ?? []) this.#tell(initialized.as("Deleted"));
  }

  #tell(event: Told): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error({ err: asFault(error) }, "somebody who listens for events failed");
      }
    }
  }
}
