import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Clock, Timer } from "../base/clock.ts";
import { asFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { type MonotonicMillis, SECOND } from "../base/units.ts";
import { wantsKey } from "../media/rtcp.ts";
import type { DigestGate } from "./digest.ts";
import type { Feed } from "./feed.ts";
import type { Quirk } from "./quirks.ts";
import { UdpOutlet } from "./rtsp-udp.ts";
import { printAnswer, RequestReader, type RtspAnswer, type RtspRequest } from "./rtsp-wire.ts";
import { MEDIA, type MediaName, printSdp } from "./sdp.ts";
import { type Outlet, Viewer } from "./viewer.ts";

const LIMITS = {
  connections: 64,
  /** What waits for a client that does not read. */
  unsentBytes: 4 * 1024 * 1024,
} as const;

/** Named in every Session field. Any request, and any RTCP packet, counts as a sign of life. */
const TIMEOUT_SECONDS = 60;
const LOOK_PERIOD_MS = 5 * SECOND;
const TARGET = "/live";
const TARGET_WITH_QUERY = "/cam/realmonitor?channel=1&subtype=0";
const METHODS = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "SET_PARAMETER", "TEARDOWN"];
const GARBAGE = Buffer.alloc(256 * 1024, "Kernel panic - not syncing. ");

export interface RtspOptions {
  readonly address: string;
  /** Host to name in addresses. */
  readonly saidHost: string;
  readonly feed: Feed;
  readonly audio: boolean;
  readonly gate: DigestGate;
  readonly quirks: ReadonlySet<Quirk>;
  readonly clock: Clock;
  readonly log: Log;
}

/** An RTSP server with one stream (RFC 2326): RTP inside the connection or over UDP, a session for each connection. */
export class RtspServer {
  readonly #options: RtspOptions;
  readonly #open = new Set<RtspConnection>();
  #server: Server | undefined;
  #timer: Timer | undefined;
  #port = 0;
  #connections = 0;

  constructor(options: RtspOptions) {
    this.#options = options;
  }

  /** Accepted so far. */
  get connections(): number {
    return this.#connections;
  }

  /** Clients that a picture is sent to. */
  get sessions(): number {
    return [...this.#open].filter(({ playing }) => playing).length;
  }

  get port(): number {
    return this.#port;
  }

  /** The stream's address, with the given host. */
  url(host: string): string {
    return `rtsp://${host.includes(":") ? `[${host}]` : host}:${this.#port}${targetOf(this.#options.quirks)}`;
  }

  async listen(port: number): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    server.maxConnections = LIMITS.connections;
    server.listen(port, this.#options.address);
    await once(server, "listening");
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    this.#timer = this.#options.clock.every(LOOK_PERIOD_MS, () => {
      for (const connection of this.#open) connection.look();
    });
  }

  /** Breaks all connections, too. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#timer?.cancel();
    const closed = once(server, "close");
    server.close();
    for (const connection of this.#open) connection.close();
    await closed;
  }

  /** Writes what is neither RTSP nor RTP to every client. */
  sendGarbage(): void {
    for (const connection of this.#open) connection.write(GARBAGE);
  }

  #accept(socket: Socket): void {
    this.#connections += 1;
    const connection = new RtspConnection(socket, this.#options, this);
    this.#open.add(connection);
    socket.once("close", () => {
      this.#open.delete(connection);
      connection.close();
    });
  }
}

class RtspConnection {
  readonly #socket: Socket;
  readonly #options: RtspOptions;
  readonly #server: RtspServer;
  readonly #reader = new RequestReader();
  readonly #reportChannels = new Set<number>();
  #viewer: Viewer | undefined;
  #lastSign: MonotonicMillis;
  #closed = false;
  /** Answers go out in the order of their requests, though ports take time to open. */
  #turn: Promise<void> = Promise.resolve();

