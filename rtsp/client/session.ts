import { ChallengeAnswerer, type Credentials } from "../../auth/scheme/http.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { SECOND } from "../../base/units.ts";
import { type MediaDescription, parseSdp } from "../../media/sdp.ts";
import { plainAddress } from "../../net/address.ts";
import type { CameraSide } from "../../net/sides.ts";
import { type CameraTls, dial } from "../../net/tcp.ts";
import { type Headers, header, headerValues, type Response } from "../wire/message.ts";
import type { LowerTransport } from "../wire/transport.ts";
import { Channels } from "./channels.ts";
import { RtspConnection } from "./connection.ts";
import { Incoming, type UpstreamEvents } from "./incoming.ts";
import { KeepAlive, keepAlivePeriod, methodsIn } from "./keepalive.ts";
import type { Lane, LaneSink } from "./lane.ts";
import { baseOf, joinControl, receivable, sessionOf } from "./quirks.ts";
import { expectOk, RefusedSetup, RefusedTransport, redirectOf } from "./refusal.ts";
import { openUdpLane } from "./udp-lane.ts";

const LIMITS = {
  dialMs: 10 * SECOND,
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

/** 461 (RFC 2326 11.3.12), and what a camera says instead: "406 TCP transport is not supported" (deepch/RTSPtoWeb#249). */
const WRONG_TRANSPORT: ReadonlySet<number> = new Set([406, 461]);

const DEFAULT_PORT = { "rtsp:": 554, "rtsps:": 322 } as const;
const USER_AGENT = "Viaduct";

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
  /** In the order in which they are tried. If absent TCP, then UDP; over TLS TCP alone, for UDP would be readable. */
  readonly transports?: readonly [LowerTransport, ...LowerTransport[]];
}

/**
 * One upstream session, from connect to TEARDOWN, with RTP inside the RTSP connection or over UDP to ports of ours (RFC 2326
 * 10.4, 10.12). Another transport is tried where the camera refuses one, or where nothing ever comes by UDP, for something
 * between us may be in its way.
 *
 * Resolves when `signal` is aborted, after the TEARDOWN. Rejects with a Fault when the camera fails: `unauthenticated` (wrong
 * credentials, or none where some are needed; tried at most twice, for cameras lock accounts), `denied`, `not-found`, `busy`,
 * `invalid` (it breaks the protocol or our limits), `unavailable` (everything else; trying later may work).
 */
export async function pull(o: PullOptions): Promise<void> {
  const secure = o.url.protocol === "rtsps:";
  const allowBasic = o.allowBasic === true || secure;
  const answerer = o.credentials && new ChallengeAnswerer(o.credentials, { allowBasic });
  const transports = o.transports ?? (secure ? (["tcp"] as const) : (["tcp", "udp"] as const));
  try {
    for (const transport of transports) {
      try {
        await follow(o, transport, answerer);
        return;
      } catch (error) {
        if (!(error instanceof RefusedTransport)) throw error;
        if (!o.signal.aborted) o.events.refused?.(transport);
        if (transport === transports.at(-1)) throw error;
        o.log.info({ err: error }, "another transport is tried");
      }
    }
  } catch (error) {
    if (o.signal.aborted) return;
    throw asFault(error);
  }
}

/** A session by one transport, wherever the camera redirects to. */
async function follow(
  o: PullOptions,
  transport: LowerTransport,
  answerer: ChallengeAnswerer | undefined,
): Promise<void> {
  let { url } = o;
  for (let redirects = 0; ; redirects += 1) {
    // A connection for each attempt: there are cameras that describe only once on one (Hikvision; retina client/mod.rs).
    const next = await new Upstream(o, url, transport, answerer).run();
    if (next === undefined) return;
    if (redirects === LIMITS.redirects) throw new Fault("invalid", `the camera redirects again, to ${next.href}`);
    url = next;
  }
}

/** One attempt: a connection, and the session on it. */
class Upstream {
  readonly #options: PullOptions;
  readonly #url: URL;
  readonly #transport: LowerTransport;
  readonly #answerer: ChallengeAnswerer | undefined;
  readonly #channels = new Channels();
  /** All that were opened, whether the camera agreed or not. */
  readonly #lanes: Lane[] = [];
  readonly #incoming: Incoming;
  #connection: RtspConnection | undefined;
  #local: string | undefined;
  #sessionId: string | undefined;
  #timeoutSeconds: number | undefined;
  #control = "";
  #over = false;

