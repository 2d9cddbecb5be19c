import type { Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, Fault, type FaultKind, isFault } from "../../base/fault.ts";
import { type Log, Repeats, withoutLogIns } from "../../base/log.ts";
import type { MonotonicMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { Hub } from "../../media/hub.ts";
import type { MediaQuirk } from "../../media/known-quirks.ts";
import { TrackReceiver } from "../../media/receiver.ts";
import type { MediaDescription } from "../../media/sdp.ts";
import type { Track } from "../../media/track.ts";
import type { CameraSide } from "../../net/sides.ts";
import type { CameraTls } from "../../net/tcp.ts";
import type { SyncPoint } from "../../onvif/client/sync-point.ts";
import type { GapReason } from "../../recorder/gap.ts";
import type { Door } from "../../rtsp/client/dial-rtsp.ts";
import type { UpstreamSession } from "../../rtsp/client/incoming.ts";
import { pull } from "../../rtsp/client/session.ts";
import type { UpstreamTransport } from "../../rtsp/wire/transport.ts";
import type { CameraInfo, Connection, TransportSetting } from "../camera.ts";
import { Backoff } from "./backoff.ts";
import { ShownQuirks } from "./shown-quirks.ts";
import { afterRefusal, transportsFor } from "./transport.ts";

/** A camera that has sent for so long counts as healthy, and the waiting times after failures begin anew. To fail may take as long. */
const HEALTHY_AFTER_MS = 30_000;

/** A camera that refuses our log-in is asked rarely: many lock an account after a few wrong passwords. */
const REFUSED_RETRY_MS = 5 * 60_000;

const PASSWORD_LOST =
  "its password cannot be opened any more, for the master key that it was stored under is lost: remove the camera and adopt it again";

/** Failures that may be over at the next attempt. */
const PASSING: ReadonlySet<FaultKind> = new Set(["unavailable", "busy"]);

/** What one stream needs to be pulled. */
export interface IngestOptions {
  readonly url: URL;
  readonly credentials: Credentials | undefined;
  /** There are credentials that cannot be used any more: the camera is not asked. */
  readonly passwordLost?: boolean;
  readonly tls: CameraTls | undefined;
  /** How to ask for a key frame where RTCP cannot; absent where there is no other way. */
  readonly syncPoint?: SyncPoint;
  /** Where the camera serves HTTP, besides its port for RTSP. */
  readonly tunnelAt?: Door;
  /** Automatic, with nothing remembered, if absent. `used`: by what packets came the last time. */
  readonly transport?: { readonly setting: TransportSetting; readonly used: UpstreamTransport | undefined };
  /** As the camera described it the last time. */
  readonly tracks?: readonly Track[];
  readonly side: CameraSide;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: Log;
  /** The stream stopped; nothing comes until it is described again. */
  readonly onLost: (reason: GapReason) => void;
  readonly onConnection: (connection: Connection) => void;
  /** Packets come by another transport than the last time. */
  readonly onTransport?: (used: UpstreamTransport) => void;
}

/**
 * Keeps one stream of one camera flowing into its hub while it is wanted: one upstream session, however many readers there are.
 * Numbering goes on when it is started again.
 */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #backoff = new Backoff();
  readonly #repeats: Repeats;
  readonly #quirks: ShownQuirks;
  #wanted = false;
  /** The newest failure, and until when the camera is left alone because of it. */
  #failure: Fault | undefined;
  #notBefore: MonotonicMillis;
  #stopping = new AbortController();
  #transport: NonNullable<IngestOptions["transport"]>;
  /**
   * With which to begin: what worked, or what was not refused. That may fail for a reason of its own right then: GStreamer's server
   * answers 503 while it still puts away what it had prepared for the refused attempt.
   */
  #first: UpstreamTransport | undefined;
  /** Ends the running session, so that the next one begins at once. */
  #renewal = new AbortController();
  /** Since when packets come in the attempt that runs. */
  #flowsSince: MonotonicMillis | undefined;
  #receivers: TrackReceiver[] = [];
  #tracks: readonly Track[] = [];
  #running: Promise<void> | undefined;
  #session: UpstreamSession | undefined;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#repeats = new Repeats(options.clock);
    this.#quirks = new ShownQuirks(options.log);
    this.#notBefore = options.clock.monotonic();
    this.#transport = options.transport ?? { setting: "auto", used: undefined };
    this.#first = this.#transport.used;
    options.hub.onKeyRequest(() => this.#requestKey());
    if (options.tracks !== undefined && options.tracks.length > 0) this.#describe(options.tracks);
  }

  /** By what packets come, or came the last time. */
  get transport(): UpstreamTransport | undefined {
    return this.#transport.used;
  }

  get quirks(): CameraInfo["quirks"] {
    return this.#quirks.list;
  }

  /** Begins anew, by another transport. */
  setTransport(setting: TransportSetting): void {
    this.#transport = { ...this.#transport, setting };
    this.#notBefore = this.#options.clock.monotonic();
    this.#renewal.abort();
  }

  /** Begins anew, at once, for the camera was set to send something else. Where it is not pulled, the next session is a new one anyhow. */
  renew(): void {
    this.#notBefore = this.#options.clock.monotonic();
    this.#options.hub.lost();
    this.#renewal.abort();
  }

  start(): void {
    this.#wanted = true;
    this.#running ??= this.#run();
  }

  /** Ends the upstream session with a TEARDOWN where the camera still listens. Resolves when that is done. */
  async stop(): Promise<void> {
    this.#wanted = false;
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    // It may be wanted again while the camera is still told that it is not.
    while (this.#wanted) await this.#keep();
    this.#running = undefined;
  }

  async #keep(): Promise<void> {
    const { clock, hub, onConnection } = this.#options;
    this.#stopping = new AbortController();
    const stop = this.#stopping.signal;
    while (!stop.aborted) {
      this.#renewal = new AbortController();
      const ending = AbortSignal.any([stop, this.#renewal.signal]);
      // Somebody who comes and goes does not have the camera asked more often.
      if (clock.monotonic() < this.#notBefore) {
        this.#tellFailure();
        await clock.sleep(this.#notBefore - clock.monotonic(), ending).catch(() => undefined);
        if (!ending.aborted) this.#notBefore = clock.monotonic();
      } else await this.#attempt(ending);
    }
    hub.lost();
    onConnection({ state: "idle", since: clock.now() });
  }

  async #attempt(ending: AbortSignal): Promise<void> {
    const { clock, hub, log, onConnection, onLost } = this.#options;
    const stop = this.#stopping.signal;
    this.#flowsSince = undefined;
    onConnection({ state: "connecting", since: clock.now() });
    let fault = new Fault("unavailable", "the camera ended the stream");
    let cause: GapReason["cause"] = "camera";
    try {
      await this.#pullOnce(ending);
      if (ending.aborted) fault = new Fault("unavailable", "it is asked to send otherwise");
    } catch (error) {
      fault = asFault(error);
      if (fault.kind === "unavailable") cause = "network";
      const suppressed = this.#repeats.admit(`${fault.kind} ${fault.message}`);
      if (!stop.aborted && suppressed !== undefined) log.warn({ err: fault, suppressed }, "camera stream failed");
    }
    this.#session = undefined;
    for (const receiver of this.#receivers) receiver.flush();
    const flowsSince = this.#flowsSince ?? clock.monotonic();
    if (clock.monotonic() - flowsSince > HEALTHY_AFTER_MS) this.#backoff.reset();
    if (stop.aborted) return;
    hub.lost();
    this.#failure = fault;
    onLost({ cause, why: wordsOf(fault) });
    const waitMs = isFault(fault, "unauthenticated") ? REFUSED_RETRY_MS : this.#backoff.next();
    if (!ending.aborted) this.#notBefore = (clock.monotonic() + waitMs) as MonotonicMillis;
  }

  /** Those who wait for the stream are let go where the next attempt will hardly be better than the last one. */
  #tellFailure(): void {
    const { clock, hub, onConnection } = this.#options;
    const failure = this.#failure;
    if (failure === undefined) return;
    const why = wordsOf(failure);
    onConnection({ state: "offline", since: clock.now(), why });
    if (this.#backoff.failures > 1 || !PASSING.has(failure.kind))
      hub.giveUp(new Fault("unavailable", why, { tell: "the camera cannot be reached", cause: failure }));
  }

  #pullOnce(signal: AbortSignal): Promise<void> {
    const { url, credentials, passwordLost, side, clock, log, tls, tunnelAt } = this.#options;
    if (passwordLost === true) return Promise.reject(new Fault("unauthenticated", PASSWORD_LOST));
    const secure = url.protocol === "rtsps:";
    const transports = transportsFor(this.#transport.setting, this.#first, secure);
    return pull({
      url,
      side,
      clock,
      log,
      signal,
      transports,
      // What began inside TLS stays there.
      ...(tunnelAt === undefined || (secure && !tunnelAt.secure) ? {} : { tunnelAt }),
      ...(credentials === undefined ? {} : { credentials }),
      ...(tls === undefined ? {} : { tls }),
      events: {
        described: (media, session) => this.#described(media, session),
        refused: (transport) => {
          this.#first = afterRefusal(transports, transport);
        },
        quirk: (name) => this.#quirks.saw(name),
        flows: (transport) => this.#flows(transport),
        rtp: (track, packet, arrivedAt) => this.#receivers[track]?.rtp(packet, arrivedAt),
        rtcp: (track, packet, arrivedAt) => this.#receivers[track]?.rtcp(packet, arrivedAt),
      },
    });
  }

  /** A camera that says that it sends, and does not, would be there and away at each attempt. */
  #online(): void {
    const { clock, onConnection, log } = this.#options;
    onConnection({ state: "online", since: clock.now() });
    log.info({ tracks: this.#tracks.map((track) => track.encoding) }, "camera stream is up");
  }

  #flows(used: UpstreamTransport): void {
    if (isContinuous(this.#tracks)) this.#online();
    this.#flowsSince = this.#options.clock.monotonic();
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

  #described(media: readonly MediaDescription[], session: UpstreamSession): void {
    this.#session = session;
    const tracks = media.map((one) => one.track);
    this.#describe(tracks);
    // Of events alone nothing comes until something happens.
    if (!isContinuous(tracks)) this.#online();
  }

  /** Tracks that the camera had before the reconnect go on in their numbering; anything else starts anew. */
  #describe(tracks: readonly Track[]): void {
    const { hub } = this.#options;
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
  }
}

function isContinuous(tracks: readonly Track[]): boolean {
  return tracks.some(({ kind }) => kind === "video" || kind === "audio");
}

function wordsOf(fault: Fault): string {
  return withoutLogIns(fault.tell ?? fault.message);
}
