import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { asFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { type MonotonicMillis, SECOND } from "../base/units.ts";
import { wantsKey } from "../media/rtcp.ts";
import type { Identity } from "../net/tls.ts";
import { BACK_CHANNEL } from "../rtsp/wire/option-tags.ts";
import type { DigestGate } from "./digest.ts";
import type { Feed } from "./feed.ts";
import type { Quirk } from "./quirks.ts";
import { baseOf, movedFrom, type StreamName, trackPath } from "./rtsp-target.ts";
import { UdpOutlet } from "./rtsp-udp.ts";
import { type FromClient, printAnswer, RequestReader, type RtspAnswer, type RtspRequest } from "./rtsp-wire.ts";
import { type MediaName, mediumOf, printSdp, SPEAKER } from "./sdp.ts";
import type { Speaker } from "./speaker.ts";
import { type Outlet, Viewer } from "./viewer.ts";

const LIMITS = {
  /** What waits for a client that does not read. */
  unsentBytes: 4 * 1024 * 1024,
} as const;

/** Named in every Session field. Any request, and any RTCP packet, counts as a sign of life. */
const TIMEOUT_SECONDS = 60;
/** Where another one is wanted. */
const SHORT_TIMEOUT_SECONDS = { "short-timeout": 5, "reports-count-alone": 12 } as const;
/** Every so many writes of media one lacks the end of a packet, where that is switched on. */
const TORN = { every: 25, bytes: 20 };
const METHODS = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "SET_PARAMETER", "TEARDOWN"];

export interface RtspOptions {
  readonly address: string;
  /** Absent: without TLS. */
  readonly tls: Identity | undefined;
  /** Host to name in addresses. */
  readonly saidHost: string;
  readonly feeds: { readonly main: Feed; readonly sub?: Feed };
  readonly audio: boolean;
  /** Absent: it has none. */
  readonly speaker: Speaker | undefined;
  readonly gate: DigestGate;
  readonly quirks: ReadonlySet<Quirk>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a connection needs of its server. */
export interface RoomForOne {
  url(host: string, stream: StreamName): string;
  /** Whether another client has, or has left behind, a session. */
  occupied(by: RtspConnection): boolean;
}

/** One client's connection, and the session on it. */
export class RtspConnection {
  readonly #socket: Socket;
  readonly #options: RtspOptions;
  readonly #server: RoomForOne;
  readonly #reader = new RequestReader();
  readonly #reportChannels = new Set<number>();
  /** Where sound for the speaker comes in. */
  #speakerChannel: number | undefined;
  #speakerOutlet: Outlet | undefined;
  #viewer: Viewer | undefined;
  /** What the session is about. */
  #watched: StreamName = "main";
  #lastSign: MonotonicMillis;
  #closed = false;
  #described = false;
  /** The client has gone without TEARDOWN. */
  #deserted = false;
  #writes = 0;
  /** Answers go out in the order of their requests, though ports take time to open. */
  #turn: Promise<void> = Promise.resolve();

  constructor(socket: Socket, options: RtspOptions, server: RoomForOne) {
    this.#socket = socket;
    this.#options = options;
    this.#server = server;
    this.#lastSign = options.clock.monotonic();
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
  }

  get playing(): boolean {
    return this.#viewer?.playing === true;
  }

  get watching(): boolean {
    return this.#viewer?.watching === true;
  }

  /** It has a session, or had one that nobody ended. */
  get holdsSession(): boolean {
    return this.#viewer !== undefined || this.#deserted;
  }

  write(bytes: Buffer | string): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  close(): void {
    this.#closed = true;
    this.#deserted ||= this.#viewer !== undefined;
    this.#endSession();
    this.#socket.destroy();
  }

  /** Ends a session whose client has not shown itself for too long. */
  look(): void {
    if (this.#options.clock.monotonic() - this.#lastSign > this.#timeoutSeconds * SECOND) this.close();
  }

  get #timeoutSeconds(): number {
    for (const [quirk, seconds] of Object.entries(SHORT_TIMEOUT_SECONDS))
      if (this.#options.quirks.has(quirk as Quirk)) return seconds;
    return TIMEOUT_SECONDS;
  }

  get #sessionFields(): string {
    const { quirks } = this.#options;
    if (quirks.has("no-timeout")) return "";
    return `;timeout=${quirks.has("short-timeout") ? this.#timeoutSeconds : TIMEOUT_SECONDS}`;
  }

