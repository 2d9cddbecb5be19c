import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { type Millis, SECOND } from "../../base/units.ts";
import { Hub } from "../../media/hub.ts";
import type { LiveReader, LiveSource, RecordedSource } from "../../media/source.ts";
import type { Track } from "../../media/track.ts";
import type { CameraSide } from "../../net/sides.ts";
import { SyncPoint } from "../../onvif/client/sync-point.ts";
import type { Archive } from "../../recorder/archive.ts";
import type { MemoryBudget } from "../../recorder/memory-budget.ts";
import {
  type BridgedStream,
  type CameraInfo,
  type Connection,
  MAIN_STREAM,
  type Pulling,
  type StreamInfo,
  type TransportSetting,
} from "../camera.ts";
import type { CameraRecord, CameraStore, StreamRecord } from "../camera-store.ts";
import type { EventBus } from "../event-bus.ts";
import type { RecordingPlan } from "../recording-plan.ts";
import { Demand, DemandedSource } from "./demand.ts";
import { Ingest } from "./ingest.ts";
import { loginOf } from "./login.ts";
import { StreamRecording } from "./stream-recording.ts";
import { tunnelDoor } from "./transport.ts";

/** How long to look for what a stream is, of which there is no description yet. */
const LOOK_MS = 30 * SECOND;

/** How long whoever has changed a stream waits to see what came of it. */
const RENEW_MS = 10 * SECOND;

export interface StreamParts {
  readonly side: CameraSide;
  /** PEM certificates of the authority that made the cameras' certificates, where the site has one. */
  readonly ca: string | undefined;
  readonly store: CameraStore;
  /** How long what is pulled on demand goes on when nobody watches any more. */
  readonly lingerMs: Millis;
  readonly bus: EventBus;
  readonly archive: Archive;
  /** Memory for what was before events, of all streams together. */
  readonly preRollBudget: MemoryBudget;
  readonly clock: Clock;
  readonly log: Log;
}

/** One stream of an adopted camera: its upstream session while somebody needs it, its hub, and its recording. */
export class RunningStream implements BridgedStream {
  readonly live: LiveSource;
  readonly recorded: RecordedSource;
  readonly recording: StreamRecording;
  readonly #name: string;
  readonly #number: number;
  readonly #hub: Hub;
  readonly #ingest: Ingest;
  readonly #demand: Demand;
  readonly #closing = new AbortController();
  readonly #log: Log;
  readonly #remember: (tracks: readonly Track[]) => void;
  /** Lets go of what is pulled always. */
  #release: (() => void) | undefined;
  #pulling: Pulling;
  #plan: RecordingPlan;
  #connection: Connection;
  /** What is still being written to the record. */
  #remembering: Promise<void> = Promise.resolve();

