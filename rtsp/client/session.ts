import { randomInt } from "node:crypto";
import { ChallengeAnswerer, type Credentials } from "../../auth/scheme/http.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { type Millis, type MonotonicMillis, SECOND, type UnixMillis } from "../../base/units.ts";
import { receiverReport } from "../../media/rtcp.ts";
import { type MediaDescription, parseSdp } from "../../media/sdp.ts";
import type { TrackKind } from "../../media/track.ts";
import type { CameraSide } from "../../net/sides.ts";
import { type CameraTls, dial } from "../../net/tcp.ts";
import { type Headers, header, headerValues, type Response } from "../wire/message.ts";
import type { Pair } from "../wire/transport.ts";
import { RtspConnection } from "./connection.ts";
import { KeepAlive, keepAlivePeriod, methodsIn } from "./keepalive.ts";
import { baseOf, channelsOf, isRtcp, joinControl, receivable, sessionOf } from "./quirks.ts";
import { ReceptionCounter } from "./reception.ts";
import { expectOk, RefusedSetup, redirectOf } from "./refusal.ts";

const LIMITS = {
  dialMs: 10 * SECOND,
  /** A camera that sends no picture and no sound for this long does not send any more. */
  silenceMs: 10 * SECOND,
  /** Where there is neither, as with events alone, it need only answer from time to time: three signs of life. */
  quietPeriods: 3,
  /** How long a camera may take to say goodbye. */
  teardownMs: 2 * SECOND,
  /** Challenges in a row for one request; beyond, the camera is playing with us. */
  challenges: 3,
  /** Tracks that are set up: a picture, its sound, its metadata, and some more. */
  tracks: 8,
  redirects: 1,
};

/** RFC 3550 6.2. Cameras exist that take nothing else as a sign of life (bluenviron/mediamtx#1403). */
const REPORT_PERIOD_MS = 5 * SECOND;
const WATCH_PERIOD_MS = SECOND;

const DEFAULT_PORT = { "rtsp:": 554, "rtsps:": 322 } as const;
const USER_AGENT = "Viaduct";
const CNAME = "viaduct";

/** What happens in an upstream session. */
export interface UpstreamEvents {
  /** The media that the camera is going to send, in the order of tracks. Comes once, before the first packet. */
  described(media: readonly MediaDescription[]): void;
  /** An RTP packet. It is the callee's from here on: it may be kept and written to. */
  rtp(track: number, packet: Buffer, arrivedAt: UnixMillis): void;
  /** A compound RTCP packet, on the same terms. */
  rtcp(track: number, packet: Buffer, arrivedAt: UnixMillis): void;
}

export interface PullOptions {
  /** `rtsp:` or `rtsps:`, without user information; its host is an IP address. */
  readonly url: URL;
  readonly credentials?: Credentials;
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: UpstreamEvents;
  readonly signal: AbortSignal;
  /** How the camera is known; only for `rtsps:`. */
  readonly tls?: CameraTls;
  /** The password may travel readable. Inside TLS it may anyway. */
  readonly allowBasic?: boolean;
}

/**
 * One upstream session, from connect to TEARDOWN, with RTP inside the RTSP connection (RFC 2326 10.12).
 *
 * Resolves when `signal` is aborted, after the TEARDOWN. Rejects with a Fault when the camera fails: `unauthenticated` (wrong
 * credentials, or none where some are needed; tried at most twice, for cameras lock accounts), `denied`, `not-found`, `busy`,
 * `invalid` (it breaks the protocol or our limits), `unavailable` (everything else; trying later may work).
 */
export async function pull(o: PullOptions): Promise<void> {
  let { url } = o;
  const allowBasic = o.allowBasic === true || url.protocol === "rtsps:";
  const answerer = o.credentials && new ChallengeAnswerer(o.credentials, { allowBasic });
  try {
    for (let redirects = 0; ; redirects += 1) {
      // A connection for each attempt: there are cameras that describe only once on one (Hikvision; retina client/mod.rs).
      const next = await new Upstream(o, url, answerer).run();
      if (next === undefined) return;
      if (redirects === LIMITS.redirects) throw new Fault("invalid", `the camera redirects again, to ${next.href}`);
      url = next;
    }
  } catch (error) {
    if (o.signal.aborted) return;
    throw asFault(error);
  }
}

interface UpstreamTrack {
  readonly media: MediaDescription;
  readonly channels: Pair;
  readonly reception: ReceptionCounter;
}

interface Lane {
  readonly track: number;
  readonly rtcp: boolean;
}

/** One attempt: a connection, and the session on it. */
class Upstream {
  readonly #options: PullOptions;
  readonly #url: URL;
  readonly #answerer: ChallengeAnswerer | undefined;
  readonly #lanes = new Map<number, Lane>();
  readonly #tracks: UpstreamTrack[] = [];
  readonly #ssrc = randomInt(2 ** 32);
  #connection: RtspConnection | undefined;
  #sessionId: string | undefined;
  #timeoutSeconds: number | undefined;
  #control = "";
  #described = false;
  #watched: ReadonlySet<number> = new Set();
  #lastSign: MonotonicMillis;

