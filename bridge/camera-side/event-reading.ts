import type { Clock, Timer } from "../../base/clock.ts";
import { MINUTE, type MonotonicMillis, SECOND } from "../../base/units.ts";
import { MOST_MESSAGES } from "../../onvif/client/pull-point.ts";
import { meaningOf, overIn } from "../../onvif/client/topics.ts";
import type { Item, Notification } from "../../wsdl/notification.ts";
import { onvifTopic, topicKey } from "../../wsdl/topic.ts";
import type { EventBus } from "../event-bus.ts";

const LIMITS = {
  /** What a camera says in one second: one answer at least. The rest is left out, but for the ends of what is so. */
  eventsPerSecond: MOST_MESSAGES,
  /** Things of one camera that can be so at one time, and whose ends are known; of ends, the one that came longest ago is forgotten first. */
  states: 128,
} as const;

/** How long something is taken to last that a camera says the beginning of, and never the end (Reolink: ZoneMinder 2dc48e433). */
const UNENDED_MS = MINUTE;

/** Contacts are one way or the other, and neither is an end: they stand as the camera said last. */
const CONTACTS: ReadonlySet<string | undefined> = new Set(["digital-input", "relay"]);

/** What the bridge itself says of every camera, or says under names of its own: a camera's word for it would be another thing. */
const OURS = /^(?:Media|RecordingConfig|RecordingHistory|VideoSource SignalLoss)(?: |$)/;

/** Kinds that every client looks for under one topic, whatever the camera's is called. */
const COMMON = {
  motion: onvifTopic("VideoSource/MotionAlarm"),
  tamper: onvifTopic("VideoSource/GlobalSceneChange/ImagingService"),
} as const;

/**
 * Puts what one camera says on the bus: motion and tampering under the topics that every client knows, once however many detectors
 * the camera has; all else as it came, with the camera's id in the place of its own names for itself.
 */
export class EventReading {
  readonly #camera: string;
  readonly #bus: EventBus;
  readonly #clock: Clock;
  /** What is so now, by what the camera calls it; each with the end that is made up for it, if it is. */
  readonly #active = new Map<string, { readonly notification: Notification; readonly end: Timer | undefined }>();
  /** What the camera has been seen to end by itself. */
  readonly #ends = new Set<string>();
  #second = { from: 0 as MonotonicMillis, count: 0 };

  constructor(o: { readonly camera: string; readonly bus: EventBus; readonly clock: Clock }) {
    this.#camera = o.camera;
    this.#bus = o.bus;
    this.#clock = o.clock;
  }

  read(raw: Notification): void {
    if (OURS.test(topicKey(raw.topic))) return;
    const meaning = meaningOf(raw);
    // A camera may say only once that something is over.
    const ends = meaning?.active === false && this.#active.has(nameOf(raw));
    if (!ends && !this.#admits()) return;
    if (meaning?.active !== undefined) this.#state(raw, meaning.active);
    if (meaning?.kind === "motion" || meaning?.kind === "tamper") this.#tellCommon(meaning.kind, raw);
    else this.#tell(raw);
  }

  /** The camera is not listened to any more: nothing is known to be so. */
  close(): void {
    for (const [name, { end }] of this.#active) {
      end?.cancel();
      this.#end(name);
    }
  }

  #admits(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#second.from >= SECOND) this.#second = { from: now, count: 0 };
    this.#second.count += 1;
    return this.#second.count <= LIMITS.eventsPerSecond;
  }

  #state(raw: Notification, active: boolean): void {
    const name = nameOf(raw);
    const before = this.#active.get(name);
    before?.end?.cancel();
    this.#active.delete(name);
    if (!active) {
      if (before !== undefined) this.#learnEnd(name);
      return;
    }
    if (this.#active.size >= LIMITS.states) return;
    const isEnded = this.#ends.has(name) || CONTACTS.has(meaningOf(raw)?.kind);
    const end = isEnded ? undefined : this.#clock.after(UNENDED_MS, () => this.#end(name));
    this.#active.set(name, { notification: raw, end });
  }

  #learnEnd(name: string): void {
    this.#ends.delete(name);
    this.#ends.add(name);
    const [oldest] = this.#ends;
    if (this.#ends.size > LIMITS.states && oldest !== undefined) this.#ends.delete(oldest);
  }

  /** Says for the camera that it is over. */
  #end(name: string): void {
    const notification = this.#active.get(name)?.notification;
    this.#active.delete(name);
    const kind = notification && meaningOf(notification)?.kind;
    if (kind === "motion" || kind === "tamper") this.#tellCommon(kind, undefined);
    else if (notification !== undefined && !CONTACTS.has(kind))
      this.#tell({ ...notification, data: overIn(notification) });
  }

  #tellCommon(kind: keyof typeof COMMON, raw: Notification | undefined): void {
    const active = [...this.#active.values()].some(({ notification }) => meaningOf(notification)?.kind === kind);
    this.#bus.publish({
      camera: this.#camera,
      kind,
      topic: COMMON[kind],
      source: [["Source", this.#camera]],
      data: [["State", String(active)]],
      property: true,
      ...(raw === undefined ? {} : { raw }),
    });
  }

  #tell(raw: Notification): void {
    const { topic, source, key, data, operation } = raw;
    this.#bus.publish({
      camera: this.#camera,
      kind: meaningOf(raw)?.kind,
      topic,
      source: this.#named(source),
      ...(key === undefined ? {} : { key }),
      data,
      property: operation !== undefined && operation !== "Deleted",
      raw,
    });
  }

  /** With tokens that are the bridge's: cameras call their sources alike. The camera is always named. */
  #named(source: readonly Item[]): readonly Item[] {
    let named = false;
    const items = source.map(([name, value]): Item => {
      if (/^(?:Video|Audio)?Source(?:Configuration)?(?:Token)?$/i.test(name)) {
        named = true;
        return [name, this.#camera];
      }
      return name.endsWith("Token") ? [name, `${this.#camera}_${value}`.slice(0, 64)] : [name, value];
    });
    return named ? items : [["Source", this.#camera], ...items];
  }
}

/** By what a camera tells one thing from another. */
function nameOf({ topic, source, key }: Notification): string {
  return JSON.stringify([topicKey(topic), source, key]);
}