  constructor(o: PullOptions, url: URL, transport: LowerTransport, answerer: ChallengeAnswerer | undefined) {
    this.#options = o;
    this.#url = url;
    this.#transport = transport;
    this.#answerer = answerer;
    this.#incoming = new Incoming({ ...o, transport, failed: (fault) => this.#connection?.fail(fault) });
  }

  /** Resolves to the address that the camera redirects to; otherwise only by abortion, to undefined. */
  async run(): Promise<URL | undefined> {
    const { signal, clock } = this.#options;
    const socket = await this.#dial();
    const connection = new RtspConnection({
      socket,
      clock,
      isChannel: (channel) => this.#channels.has(channel),
      onPacket: (channel, packet) => this.#channels.receive(channel, packet),
    });
    this.#connection = connection;
    // The camera sends to where we asked from, and we asked from our address on its network.
    this.#local = socket.localAddress;
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
      this.#over = true;
      for (const lane of this.#lanes) lane.close();
      this.#incoming.close();
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
    this.#incoming.begin();
    // Parrot drones want a range (bluenviron/gortsplib a5856345).
    expectOk("PLAY", await this.#ask("PLAY", this.#control, [["Range", "npt=0.000-"]]));
    this.#incoming.describe();
    const periodMs = keepAlivePeriod(this.#timeoutSeconds);
    const { clock } = this.#options;
    const stalled = Promise.withResolvers<never>();
    const offered = methodsIn(header(options, "Public"));
    const keepAlive = new KeepAlive({ clock, periodMs, offered, send: (method) => this.#signOfLife(method) });
    const timers: readonly Timer[] = [
      clock.every(REPORT_PERIOD_MS, () => this.#incoming.report()),
      // The connection stays, so that the camera can be told that its session is over.
      clock.every(WATCH_PERIOD_MS, () => {
        const stall = this.#incoming.stall(periodMs);
        if (stall !== undefined) stalled.reject(stall);
      }),
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
        const refusal = fault instanceof RefusedSetup || fault instanceof RefusedTransport;
        if (!refusal || media.track.kind === "video") throw fault;
        refused = fault;
        log.info({ err: fault, media: media.track.encoding }, "the camera does not send one of its media");
      }
    }
    if (this.#incoming.media.length === 0) throw refused ?? new Fault("invalid", "nothing to set up");
  }

  async #setUp(media: MediaDescription): Promise<void> {
    const index = this.#incoming.media.length;
    const lane = await this.#openLane((packet, rtcp) => this.#incoming.packet(index, packet, rtcp));
    const uri = joinControl(this.#control, media.control, this.#url);
    const response = await this.#ask("SETUP", uri, [["Transport", lane.asked]]);
    if (WRONG_TRANSPORT.has(response.status)) throw new RefusedTransport(this.#transport, "it says so");
    if (response.status !== 200) throw new RefusedSetup(response);
    const session = sessionOf(header(response, "Session"));
    // Cameras exist that change the id with every SETUP, and mean the first (scottlamb/retina 0.4.6).
    this.#sessionId ??= session?.id;
    this.#timeoutSeconds ??= session?.timeoutSeconds;
    lane.agree(header(response, "Transport"));
    this.#incoming.add(media, lane);
  }

  async #openLane(sink: LaneSink): Promise<Lane> {
    const lane =
      this.#transport === "tcp"
        ? this.#channels.open((channel, packet) => this.#connection?.sendPacket(channel, packet), sink)
        : await openUdpLane({ local: this.#local ?? "", camera: plainAddress(this.#url.hostname) ?? "", sink });
    this.#lanes.push(lane);
    // The session may have ended meanwhile; then nobody else closes it.
    if (this.#over) lane.close();
    return lane;
  }

  async #signOfLife(method: string): Promise<number | undefined> {
    try {
      const { status } = await this.#ask(method, this.#control);
      this.#incoming.answered();
      return status;
    } catch (error) {
      this.#options.log.debug({ err: asFault(error) }, "no answer to a sign of life");
      return undefined;
    }
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