  constructor(o: PullOptions, url: URL, answerer: ChallengeAnswerer | undefined) {
    this.#options = o;
    this.#url = url;
    this.#answerer = answerer;
    this.#lastSign = o.clock.monotonic();
  }

  /** Resolves to the address that the camera redirects to; otherwise only by abortion, to undefined. */
  async run(): Promise<URL | undefined> {
    const { signal, clock } = this.#options;
    const socket = await this.#dial();
    const connection = new RtspConnection({
      socket,
      clock,
      isChannel: (channel) => this.#lanes.has(channel),
      onPacket: (channel, packet) => this.#packet(channel, packet),
    });
    this.#connection = connection;
    const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
    const stop = (): void => resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const playing = this.#play(connection);
    // What fails after the abortion has nobody to tell.
    playing.catch(() => undefined);
    try {
      return await Promise.race([playing, aborted]);
    } finally {
      signal.removeEventListener("abort", stop);
      await this.#teardown(connection);
      connection.fail(new Fault("unavailable", "the session is over"));
    }
  }

  #dial(): ReturnType<typeof dial> {
    const { side, clock, signal, tls } = this.#options;
    const { protocol, hostname, port } = this.#url;
    if (protocol !== "rtsp:" && protocol !== "rtsps:") throw new Fault("invalid", `no RTSP address: ${protocol}`);
    return dial({
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: port === "" ? DEFAULT_PORT[protocol] : Number(port),
      side,
      clock,
      timeoutMs: LIMITS.dialMs,
      signal,
      ...(protocol === "rtsps:" ? { tls: tls ?? {} } : {}),
    });
  }

  async #play(connection: RtspConnection): Promise<URL | undefined> {
    const uri = this.#url.href;
    const options = await this.#ask("OPTIONS", uri);
    const described = await this.#ask("DESCRIBE", uri, [["Accept", "application/sdp"]]);
    if (described.status >= 300 && described.status < 400) return redirectOf(described, this.#url);
    expectOk("DESCRIBE", described);
    await this.#setUpAll(described);
    this.#watched = this.#continuous();
    this.#lastSign = this.#options.clock.monotonic();
    // Parrot drones want a range (bluenviron/gortsplib a5856345).
    expectOk("PLAY", await this.#ask("PLAY", this.#control, [["Range", "npt=0.000-"]]));
    this.#describe();
    const periodMs = keepAlivePeriod(this.#timeoutSeconds);
    const { clock } = this.#options;
    const stalled = Promise.withResolvers<never>();
    const offered = methodsIn(header(options, "Public"));
    const keepAlive = new KeepAlive({ clock, periodMs, offered, send: (method) => this.#signOfLife(method) });
    const timers: readonly Timer[] = [
      clock.every(REPORT_PERIOD_MS, () => this.#report(connection)),
      clock.every(WATCH_PERIOD_MS, () => this.#watch(periodMs, stalled.reject)),
    ];
    try {
      return await Promise.race([connection.ended, stalled.promise]);
    } finally {
      keepAlive.stop();
      for (const timer of timers) timer.cancel();
    }
  }

  /** Sends a request, and once more with credentials where the camera asks for them. */
  async #ask(method: string, uri: string, headers: Headers = []): Promise<Response> {
    const connection = this.#connection;
    if (connection === undefined) throw new Fault("internal", "not connected");
    for (let challenges = 0; ; challenges += 1) {
      const authorization = this.#answerer?.authorize(method, uri);
      const response = await connection.request(method, uri, [
        ["User-Agent", USER_AGENT],
        ...(authorization === undefined ? [] : ([["Authorization", authorization]] as const)),
        ...(this.#sessionId === undefined ? [] : ([["Session", this.#sessionId]] as const)),
        ...headers,
      ]);
      if (response.status !== 401) return response;
      if (this.#answerer === undefined)
        throw new Fault("unauthenticated", `${method} needs a log-in`, {
          tell: "the camera wants a user and password",
        });
      if (challenges === LIMITS.challenges || !this.#answerer.challenged(headerValues(response, "WWW-Authenticate")))
        throw new Fault("unauthenticated", `${method}: the camera refuses the log-in`, {
          tell: "the camera does not accept user and password",
        });
    }
  }

  async #setUpAll(described: Response): Promise<void> {
    const { log } = this.#options;
    const description = parseSdp(described.body.toString("utf8"));
    const base = baseOf([header(described, "Content-Base"), header(described, "Content-Location")], this.#url);
    this.#control = joinControl(base, description.control, this.#url);
    const wanted = receivable(description.media).slice(0, LIMITS.tracks);
    let refused: Fault | undefined;
    for (const media of wanted) {
      try {
        await this.#setUp(media);
      } catch (error) {
        const fault = asFault(error);
        // Sound or metadata that cannot be had is no reason to go without the picture.
        if (!(fault instanceof RefusedSetup) || media.track.kind === "video") throw fault;
        refused = fault;
        log.info({ err: fault, media: media.track.encoding }, "the camera does not send one of its media");
      }
    }
    if (this.#tracks.length === 0) throw refused ?? new Fault("invalid", "nothing to set up");
  }

  async #setUp(media: MediaDescription): Promise<void> {
    const asked = this.#freeChannels();
    const uri = joinControl(this.#control, media.control, this.#url);
    const transport = `RTP/AVP/TCP;unicast;interleaved=${asked[0]}-${asked[1]}`;
    const response = await this.#ask("SETUP", uri, [["Transport", transport]]);
    if (response.status !== 200) throw new RefusedSetup(response);
    const channels = channelsOf(header(response, "Transport"), asked, (channel) => this.#lanes.has(channel));
    if (channels === undefined)
      throw new Fault("unavailable", "the camera wants to send over UDP", { tell: "the camera sends over UDP only" });
    const session = sessionOf(header(response, "Session"));
    // Cameras exist that change the id with every SETUP, and mean the first (scottlamb/retina 0.4.6).
    this.#sessionId ??= session?.id;
    this.#timeoutSeconds ??= session?.timeoutSeconds;
    const track = this.#tracks.length;
    this.#tracks.push({ media, channels, reception: new ReceptionCounter(media.track.clockRateHz) });
    this.#lanes.set(channels[0], { track, rtcp: false });
    this.#lanes.set(channels[1], { track, rtcp: true });
  }

  #freeChannels(): Pair {
    let rtp = 0;
    while (this.#lanes.has(rtp) || this.#lanes.has(rtp + 1)) rtp += 2;
    return [rtp, rtp + 1];
  }

  /** The tracks that must not pause: the picture, or the sound where there is none. Metadata come when something happens. */
  #continuous(): ReadonlySet<number> {
    const of = (kind: TrackKind): number[] =>
      this.#tracks.flatMap(({ media }, index) => (media.track.kind === kind ? [index] : []));
    const video = of("video");
    return new Set(video.length > 0 ? video : of("audio"));
  }

  /** Packets may overtake the answer to PLAY. */
  #describe(): void {
    if (this.#described) return;
    this.#described = true;
    this.#options.events.described(this.#tracks.map(({ media }) => media));
  }

  #packet(channel: number, packet: Buffer): void {
    const lane = this.#lanes.get(channel);
    const track = lane && this.#tracks[lane.track];
    const { clock, events, signal } = this.#options;
    if (lane === undefined || track === undefined || signal.aborted) return;
    this.#describe();
    const arrivedAt = clock.now();
    if (lane.rtcp || isRtcp(packet)) {
      track.reception.rtcp(packet, arrivedAt);
      events.rtcp(lane.track, packet, arrivedAt);
      return;
    }
    if (this.#watched.has(lane.track) || this.#watched.size === 0) this.#lastSign = clock.monotonic();
    track.reception.rtp(packet, arrivedAt);
    events.rtp(lane.track, packet, arrivedAt);
  }

  async #signOfLife(method: string): Promise<number | undefined> {
    try {
      const { status } = await this.#ask(method, this.#control);
      if (this.#watched.size === 0) this.#lastSign = this.#options.clock.monotonic();
      return status;
    } catch (error) {
      this.#options.log.debug({ err: asFault(error) }, "no answer to a sign of life");
      return undefined;
    }
  }

  #report(connection: RtspConnection): void {
    const now = this.#options.clock.now();
    for (const { channels, reception } of this.#tracks)
      connection.sendPacket(
        channels[1],
        receiverReport({ ssrc: this.#ssrc, cname: CNAME, reception: reception.take(now) }),
      );
  }

  /** The connection stays, so that the camera can be told that its session is over. */
  #watch(periodMs: Millis, stalled: (fault: Fault) => void): void {
    const limitMs = this.#watched.size > 0 ? LIMITS.silenceMs : LIMITS.quietPeriods * periodMs;
    if (this.#options.clock.monotonic() - this.#lastSign > limitMs)
      stalled(new Fault("unavailable", `nothing came for ${limitMs} ms`, { tell: "the camera stopped sending" }));
  }

  /** Cameras keep a session that was not ended for a minute, and have few of them. */
  async #teardown(connection: RtspConnection): Promise<void> {
    if (this.#sessionId === undefined) return;
    const { clock } = this.#options;
    const waited = new AbortController();
    await Promise.race([
      this.#ask("TEARDOWN", this.#control).catch(() => undefined),
      connection.ended.catch(() => undefined),
      clock.sleep(LIMITS.teardownMs, waited.signal).catch(() => undefined),
    ]);
    waited.abort();
  }
}