  /** Whether the camera takes it for a sign that the client is there. */
  #isSign(message: FromClient): boolean {
    const { quirks } = this.#options;
    if (quirks.has("reports-count-alone")) return !("method" in message) || !this.playing;
    return !(quirks.has("options-do-not-count") && this.playing && "method" in message && message.method === "OPTIONS");
  }

  #read(chunk: Buffer): void {
    try {
      for (const message of this.#reader.push(chunk)) {
        if (this.#isSign(message)) this.#lastSign = this.#options.clock.monotonic();
        if ("method" in message) this.#turn = this.#turn.then(() => this.#respond(message));
        else if (message.channel === this.#speakerChannel) this.#heard(message.packet);
        else if (this.#reportChannels.has(message.channel)) this.#reported(message.packet);
      }
    } catch (error) {
      this.#options.log.debug({ err: asFault(error) }, "simulated camera: client breaks RTSP");
      this.#socket.end(printAnswer({ status: 400 }, "0"));
      this.close();
    }
  }

  #heard(packet: Buffer): void {
    this.#lastSign = this.#options.clock.monotonic();
    // What comes before PLAY is not for it yet (ONVIF Streaming 5.3.2).
    if (this.playing) this.#options.speaker?.hear(packet);
  }

  #reported(packet: Buffer): void {
    this.#lastSign = this.#options.clock.monotonic();
    if (this.#speakerOutlet !== undefined) this.#options.speaker?.report(packet);
    if (!this.#options.quirks.has("no-feedback") && wantsKey(packet)) this.#feedOf(this.#watched).wantKeyFrame();
  }

  async #respond(request: RtspRequest): Promise<void> {
    if (this.#closed || this.#ignores(request.method)) return;
    const answer = await this.#answer(request);
    const newline = this.#options.quirks.has("line-feeds") ? "\n" : "\r\n";
    this.write(printAnswer(answer, request.headers.get("cseq") ?? "0", newline));
    if (request.method === "TEARDOWN" && answer.status === 200) this.#endSession();
  }

  #endSession(): void {
    this.#viewer?.close();
    this.#viewer = undefined;
    this.#options.speaker?.leave(this);
    this.#speakerOutlet?.close();
    this.#speakerOutlet = undefined;
    this.#speakerChannel = undefined;
  }

  #ignores(method: string): boolean {
    return this.#options.quirks.has("silent-keepalive") && this.playing && /^(?:OPTIONS|GET_PARAMETER)$/.test(method);
  }

