import type { Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, isFault } from "../../base/fault.ts";
import { type Log, Repeats, withoutUserInfo } from "../../base/log.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { Hub } from "../../media/hub.ts";
import { TrackReceiver } from "../../media/receiver.ts";
import type { MediaDescription } from "../../media/sdp.ts";
import type { Track } from "../../media/track.ts";
import type { CameraSide } from "../../net/sides.ts";
import type { CameraTls } from "../../net/tcp.ts";
import { pull } from "../../rtsp/client/session.ts";
import type { Connection } from "../camera.ts";
import { Backoff } from "./backoff.ts";

/** After this long without a failure the camera counts as healthy, and the next failure is retried at once. */
const HEALTHY_AFTER_MS = 30_000;

/** A camera that refuses our log-in is asked rarely: many lock an account after a few wrong passwords. */
const REFUSED_RETRY_MS = 5 * 60_000;

/** What one stream needs to be pulled. */
export interface IngestOptions {
  readonly url: URL;
  readonly credentials: Credentials | undefined;
  readonly tls: CameraTls | undefined;
  readonly side: CameraSide;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: Log;
  /** The stream stopped; nothing comes until it is described again. */
  readonly onLost: (why: string) => void;
  readonly onConnection: (connection: Connection) => void;
}

/** Keeps one stream of one camera flowing into its hub: one upstream session, however many readers there are. */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #backoff = new Backoff();
  readonly #stopping = new AbortController();
  readonly #repeats: Repeats;
  #receivers: TrackReceiver[] = [];
  #tracks: readonly Track[] = [];
  #running: Promise<void> | undefined;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#repeats = new Repeats(options.clock);
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
      onConnection({ state: "connecting", since: clock.now() });
      let retryMs: number | undefined;
      let why = "the camera ended the stream";
      try {
        await this.#pullOnce(stop);
      } catch (error) {
        const fault = asFault(error);
        why = withoutUserInfo(fault.tell ?? fault.message);
        if (isFault(fault, "unauthenticated")) retryMs = REFUSED_RETRY_MS;
        const suppressed = this.#repeats.admit(`${fault.kind} ${fault.message}`);
        if (!stop.aborted && suppressed !== undefined) log.warn({ err: fault, suppressed }, "camera stream failed");
      }
      for (const receiver of this.#receivers) receiver.flush();
      this.#options.hub.lost();
      if (stop.aborted) return;
      onLost(why);
      onConnection({ state: "offline", since: clock.now(), why });
      if (clock.monotonic() - started > HEALTHY_AFTER_MS) this.#backoff.reset();
      await clock.sleep(retryMs ?? this.#backoff.next(), stop).catch(() => undefined);
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
      ...(credentials === undefined ? {} : { credentials }),
      ...(tls === undefined ? {} : { tls }),
      events: {
        described: (media) => this.#described(media),
        rtp: (track, packet, arrivedAt) => this.#receivers[track]?.rtp(packet, arrivedAt),
        rtcp: (track, packet, arrivedAt) => this.#receivers[track]?.rtcp(packet, arrivedAt),
      },
    });
  }

  /** Tracks that the camera had before the reconnect go on in their numbering; anything else starts anew. */
  #described(media: readonly MediaDescription[]): void {
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
          new TrackReceiver({ index, track, deliver, onTrack: (changed) => hub.updateTrack(index, changed) }),
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
