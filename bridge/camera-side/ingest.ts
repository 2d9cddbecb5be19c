import type { Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, isFault } from "../../base/fault.ts";
import { type Log, Repeats, withoutUserInfo } from "../../base/log.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { Hub } from "../../media/hub.ts";
import type { MediaQuirk } from "../../media/known-quirks.ts";
import { TrackReceiver } from "../../media/receiver.ts";
import type { MediaDescription } from "../../media/sdp.ts";
import type { Track } from "../../media/track.ts";
import type { CameraSide } from "../../net/sides.ts";
import type { CameraTls } from "../../net/tcp.ts";
import type { SyncPoint } from "../../onvif/client/sync-point.ts";
import type { UpstreamSession } from "../../rtsp/client/incoming.ts";
import { pull } from "../../rtsp/client/session.ts";
import type { LowerTransport } from "../../rtsp/wire/transport.ts";
import type { CameraInfo, Connection, TransportSetting } from "../camera.ts";
import { Backoff } from "./backoff.ts";
import { ShownQuirks } from "./shown-quirks.ts";
import { transportsFor } from "./transport.ts";

/** After this long without a failure the camera counts as healthy, and the next failure is retried at once. */
const HEALTHY_AFTER_MS = 30_000;

/** A camera that refuses our log-in is asked rarely: many lock an account after a few wrong passwords. */
const REFUSED_RETRY_MS = 5 * 60_000;

/** What one stream needs to be pulled. */
export interface IngestOptions {
  readonly url: URL;
  readonly credentials: Credentials | undefined;
  readonly tls: CameraTls | undefined;
  /** How to ask for a key frame where RTCP cannot; absent where there is no other way. */
  readonly syncPoint?: SyncPoint;
  /** Automatic, with nothing remembered, if absent. */
  readonly transport?: CameraInfo["transport"];
  readonly side: CameraSide;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: Log;
  /** The stream stopped; nothing comes until it is described again. */
  readonly onLost: (why: string) => void;
  readonly onConnection: (connection: Connection) => void;
  /** Packets come by another transport than the last time. */
  readonly onTransport?: (used: LowerTransport) => void;
}