  constructor(socket: Socket, options: RtspOptions, server: RtspServer) {
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

  write(bytes: Buffer | string): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  close(): void {
    this.#closed = true;
    this.#viewer?.close();
    this.#viewer = undefined;
    this.#socket.destroy();
  }

  /** Ends a session whose client has not shown itself for too long. */
  look(): void {
    if (this.#options.clock.monotonic() - this.#lastSign > TIMEOUT_SECONDS * SECOND) this.close();
  }

  #read(chunk: Buffer): void {
    try {
      for (const message of this.#reader.push(chunk)) {
        this.#lastSign = this.#options.clock.monotonic();
        if ("method" in message) this.#turn = this.#turn.then(() => this.#respond(message));
        else if (this.#reportChannels.has(message.channel)) this.#reported(message.packet);
      }
    } catch (error) {
      this.#options.log.debug({ err: asFault(error) }, "simulated camera: client breaks RTSP");
      this.#socket.end(printAnswer({ status: 400 }, "0"));
      this.close();
    }
  }

  #reported(packet: Buffer): void {
    this.#lastSign = this.#options.clock.monotonic();
    if (!this.#options.quirks.has("no-feedback") && wantsKey(packet)) this.#options.feed.wantKeyFrame();
  }

  async #respond(request: RtspRequest): Promise<void> {
    if (this.#closed) return;
    const answer = await this.#answer(request);
    const newline = this.#options.quirks.has("line-feeds") ? "\n" : "\r\n";
    this.write(printAnswer(answer, request.headers.get("cseq") ?? "0", newline));
    if (request.method === "TEARDOWN" && answer.status === 200) {
      this.#viewer?.close();
      this.#viewer = undefined;
    }
  }

  #answer(request: RtspRequest): RtspAnswer | Promise<RtspAnswer> {
    const { method, uri, headers } = request;
    const { gate, quirks } = this.#options;
    const methods = METHODS.filter((name) => !(name === "GET_PARAMETER" && quirks.has("no-get-parameter")));
    if (method === "OPTIONS") return { status: 200, headers: [["Public", methods.join(", ")]] };
    if (!methods.includes(method)) return { status: 501 };
    if (!gate.check(headers.get("authorization"), method, uri))
      return { status: 401, headers: gate.challenges().map((value) => ["WWW-Authenticate", value] as const) };
    if (!this.#isStream(uri) && this.#trackAt(uri) === undefined) return { status: 404 };
    if (method === "DESCRIBE") return this.#describe();
    if (method === "SETUP") return this.#setUp(request);
    const viewer = this.#viewer;
    if (method.endsWith("_PARAMETER") && viewer === undefined) return { status: 200 };
    if (viewer === undefined || headers.get("session")?.split(";")[0]?.trim() !== viewer.id) return { status: 454 };
    const session = ["Session", `${viewer.id};timeout=${TIMEOUT_SECONDS}`] as const;
    if (method === "PLAY")
      return { status: 200, headers: [session, ["Range", "npt=0.000-"], ["RTP-Info", viewer.play()]] };
    if (method === "PAUSE") viewer.pause();
    return { status: 200, headers: [session] };
  }

  #describe(): RtspAnswer {
    const { address, saidHost, feed, quirks } = this.#options;
    return {
      status: 200,
      headers: [
        ["Content-Type", "application/sdp"],
        ...(quirks.has("query-control") ? [] : [["Content-Base", `${this.#server.url(saidHost)}/`] as const]),
      ],
      body: printSdp({ address, feed, media: this.#media(), quirks }),
    };
  }

  #media(): readonly MediaName[] {
    return this.#options.audio ? ["video", "audio"] : ["video"];
  }

  async #setUp({ uri, headers }: RtspRequest): Promise<RtspAnswer> {
    const { feed, quirks } = this.#options;
    const name = this.#trackAt(uri);
    if (name === undefined) return { status: 459 };
    if (this.#viewer?.playing === true || this.#viewer?.has(name) === true) return { status: 455 };
    const way = await this.#wayOf(headers.get("transport") ?? "");
    if (way === "refused") return { status: 461 };
    if (way === "failed" || this.#closed) return { status: 503 };
    const again = this.#viewer !== undefined;
    this.#viewer ??= new Viewer(newId(), feed, quirks);
    const { ssrc } = this.#viewer.setUp(name, way.outlet, uri);
    return {
      status: 200,
      headers: [
        [
          "Session",
          `${again && quirks.has("changing-session") ? newId() : this.#viewer.id};timeout=${TIMEOUT_SECONDS}`,
        ],
        ["Transport", `${way.transport};ssrc=${ssrc.toString(16).padStart(8, "0")}`],
      ],
    };
  }

  /** Where the packets of a track go, and how that is answered. */
  async #wayOf(asked: string): Promise<{ readonly outlet: Outlet; readonly transport: string } | "refused" | "failed"> {
    const { quirks } = this.#options;
    const udp = /^RTP\/AVP(?:\/UDP)?;(?:.*;)?client_port=(\d{1,5})-(\d{1,5})/.exec(asked);
    if (udp !== null) return this.#udp([Number(udp[1]), Number(udp[2])]);
    if (!/^RTP\/AVP\/TCP\b/.test(asked) || quirks.has("udp-only")) return "refused";
    const [, first = 0, second = Number(first) + 1] = /;interleaved=(\d{1,3})(?:-(\d{1,3}))?/.exec(asked) ?? [];
    const own = this.#viewer === undefined ? 10 : 12;
    const channels = quirks.has("other-channels")
      ? ([own, own + 1] as const)
      : ([Number(first), Number(second)] as const);
    this.#reportChannels.add(channels[1]);
    return {
      outlet: this.#outlet(channels),
      transport: `RTP/AVP/TCP;unicast;interleaved=${channels[0]}-${channels[1]}`,
    };
  }

  async #udp(
    ports: readonly [number, number],
  ): Promise<{ readonly outlet: Outlet; readonly transport: string } | "failed"> {
    const { address, quirks, log } = this.#options;
    try {
      const outlet = await UdpOutlet.open({
        address,
        client: { address: this.#socket.remoteAddress ?? "", ports },
        quirks,
        onReport: (packet) => this.#reported(packet),
      });
      if (this.#closed) outlet.close();
      const own = quirks.has("no-server-port") ? "" : `;server_port=${outlet.ports.join("-")}`;
      return { outlet, transport: `RTP/AVP;unicast;client_port=${ports.join("-")}${own}` };
    } catch (error) {
      log.debug({ err: asFault(error) }, "simulated camera: no ports");
      return "failed";
    }
  }

  #isStream(uri: string): boolean {
    return withoutHost(uri) === targetOf(this.#options.quirks);
  }

  #trackAt(uri: string): MediaName | undefined {
    return this.#media().find(
      (name) => withoutHost(uri) === `${targetOf(this.#options.quirks)}/${MEDIA[name].control}`,
    );
  }

  /** One write for all packets of a picture (RFC 2326 10.12). */
  #outlet(channels: readonly [rtp: number, rtcp: number]): Outlet {
    const socket = this.#socket;
    return {
      get full() {
        return socket.writableLength > LIMITS.unsentBytes;
      },
      rtp: (packets) => this.write(Buffer.concat(packets.flatMap((packet) => framed(channels[0], packet)))),
      rtcp: (packet) => this.write(Buffer.concat(framed(channels[1], packet))),
      close: () => undefined,
    };
  }
}

function framed(channel: number, packet: Buffer): readonly Buffer[] {
  return [Buffer.of(0x24, channel, packet.length >> 8, packet.length & 0xff), packet];
}

function withoutHost(uri: string): string {
  return uri.replace(/^rtsp:\/\/[^/]*/i, "").replace(/\/$/, "");
}

function newId(): string {
  return randomBytes(8).toString("hex");
}

/** Path and query of the stream. */
function targetOf(quirks: ReadonlySet<Quirk>): string {
  return quirks.has("query-control") ? TARGET_WITH_QUERY : TARGET;
}