  #answer(request: RtspRequest): RtspAnswer | Promise<RtspAnswer> {
    const { method, uri, headers } = request;
    const { gate, quirks } = this.#options;
    if (method === "OPTIONS") return { status: 200, headers: [["Public", METHODS.join(", ")]] };
    const refused = method === "GET_PARAMETER" && quirks.has("no-get-parameter");
    if (refused || !METHODS.includes(method)) return { status: 501 };
    if (!gate.check(headers.get("authorization"), method, uri))
      return { status: 401, headers: gate.challenges().map((value) => ["WWW-Authenticate", value] as const) };
    const place = this.#placeOf(uri);
    if (place === undefined) return { status: 404 };
    const required = headers.get("require");
    if (required === BACK_CHANNEL && quirks.has("backchannel-breaks")) {
      this.close();
      return { status: 500 };
    }
    if (required !== undefined && !(required === BACK_CHANNEL && this.#options.speaker !== undefined))
      return { status: 551, headers: [["Unsupported", required]] };
    if (method === "DESCRIBE") return this.#describe(uri, place.stream, required === BACK_CHANNEL);
    if (method === "SETUP") return this.#setUp(request);
    const viewer = this.#viewer;
    if (method.endsWith("_PARAMETER") && viewer === undefined) return { status: 200 };
    if (viewer === undefined || headers.get("session")?.split(";")[0]?.trim() !== viewer.id) return { status: 454 };
    const session = ["Session", `${viewer.id}${this.#sessionFields}`] as const;
    if (method === "PLAY" && quirks.has("needs-range") && !headers.has("range")) return { status: 457 };
    if (method === "PLAY")
      return { status: 200, headers: [session, ["Range", "npt=0.000-"], ["RTP-Info", viewer.play()]] };
    if (method === "PAUSE") viewer.pause();
    return { status: 200, headers: [session] };
  }

  #describe(uri: string, stream: StreamName, withSpeaker: boolean): RtspAnswer {
    const { address, saidHost, quirks } = this.#options;
    const feed = this.#feedOf(stream);
    const moved = movedFrom(uri, quirks);
    if (moved !== undefined) return { status: 302, headers: [["Location", moved]] };
    if (this.#described && quirks.has("describe-once")) return { status: 455 };
    this.#described = true;
    return {
      status: 200,
      headers: [
        ["Content-Type", "application/sdp"],
        ...(quirks.has("query-control")
          ? []
          : [["Content-Base", `${baseOf(uri, this.#server.url(saidHost, stream))}/`] as const]),
      ],
      body: printSdp({ address, feed, media: this.#media(), withSpeaker, quirks }),
    };
  }

  #media(): readonly MediaName[] {
    // A track without an address of its own is the only one.
    return this.#options.audio && !this.#options.quirks.has("no-control") ? ["video", "audio"] : ["video"];
  }

  async #setUp({ uri, headers }: RtspRequest): Promise<RtspAnswer> {
    const { quirks } = this.#options;
    const { track: name, stream = this.#watched } = this.#placeOf(uri) ?? {};
    if (name === undefined) return { status: 459 };
    if (name === "speaker") return this.#setUpSpeaker(headers.get("transport") ?? "");
    if (quirks.has("one-session") && this.#server.occupied(this)) return { status: 453 };
    if (quirks.has("no-mode") && /;\s*mode=/i.test(headers.get("transport") ?? "")) return { status: 400 };
    const other = this.#viewer !== undefined && stream !== this.#watched;
    if (other || this.#viewer?.playing === true || this.#viewer?.has(name) === true) return { status: 455 };
    const way = await this.#wayOf(headers.get("transport") ?? "");
    if (way === "refused") return { status: 461 };
    if (way === "failed" || this.#closed) return { status: 503 };
    const again = this.#viewer !== undefined;
    this.#watched = stream;
    this.#viewer ??= new Viewer(newId(), this.#feedOf(stream), quirks);
    const { ssrc } = this.#viewer.setUp(name, way.outlet, uri);
    return {
      status: 200,
      headers: [
        ["Session", `${again && quirks.has("changing-session") ? newId() : this.#viewer.id}${this.#sessionFields}`],
        ["Transport", `${way.transport};ssrc=${ssrc.toString(16).padStart(8, "0")}`],
      ],
    };
  }

  async #setUpSpeaker(asked: string): Promise<RtspAnswer> {
    const { quirks, speaker } = this.#options;
    if (this.playing) return { status: 455 };
    if (speaker?.take(this) !== true) return { status: quirks.has("one-speaker-session") ? 500 : 453 };
    const way = await this.#wayOf(asked, (packet) => this.#heard(packet));
    if (typeof way === "string" || this.#closed) {
      speaker.leave(this);
      return { status: way === "refused" ? 461 : 503 };
    }
    this.#viewer ??= new Viewer(newId(), this.#feedOf(this.#watched), quirks);
    this.#speakerOutlet = way.outlet;
    return {
      status: 200,
      headers: [
        ["Session", `${this.#viewer.id}${this.#sessionFields}`],
        ["Transport", way.transport],
      ],
    };
  }

  /** Where the packets of a track go, and how that is answered. `onRtp`: the client sends some, too. */
  async #wayOf(
    asked: string,
    onRtp?: (packet: Buffer) => void,
  ): Promise<{ readonly outlet: Outlet; readonly transport: string } | "refused" | "failed"> {
    const { quirks } = this.#options;
    const udp = /^RTP\/AVP(?:\/UDP)?;(?:.*;)?client_port=(\d{1,5})-(\d{1,5})/.exec(asked);
    if (udp !== null) return this.#udp([Number(udp[1]), Number(udp[2])], onRtp);
    if (!/^RTP\/AVP\/TCP\b/.test(asked) || quirks.has("udp-only")) return "refused";
    const [, first = 0, second = Number(first) + 1] = /;interleaved=(\d{1,3})(?:-(\d{1,3}))?/.exec(asked) ?? [];
    const own = this.#viewer === undefined ? 10 : 12;
    const channels = quirks.has("other-channels")
      ? ([own, own + 1] as const)
      : ([Number(first), Number(second)] as const);
    this.#reportChannels.add(channels[1]);
    if (onRtp !== undefined) this.#speakerChannel = channels[0];
    return { outlet: this.#outlet(channels), transport: interleaved(channels, quirks) };
  }

  async #udp(
    ports: readonly [number, number],
    onRtp: ((packet: Buffer) => void) | undefined,
  ): Promise<{ readonly outlet: Outlet; readonly transport: string } | "failed"> {
    const { address, quirks, log } = this.#options;
    try {
      const outlet = await UdpOutlet.open({
        address,
        client: { address: this.#socket.remoteAddress ?? "", ports },
        quirks,
        onReport: (packet) => this.#reported(packet),
        onRtp,
      });
      if (this.#closed) outlet.close();
      const own = quirks.has("no-server-port") ? "" : `;server_port=${outlet.ports.join("-")}`;
      return { outlet, transport: `RTP/AVP;unicast;client_port=${ports.join("-")}${own}` };
    } catch (error) {
      log.debug({ err: asFault(error) }, "simulated camera: no ports");
      return "failed";
    }
  }

  #feedOf(stream: StreamName): Feed {
    const { main, sub = main } = this.#options.feeds;
    return stream === "main" ? main : sub;
  }

  /** The stream that an address names, or one of its tracks. */
  #placeOf(uri: string): { readonly stream: StreamName; readonly track?: MediaName | "speaker" } | undefined {
    const { feeds, speaker, quirks } = this.#options;
    for (const stream of feeds.sub === undefined ? (["main"] as const) : (["sub", "main"] as const)) {
      const path = trackPath(uri, stream, quirks);
      if (path === "") return { stream, ...(quirks.has("no-control") ? { track: "video" } : {}) };
      if (speaker !== undefined && path === `/${SPEAKER.path}`) return { stream, track: "speaker" };
      const track = this.#media().find((name) => path === `/${mediumOf(name, quirks).path}`);
      if (track !== undefined) return { stream, track };
    }
    return undefined;
  }

  /** What a camera writes that does not look whether all of it was taken. */
  #torn(bytes: Buffer): Buffer {
    this.#writes += 1;
    const tears = this.#options.quirks.has("torn-framing") && this.#writes % TORN.every === 0;
    return tears && bytes.length > 2 * TORN.bytes ? bytes.subarray(0, -TORN.bytes) : bytes;
  }

  /** One write for all packets of a picture (RFC 2326 10.12). */
  #outlet(channels: readonly [rtp: number, rtcp: number]): Outlet {
    const socket = this.#socket;
    const reports = this.#options.quirks.has("reports-on-data-channel") ? channels[0] : channels[1];
    return {
      get full() {
        return socket.writableLength > LIMITS.unsentBytes;
      },
      rtp: (packets) => this.write(this.#torn(Buffer.concat(packets.flatMap((packet) => framed(channels[0], packet))))),
      rtcp: (packet) => this.write(Buffer.concat(framed(reports, packet))),
      close: () => undefined,
    };
  }
}

function interleaved([rtp, rtcp]: readonly [number, number], quirks: ReadonlySet<Quirk>): string {
  if (quirks.has("no-channels")) return "RTP/AVP;unicast";
  return `RTP/AVP/TCP;unicast;interleaved=${rtp}${quirks.has("one-channel") ? "" : `-${rtcp}`}`;
}

function framed(channel: number, packet: Buffer): readonly Buffer[] {
  return [Buffer.of(0x24, channel, packet.length >> 8, packet.length & 0xff), packet];
}

function newId(): string {
  return randomBytes(8).toString("hex");
}