/** Keeps one stream of one camera flowing into its hub: one upstream session, however many readers there are. */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #backoff = new Backoff();
  readonly #stopping = new AbortController();
  readonly #repeats: Repeats;
  readonly #quirks: ShownQuirks;
  #transport: CameraInfo["transport"];
  /**
   * With which to begin: what worked, or what was not refused. That may fail for a reason of its own right then: GStreamer's server
   * answers 503 while it still puts away what it had prepared for the refused attempt.
   */
  #first: LowerTransport | undefined;
  /** Ends the running session, so that the next one begins at once. */
  #renewal = new AbortController();
  #receivers: TrackReceiver[] = [];
  #tracks: readonly Track[] = [];
  #running: Promise<void> | undefined;
  #session: UpstreamSession | undefined;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#repeats = new Repeats(options.clock);
    this.#quirks = new ShownQuirks(options.log);
    this.#transport = options.transport ?? { setting: "auto", used: undefined };
    this.#first = this.#transport.used;
    options.hub.onKeyRequest(() => this.#requestKey());
  }

  get transport(): CameraInfo["transport"] {
    return this.#transport;
  }

  get quirks(): CameraInfo["quirks"] {
    return this.#quirks.list;
  }

  /** Begins anew, by another transport. */
  setTransport(setting: TransportSetting): void {
    this.#transport = { ...this.#transport, setting };
    this.#renewal.abort();
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the upstream session with a TEARDOWN where the camera still listens. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log, onConnection, onLost } = this.#options;
    const stop = this.#stopping.signal;
    while (!stop.aborted) {
      const started = clock.monotonic();
      this.#renewal = new AbortController();
      const ending = AbortSignal.any([stop, this.#renewal.signal]);
      onConnection({ state: "connecting", since: clock.now() });
      let retryMs: number | undefined;
      let why = "the camera ended the stream";
      try {
        await this.#pullOnce(ending);
        if (ending.aborted) why = "it is asked to send another way";
      } catch (error) {
        const fault = asFault(error);
        why = withoutUserInfo(fault.tell ?? fault.message);
        if (isFault(fault, "unauthenticated")) retryMs = REFUSED_RETRY_MS;
        const suppressed = this.#repeats.admit(`${fault.kind} ${fault.message}`);
        if (!stop.aborted && suppressed !== undefined) log.warn({ err: fault, suppressed }, "camera stream failed");
      }
      this.#session = undefined;
      for (const receiver of this.#receivers) receiver.flush();
      this.#options.hub.lost();
      if (stop.aborted) return;
      onLost(why);
      onConnection({ state: "offline", since: clock.now(), why });
      if (clock.monotonic() - started > HEALTHY_AFTER_MS) this.#backoff.reset();
      await clock.sleep(retryMs ?? this.#backoff.next(), ending).catch(() => undefined);
    }
  }

  #pullOnce(signal: AbortSignal): Promise<void> {
    const { url, credentials, side, clock, log, tls } = this.#options;
    return pull({
      url,
      side,
      clock,
      log,
      signal,
      transports: transportsFor(this.#transport.setting, this.#first, url.protocol === "rtsps:"),
      ...(credentials === undefined ? {} : { credentials }),
      ...(tls === undefined ? {} : { tls }),
      events: {
        described: (media, session) => this.#described(media, session),
        refused: (transport) => {
          this.#first = transport === "tcp" ? "udp" : "tcp";
        },
        quirk: (name) => this.#quirks.saw(name),
        flows: (transport) => this.#flows(transport),
        rtp: (track, packet, arrivedAt) => this.#receivers[track]?.rtp(packet, arrivedAt),
        rtcp: (track, packet, arrivedAt) => this.#receivers[track]?.rtcp(packet, arrivedAt),
      },
    });
  }

  #flows(used: LowerTransport): void {
    this.#first = used;
    if (used === this.#transport.used) return;
    this.#transport = { ...this.#transport, used };
    this.#options.log.info({ transport: used }, "camera stream has another transport");
    this.#options.onTransport?.(used);
  }

  #mediaQuirk(name: MediaQuirk): void {
    // Over UDP, what is missing was lost on the way as likely as by the camera.
    if (name !== "drops-packets" || this.#transport.used === "tcp") this.#quirks.saw(name);
  }

  #requestKey(): void {
    if (this.#session?.requestKey() !== true) this.#options.syncPoint?.ask();
  }

  /** Tracks that the camera had before the reconnect go on in their numbering; anything else starts anew. */
  #described(media: readonly MediaDescription[], session: UpstreamSession): void {
    this.#session = session;
    const { hub, clock, onConnection, log } = this.#options;
    const tracks = media.map((one) => one.track);
    const same =
      tracks.length === this.#tracks.length &&
      tracks.every((track, index) => {
        const before = this.#tracks[index];
        return before !== undefined && before.codec === track.codec && before.clockRateHz === track.clockRateHz;
      });
    this.#tracks = tracks;
    if (same) {
      for (const [index, track] of tracks.entries()) this.#receivers[index]?.restart(track);
    } else {
      const deliver = (group: PacketGroup): void => hub.publish(group);
      this.#receivers = tracks.map(
        (track, index) =>
          new TrackReceiver({
            index,
            track,
            deliver,
            onTrack: (changed) => hub.updateTrack(index, changed),
            onQuirk: (name) => this.#mediaQuirk(name),
          }),
      );
    }
    hub.describe(
      tracks,
      this.#receivers.map((receiver) => receiver.ssrc),
    );
    onConnection({ state: "online", since: clock.now() });
    log.info({ tracks: tracks.map((track) => track.encoding) }, "camera stream is up");
  }
}