  /** `onOnline`: it has been described, perhaps anew. */
  constructor(
    camera: CameraRecord,
    { name, number, url, pulling, recording, workedTransport, tracks }: StreamRecord,
    o: StreamParts & { readonly onOnline?: () => void },
  ) {
    const { clock, store } = o;
    const log = o.log.child({ camera: camera.id, stream: name });
    const write = (what: string, act: () => Promise<void>): void => {
      this.#remembering = this.#remembering
        .then(act)
        // It will be found out again.
        .catch((err: unknown) => log.warn({ err }, `${what} is not remembered`));
    };
    let remembered = JSON.stringify(tracks);
    this.#remember = (now) => {
      const text = JSON.stringify(now);
      if (text === remembered) return;
      remembered = text;
      write("the stream's description", () => store.rememberTracks(camera.id, name, now));
    };
    this.#log = log;
    this.#name = name;
    this.#number = number;
    this.#pulling = pulling;
    this.#plan = recording;
    this.#connection = { state: "idle", since: clock.now() };
    const tunnelAt = tunnelDoor(camera.deviceUrl);
    this.#hub = new Hub({ clock, log });
    this.#ingest = new Ingest({
      url: new URL(url),
      credentials: camera.credentials,
      passwordLost: camera.passwordLost === true,
      tls: loginOf(camera, o.ca).tls,
      transport: { setting: camera.transport, used: workedTransport },
      tracks,
      ...(tunnelAt === undefined ? {} : { tunnelAt }),
      ...this.#syncPoint(camera, url, { ...o, log }),
      side: o.side,
      hub: this.#hub,
      clock,
      log,
      onLost: (reason) => this.recording.lost(reason),
      onConnection: (connection) => {
        this.#note(connection);
        if (connection.state !== "online") return;
        this.recording.flows();
        o.onOnline?.();
      },
      onTransport: (used) => write("what transport works", () => store.rememberTransport(camera.id, name, used)),
    });
    this.#demand = new Demand({
      clock,
      lingerMs: o.lingerMs,
      begin: () => this.#ingest.start(),
      end: () => void this.#ingest.stop(),
    });
    this.live = new DemandedSource(this.#hub, this.#demand);
    // Where a camera is named alone, its main stream is meant, or another one that there is footage of.
    this.recorded = o.archive.source(camera.id, name === MAIN_STREAM ? undefined : name);
    const { archive, bus, preRollBudget: budget } = o;
    this.recording = new StreamRecording({ camera: camera.id, name, stream: this, archive, bus, clock, budget });
  }

  get info(): StreamInfo {
    return {
      name: this.#name,
      number: this.#number,
      pulling: this.#pulling,
      recording: this.recording.info,
      connection: this.#connection,
      transport: this.#ingest.transport,
      readers: this.#hub.readers,
      tracks: this.#hub.tracks,
    };
  }

  get tracks(): readonly Track[] {
    return this.#hub.tracks;
  }

  get quirks(): CameraInfo["quirks"] {
    return this.#ingest.quirks;
  }

  /** Begins to be pulled and recorded, as far as it is to be. */
  start(): void {
    this.recording.follow(this.#plan);
    this.#pull();
  }

  /** Is pulled for a moment where nobody knows yet what it is. */
  look(): void {
    // Who watches it learns why it cannot be reached.
    if (this.#hub.tracks.length === 0) this.live.ready(LOOK_MS).catch(() => undefined);
  }

  setPulling(pulling: Pulling): void {
    this.#pulling = pulling;
    this.#pull();
    if (pulling === "always") return;
    this.#release?.();
    this.#release = undefined;
  }

  setTransport(setting: TransportSetting): void {
    this.#ingest.setTransport(setting);
  }

  /** Has the camera describe it anew, pulled or not. Resolves when it flows again, or does not for long. Readers stay. */
  async renew(): Promise<void> {
    this.#ingest.renew();
    await this.live
      .ready(RENEW_MS)
      .catch((err: unknown) => this.#log.warn({ err }, "a changed stream does not flow yet"));
  }

  /** A reader that takes what comes, and is no reason to pull the stream. Returns how to leave. */
  follow(reader: LiveReader): () => void {
    return this.#hub.join(reader);
  }

  /** It is needed; returns how to let go. */
  hold(): () => void {
    return this.#demand.hold();
  }

  requestKey(): void {
    this.#hub.requestKey();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#demand.close();
    await this.#ingest.stop();
    await this.recording.close();
    await this.#remembering;
  }

  #pull(): void {
    if (this.#pulling === "always") this.#release ??= this.#demand.hold();
  }

  /** Only of a camera that was adopted through ONVIF. */
  #syncPoint(camera: CameraRecord, url: string, o: StreamParts): { readonly syncPoint?: SyncPoint } {
    const { deviceUrl, ip } = camera;
    if (deviceUrl === undefined) return {};
    const syncPoint = new SyncPoint({
      device: new URL(deviceUrl),
      stream: new URL(url),
      ip,
      ...loginOf(camera, o.ca),
      side: o.side,
      clock: o.clock,
      log: o.log,
      signal: this.#closing.signal,
    });
    return { syncPoint };
  }

  #note(connection: Connection): void {
    const before = this.#connection;
    // At the end once more, with what was learned from the stream itself.
    if (connection.state !== "connecting") this.#remember(this.#hub.tracks);
    // The instant of the first failure stays, so that "offline since" is true after many attempts.
    if (connection.state === "connecting" && before.state === "offline") return;
    this.#connection =
      connection.state === "offline" && before.state === "offline"
        ? { ...connection, since: before.since }
        : connection;
  }
}
