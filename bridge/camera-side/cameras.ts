import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import { Hub } from "../../media/hub.ts";
import type { RecordedSource } from "../../media/source.ts";
import type { CameraSide } from "../../net/sides.ts";
import { SyncPoint } from "../../onvif/client/sync-point.ts";
import type { Archive } from "../../recorder/archive.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import type { BridgedCamera, CameraDirectory, CameraInfo, Connection, TransportSetting } from "../camera.ts";
import { type CameraRecord, type CameraStore, cameraIdFor } from "../camera-store.ts";
import { Ingest } from "./ingest.ts";

/** How many cameras one bridge takes; what they need was measured for a hundred, the rest is reserve. */
const MAX_CAMERAS = 1000;

/** The name of the stream that is pulled and recorded for every camera. */
const MAIN_STREAM = "main";

/** One adopted camera at work: its upstream session, its hub, its recorder. */
class RunningCamera implements BridgedCamera {
  readonly record: CameraRecord;
  readonly live: Hub;
  readonly recorded: RecordedSource;
  readonly #removal = new AbortController();
  readonly #recorder: StreamRecorder;
  readonly #ingest: Ingest;
  readonly #leave: () => void;
  readonly #closing = new AbortController();
  #connection: Connection;
  /** What is still being written to the record. */
  #remembering: Promise<void> = Promise.resolve();

  constructor(
    record: CameraRecord,
    o: { side: CameraSide; archive: Archive; store: CameraStore; clock: Clock; log: Log },
  ) {
    const log = o.log.child({ camera: record.id });
    this.record = record;
    this.#connection = { state: "connecting", since: o.clock.now() };
    this.live = new Hub({ clock: o.clock, log });
    this.recorded = o.archive.source(record.id);
    const recorder = o.archive.recorder(record.id, MAIN_STREAM);
    this.#recorder = recorder;
    this.#leave = this.live.join({
      deliver: (group) => recorder.push(group),
      changed: () => recorder.describe(this.live.tracks),
    });
    this.#ingest = new Ingest({
      url: new URL(record.streamUrl),
      credentials: record.credentials,
      tls: record.tlsPin === undefined ? undefined : { pin: record.tlsPin },
      transport: { setting: record.transport, used: record.workedTransport },
      ...this.#syncPoint(o, log),
      side: o.side,
      hub: this.live,
      clock: o.clock,
      log,
      onLost: (why) => recorder.gap(why),
      onConnection: (connection) => {
        // The instant of the first failure stays, so that "offline since" is true after many attempts.
        if (connection.state === "connecting" && this.#connection.state === "offline") return;
        if (connection.state === "offline" && this.#connection.state === "offline")
          this.#connection = { ...connection, since: this.#connection.since };
        else this.#connection = connection;
        if (connection.state === "online") recorder.describe(this.live.tracks);
      },
      onTransport: (used) => {
        this.#remembering = this.#remembering
          .then(() => o.store.rememberTransport(record.id, used))
          // It will be found out again.
          .catch((err: unknown) => log.warn({ err }, "what transport works is not remembered"));
      },
    });
  }

  get info(): CameraInfo {
    return {
      id: this.record.id,
      number: this.record.number,
      name: this.record.name,
      manufacturer: this.record.manufacturer,
      model: this.record.model,
      connection: this.#connection,
      transport: this.#ingest.transport,
      tracks: this.live.tracks,
      recording: this.#recorder.live !== undefined,
      unrecordable: this.#recorder.unrecordable,
      quirks: this.#ingest.quirks,
    };
  }

  get removed(): AbortSignal {
    return this.#removal.signal;
  }

  /** Only of a camera that was adopted through ONVIF. */
  #syncPoint(o: { side: CameraSide; clock: Clock }, log: Log): { readonly syncPoint?: SyncPoint } {
    const { deviceUrl, streamUrl, ip, credentials, tlsPin } = this.record;
    if (deviceUrl === undefined) return {};
    const syncPoint = new SyncPoint({
      device: new URL(deviceUrl),
      stream: new URL(streamUrl),
      ip,
      ...(credentials === undefined ? {} : { credentials }),
      ...(tlsPin === undefined ? {} : { tls: { pin: tlsPin } }),
      side: o.side,
      clock: o.clock,
      log,
      signal: this.#closing.signal,
    });
    return { syncPoint };
  }

  start(): void {
    this.#ingest.start();
  }

  setTransport(setting: TransportSetting): void {
    this.#ingest.setTransport(setting);
  }

  /** Ends the readers where the camera is removed, and seals what was recorded. */
  async close(options: { readonly removed: boolean }): Promise<void> {
    this.#closing.abort();
    if (options.removed) this.#removal.abort();
    await this.#ingest.close();
    this.#leave();
    await this.#recorder.close();
    await this.#remembering;
  }
}

