import type { Clock, Timer } from "../base/clock.ts";
import { isoOf, SECOND } from "../base/units.ts";
import type { Item } from "../wsdl/notification.ts";
import { onvifTopic, ownTopic, type Topic } from "../wsdl/topic.ts";
import { type CameraDirectory, type CameraInfo, MAIN_STREAM, type StreamInfo } from "./camera.ts";
import type { HeardEncoder } from "./camera-control.ts";
import type { EdgeFetch } from "./edge-fetches.ts";
import type { EventBus } from "./event-bus.ts";

/** So late is the bridge's own state told at most. */
const PERIOD_MS = SECOND;

const SIGNAL_LOSS = onvifTopic("VideoSource/SignalLoss");
const JOB_STATE = onvifTopic("RecordingConfig/JobState");
const RECORDING_STATE = onvifTopic("RecordingHistory/Recording/State");
const STORAGE_FAILURE = onvifTopic("Device/HardwareFailure/StorageFailure");
/** ONVIF has no word for it. */
const FOOTAGE_FETCHED = ownTopic("RecordingHistory", "Fetched");
const PROFILE_CHANGED = onvifTopic("Media/ProfileChanged");
const CONFIGURATION_CHANGED = onvifTopic("Media/ConfigurationChanged");
const LOG_IN_FAILED = onvifTopic("Device/SecurityPolicy/AuthFailed");

/**
 * Tells on the bus what happens to cameras in the bridge's hands: lost and back, recorded or not, changed, come and gone.
 * Everything is looked at once a second, so that nothing that can change it needs to know of events.
 */
export class OwnEvents {
  readonly #bus: EventBus;
  readonly #cameras: CameraDirectory;
  readonly #timer: Timer;
  /** What each camera's profiles were, by token. */
  readonly #seen = new Map<string, ReadonlyMap<string, string>>();
  /** How cameras said the last time that they encode their streams, by token. */
  readonly #encoders = new Map<string, string>();
  /** Tokens of the recordings that something was told of. */
  readonly #recorded = new Set<string>();
  #begun = false;

  constructor(o: { readonly bus: EventBus; readonly cameras: CameraDirectory; readonly clock: Clock }) {
    this.#bus = o.bus;
    this.#cameras = o.cameras;
    this.#look();
    this.#begun = true;
    this.#timer = o.clock.every(PERIOD_MS, () => this.#look());
  }

  close(): void {
    this.#timer.cancel();
  }

  #look(): void {
    const there = new Set<string>();
    for (const { info, control } of this.#cameras.list()) {
      there.add(info.id);
      this.#state(info);
      this.#profiles(info);
      for (const [stream, encoder] of control.controls.encoders) this.#encoder(info.id, stream, encoder);
    }
    for (const id of this.#seen.keys()) {
      if (there.has(id)) continue;
      for (const token of this.#seen.get(id)?.keys() ?? []) this.#changed(id, token);
      for (const token of this.#seen.get(id)?.keys() ?? []) {
        this.#recorded.delete(token);
        this.#encoders.delete(token);
      }
      this.#seen.delete(id);
      this.#bus.forget(id);
    }
  }

  /** By the tokens of our ONVIF services: a camera's id is that of its video source. */
  #state({ id, connection, streams }: CameraInfo): void {
    const { state, since } = connection;
    this.#bus.publish({
      camera: id,
      kind: "camera-lost",
      topic: SIGNAL_LOSS,
      source: [["Source", id]],
      data: [["State", String(state === "offline")]],
      property: true,
      at: since,
    });
    for (const stream of streams) this.#recording(id, stream);
  }

  /** The profile of a stream, its recording and its recording job have one token. Streams that never are recorded have none. */
  #recording(id: string, { name, recording: { plan, state } }: StreamInfo): void {
    const token = tokenOf(id, name);
    if (name !== MAIN_STREAM && plan.mode === "off" && !this.#recorded.has(token)) return;
    this.#recorded.add(token);
    const tell = (topic: Topic, source: string, item: Item): void =>
      this.#bus.publish({
        camera: id,
        kind: "recording",
        topic,
        source: [[source, token]],
        data: [item],
        property: true,
      });
    const job = state === "failing" ? "Error" : state === "recording" ? "Active" : "Idle";
    tell(JOB_STATE, "RecordingJobToken", ["State", job]);
    tell(RECORDING_STATE, "RecordingToken", ["IsRecording", String(state === "recording")]);
  }

  /** A profile is a stream; what it is called and what it has is its configuration. */
  #profiles({ id, name, streams }: CameraInfo): void {
    const before = this.#seen.get(id);
    const now = new Map(streams.map((stream) => [tokenOf(id, stream.name), JSON.stringify([name, stream.tracks])]));
    this.#seen.set(id, now);
    if (!this.#begun) return;
    for (const token of new Set([...(before?.keys() ?? []), ...now.keys()])) {
      if (before?.get(token) === now.get(token)) continue;
      this.#changed(id, token);
      this.#configuration(id, token);
    }
  }

  /** Something was set at the camera that its stream need not show: rates, quality. What is heard for the first time is no change. */
  #encoder(camera: string, stream: string, { settings, first = settings }: HeardEncoder): void {
    const token = tokenOf(camera, stream);
    const now = JSON.stringify(settings);
    const before = this.#encoders.get(token) ?? JSON.stringify(first);
    this.#encoders.set(token, now);
    if (before !== now) this.#configuration(camera, token);
  }

  #changed(camera: string, token: string): void {
    const data = [["Token", token]] as const;
    this.#bus.publish({ camera, kind: "configuration", topic: PROFILE_CHANGED, source: [], data, property: false });
  }

  #configuration(camera: string, token: string): void {
    const data = [
      ["Token", token],
      ["Type", "VideoEncoder"],
    ] as const;
    const topic = CONFIGURATION_CHANGED;
    this.#bus.publish({ camera, kind: "configuration", topic, source: [], data, property: false });
  }
}

function tokenOf(camera: string, stream: string): string {
  return stream === MAIN_STREAM ? camera : `${camera}_${stream}`;
}

/** Tells that something is wrong with the storage, and when it is over. */
export function publishStorage(bus: EventBus, trouble: string | undefined): void {
  bus.publish({
    camera: undefined,
    kind: "storage",
    topic: STORAGE_FAILURE,
    source: [["Token", "recordings"]],
    data: [
      ["Failed", String(trouble !== undefined)],
      ["Reason", (trouble ?? "").slice(0, 200)],
    ],
    property: true,
  });
}

/** Something was fetched from a camera's own recording, or could not be. */
export function publishFetched(bus: EventBus, { camera, stream, from, to, state, why }: EdgeFetch): void {
  bus.publish({
    camera,
    kind: "recording",
    topic: FOOTAGE_FETCHED,
    source: [["RecordingToken", tokenOf(camera, stream)]],
    data: [
      ["State", state],
      ["From", isoOf(from)],
      ["To", isoOf(to)],
      ["Reason", (why ?? "").slice(0, 200)],
    ],
    property: false,
  });
}

/** Somebody was refused so often that the address has to wait. */
export function publishLogInFailed(bus: EventBus, address: string, account: string): void {
  bus.publish({
    camera: undefined,
    kind: "log-in-failed",
    topic: LOG_IN_FAILED,
    source: [],
    data: [
      ["Address", address.slice(0, 64)],
      ["UserName", account.slice(0, 64)],
    ],
    property: false,
  });
}
