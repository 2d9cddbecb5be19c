import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { type Millis, SECOND } from "../../base/units.ts";
import { Hub } from "../../media/hub.ts";
import type { LiveReader, LiveSource } from "../../media/source.ts";
import type { Track } from "../../media/track.ts";
import type { CameraSide } from "../../net/sides.ts";
import { SyncPoint } from "../../onvif/client/sync-point.ts";
import type { BridgedStream, CameraInfo, Connection, Pulling, StreamInfo, TransportSetting } from "../camera.ts";
import type { CameraRecord, CameraStore, StreamRecord } from "../camera-store.ts";
import { Demand, DemandedSource } from "./demand.ts";
import { Ingest } from "./ingest.ts";
import { loginOf } from "./login.ts";
import { tunnelDoor } from "./transport.ts";

/** How long to look for what a stream is, of which there is no description yet. */
const LOOK_MS = 30 * SECOND;

export interface StreamParts {
  readonly side: CameraSide;
  /** PEM certificates of the authority that made the cameras' certificates, where the site has one. */
  readonly ca: string | undefined;
  readonly store: CameraStore;
  /** How long what is pulled on demand goes on when nobody watches any more. */
  readonly lingerMs: Millis;
  readonly clock: Clock;
  readonly log: Log;
}

/** One stream of an adopted camera: its upstream session while somebody needs it, and its hub. */
export class RunningStream implements BridgedStream {
  readonly live: LiveSource;
  readonly #name: string;
  readonly #number: number;
  readonly #hub: Hub;
  readonly #ingest: Ingest;
  readonly #demand: Demand;
  readonly #closing = new AbortController();
  readonly #remember: (tracks: readonly Track[]) => void;
  /** Lets go of what is pulled always. */
  #release: (() => void) | undefined;
  #pulling: Pulling;
  #connection: Connection;
  /** What is still being written to the record. */
  #remembering: Promise<void> = Promise.resolve();

  /** `onOnline`: it has been described, perhaps anew. `onLost`: it stopped; nothing comes until it flows again. */
  constructor(
    camera: CameraRecord,
    { name, number, url, pulling, workedTransport, tracks }: StreamRecord,
    o: StreamParts & { readonly onOnline?: () => void; readonly onLost?: (why: string) => void },
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
    this.#name = name;
    this.#number = number;
    this.#pulling = pulling;
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
      onLost: (why) => o.onLost?.(why),
      onConnection: (connection) => {
        this.#note(connection);
        if (connection.state === "online") o.onOnline?.();
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
  }

  get info(): StreamInfo {
    return {
      name: this.#name,
      number: this.#number,
      pulling: this.#pulling,
      connection: this.#connection,
      transport: this.#ingest.transport,
      readers: this.#hub.readers,
      tracks: this.#hub.tracks,
    };
  }

  get quirks(): CameraInfo["quirks"] {
    return this.#ingest.quirks;
  }

  /** Begins to be pulled where that is always. */
  start(): void {
    if (this.#pulling === "always") this.#release ??= this.#demand.hold();
  }

  /** Is pulled for a moment where nobody knows yet what it is. */
  look(): void {
    // Who watches it learns why it cannot be reached.
    if (this.#hub.tracks.length === 0) this.live.ready(LOOK_MS).catch(() => undefined);
  }

  setPulling(pulling: Pulling): void {
    this.#pulling = pulling;
    this.start();
    if (pulling === "always") return;
    this.#release?.();
    this.#release = undefined;
  }

  setTransport(setting: TransportSetting): void {
    this.#ingest.setTransport(setting);
  }

  /** A reader that takes what comes, and is no reason to pull the stream. Returns how to leave. */
  follow(reader: LiveReader): () => void {
    return this.#hub.join(reader);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#demand.close();
    await this.#ingest.stop();
    await this.#remembering;
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