/** All adopted cameras: pulled and recorded from the start of the process to its end. */
export class Cameras implements CameraDirectory {
  readonly #store: CameraStore;
  readonly #archive: Archive;
  readonly #parts: ConstructorParameters<typeof RunningCamera>[1];
  readonly #running = new Map<string, RunningCamera>();

  private constructor(parts: ConstructorParameters<typeof RunningCamera>[1]) {
    this.#store = parts.store;
    this.#archive = parts.archive;
    this.#parts = parts;
  }

  static async start(o: {
    readonly store: CameraStore;
    readonly side: CameraSide;
    readonly archive: Archive;
    readonly clock: Clock;
    readonly log: Log;
    readonly metrics: Metrics;
  }): Promise<Cameras> {
    const { store, side, archive, clock, log } = o;
    const cameras = new Cameras({ store, side, archive, clock, log });
    for (const record of await store.list()) cameras.#run(record);
    o.metrics.measure("viaduct_cameras", "Adopted cameras", () => cameras.#running.size);
    o.metrics.measure("viaduct_cameras_online", "Cameras whose stream is flowing", () => {
      return cameras.list().filter((camera) => camera.info.connection.state === "online").length;
    });
    return cameras;
  }

  list(): readonly RunningCamera[] {
    return [...this.#running.values()];
  }

  find(id: string): RunningCamera | undefined {
    return this.#running.get(id);
  }

  /** Saves the camera and starts to pull and record it. The id is made from its name and never given to another camera. */
  async add(
    adopted: Omit<CameraRecord, "id" | "number" | "adoptedAt" | "transport" | "workedTransport">,
  ): Promise<CameraRecord> {
    if (this.#running.size >= MAX_CAMERAS)
      throw new Fault("busy", `more than ${MAX_CAMERAS} cameras`, {
        tell: `this bridge takes ${MAX_CAMERAS} cameras at most`,
      });
    const same = this.list().find(
      (camera) => camera.record.ip === adopted.ip && camera.record.streamUrl === adopted.streamUrl,
    );
    if (same !== undefined)
      throw new Fault("wrong-state", `${adopted.streamUrl} is ${same.record.id}`, {
        tell: `this camera is already adopted as "${same.record.name}"`,
      });
    const used = new Set([...(await this.#archive.cameras()), ...(await this.#store.retired())]);
    const id = cameraIdFor(adopted.name, (candidate) => this.#running.has(candidate) || used.has(candidate));
    const made: Omit<CameraRecord, "number"> = {
      ...adopted,
      id,
      transport: "auto",
      workedTransport: undefined,
      adoptedAt: this.#parts.clock.now(),
    };
    const record: CameraRecord = { ...made, number: await this.#store.add(made) };
    this.#run(record);
    return record;
  }

  /** From now on, and at once. `not-found` when there is no such camera. */
  async setTransport(id: string, setting: TransportSetting): Promise<void> {
    await this.#store.setTransport(id, setting);
    this.#running.get(id)?.setTransport(setting);
  }

  /** `not-found` when there is none. Its recordings stay until their retention ends. */
  async remove(id: string): Promise<void> {
    const camera = this.#running.get(id);
    if (camera === undefined) throw new Fault("not-found", `no camera ${id}`);
    await this.#store.remove(id);
    this.#running.delete(id);
    await camera.close({ removed: true });
  }

  async close(): Promise<void> {
    await Promise.all(this.list().map((camera) => camera.close({ removed: false })));
  }

  #run(record: CameraRecord): void {
    const camera = new RunningCamera(record, this.#parts);
    this.#running.set(record.id, camera);
    camera.start();
  }
}
