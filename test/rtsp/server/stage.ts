import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { expect } from "chai";
import type { Principal } from "../../../auth/principal.ts";
import { UnauthenticatedFault } from "../../../auth/unauthenticated.ts";
import { Fault } from "../../../base/fault.ts";
import { silentLog } from "../../../base/log.ts";
import { Metrics } from "../../../base/metrics.ts";
import { later, type UnixMillis } from "../../../base/units.ts";
import { FramedPackets } from "../../../media/framed-packets.ts";
import { PacketGroup } from "../../../media/group.ts";
import { Hub } from "../../../media/hub.ts";
import type { ReusedMemory } from "../../../media/reused-memory.ts";
import { writeRtpHeader } from "../../../media/rtp.ts";
import type { Numbering, RecordedSource } from "../../../media/source.ts";
import type { Track } from "../../../media/track.ts";
import { createHttpServer } from "../../../net/http.ts";
import type { Identity } from "../../../net/tls.ts";
import { openPortPair, type PortPair } from "../../../net/udp.ts";
import type { MulticastAddress, RtspHost, TalkOffer } from "../../../rtsp/server/host.ts";
import { RtspServer } from "../../../rtsp/server/server.ts";
import { Tunnels } from "../../../rtsp/server/tunnels.ts";
import { RtspWebSockets } from "../../../rtsp/server/web-sockets.ts";
import { START, videoTrack } from "../../media/receiver-fixture.ts";
import { testIdentity } from "../../support/onvif-users.ts";
import { RunningClock } from "../../support/virtual-clock.ts";
import { TunnelledSocket } from "./tunnelled.ts";
import { WebSocketed } from "./web-socketed.ts";

export const VIDEO = videoTrack("H264", "packetization-mode=1");
export const AUDIO: Track = {
  kind: "audio",
  codec: "PCMU",
  encoding: "PCMU",
  payloadType: 0,
  clockRateHz: 8000,
  channels: 1,
  fmtp: "",
};

export const SPEAKER: Track = { ...AUDIO, codec: "PCMA", encoding: "PCMA", payloadType: 8 };

/** A group whose packets carry its own number, so that a client can tell what it got. */
export function groupOf(
  number: number,
  o: {
    track?: number;
    key?: boolean;
    at?: UnixMillis;
    bytes?: number;
    discontinuity?: boolean;
    numbering?: Numbering | undefined;
  } = {},
): PacketGroup {
  const { track = 0, key = track !== 0 || number % 10 === 0, at = later(START, number * 100), bytes = 8 } = o;
  const rtpTime = (number * 9000) >>> 0;
  const packet = Buffer.alloc(12 + bytes);
  writeRtpHeader(packet, {
    marker: true,
    payloadType: 96,
    sequence: o.numbering?.sequence ?? number & 0xffff,
    timestamp: rtpTime,
    ssrc: o.numbering?.ssrc ?? 100 + track,
  });
  // To its last byte, so that a mixture of two is seen.
  packet.fill(number & 0xff, 16);
  packet.writeUInt32BE(number, 12);
  return new PacketGroup({ track, rtpTime, at, quality: "camera", key, discontinuity: o.discontinuity ?? false }, [
    packet,
  ]);
}

/** Seconds 2 to 4 were not recorded. */
const GAP_END = 50;
const GAP: ReadonlySet<number> = new Set(Array.from({ length: 30 }, (_, index) => 20 + index));

/** A recording of 100 s with a group of each track every 100 ms, a key frame every second. */
const recordedOf = (bytes: number): RecordedSource => ({
  tracks: () => Promise.resolve([VIDEO, AUDIO]),
  extent: () => Promise.resolve({ from: START, to: later(START, 100_000) }),
  async *read(range, signal) {
    for await (const group of this.follow(range, signal)) {
      if (group === undefined) return;
      yield group;
    }
  },
  async *follow({ from, to, memory, numbering }, signal) {
    const numbers = [0, 1].map((track) => numbering?.(track));
    for (let number = gopOf(from); number < 1000; number += 1) {
      if (GAP.has(number)) continue;
      for (const track of [0, 1]) {
        const discontinuity = track === 0 && number === GAP_END;
        const own = numbers[track];
        const made = groupOf(number, { track, bytes, discontinuity, numbering: own });
        if (own !== undefined) numbers[track] = { ...own, sequence: (own.sequence + 1) & 0xffff };
        const group = memory === undefined ? made : inMemory(made, memory);
        await Promise.resolve();
        if (signal.aborted || (to !== undefined && group.at >= to)) return;
        yield group;
      }
    }
    while (!signal.aborted) {
      await Promise.resolve();
      yield undefined;
    }
  },
  async *readBackward({ from, to = START }, signal) {
    for (let key = Math.min(gopOf(from), 990); key >= 0 && later(START, key * 100 + 1000) > to; key -= 10)
      for (let number = key; number < key + 10; number += 1) {
        const group = groupOf(number, { discontinuity: number === key });
        await Promise.resolve();
        if (signal.aborted) return;
        if (group.at <= from && !GAP.has(number)) yield group;
      }
  },
});

/** The same group in memory that is used again when the reader gives it back. */
function inMemory(group: PacketGroup, memory: ReusedMemory): PacketGroup {
  const bytes = memory.take(group.byteLength);
  group.bytes.copy(bytes);
  return new PacketGroup(group, new FramedPackets(bytes, group.packetCount));
}

/** The key frame at or before an instant. */
function gopOf(at: UnixMillis): number {
  return Math.floor((at - START) / 1000) * 10;
}

/** What an RTSP connection, or what is played by it, goes through. */
export const CARRIERS = ["TCP", "TLS", "HTTP", "WebSocket", "UDP"] as const;
export type CarrierName = (typeof CARRIERS)[number];

/** Made once. */
let identity: Promise<Identity> | undefined;

/** An RTSP server on a real socket, whose accounts and cameras are made up: `Authorization: Test <name>` logs in. */
export class Stage {
  readonly clock = new RunningClock(START);
  readonly hub = new Hub({ clock: this.clock, log: silentLog() });
  /** What was said to the camera. */
  readonly said: Buffer[] = [];
  /** Somebody has its speaker. */
  talking = false;
  /** How long a log-in takes. */
  logIn: () => Promise<void> = () => Promise.resolve();
  /** What the camera does when it is to listen. */
  listen: () => Promise<void> = () => Promise.resolve();
  /** Ends the talk from the camera's side. */
  endTalk: (fault: unknown) => void = () => undefined;
  readonly revoked = new Map<string, AbortController>();
  /** Every question to the host: `<account> <path>`. */
  readonly opened: string[] = [];
  /** What was recorded at the instant that is asked for; the same as now unless a test says otherwise. */
  recordedThen: readonly Track[] = [VIDEO, AUDIO];
  readonly #metrics = new Metrics();
  readonly #server: RtspServer;
  readonly #tunnels: Tunnels;
  readonly #webSockets: RtspWebSockets;
  readonly #http: Server;
  /** Of `/live/gate`; `/live/yard` has none. */
  readonly #multicast: MulticastAddress | undefined;
  readonly #recorded: RecordedSource;
  /** Our ends of WebSockets, in the order of their coming. */
  readonly upgraded: Socket[] = [];
  port = 0;
  tlsPort = 0;
  httpPort = 0;

  constructor(
    o: {
      readonly udp?: boolean;
      readonly srtp?: boolean;
      readonly multicast?: MulticastAddress;
      readonly recordedBytes?: number;
    } = {},
  ) {
    this.#multicast = o.multicast;
    this.#recorded = recordedOf(o.recordedBytes ?? 8);
    this.hub.describe([VIDEO, AUDIO], [100, 101]);
    this.#server = new RtspServer({
      host: this.#host(),
      clock: this.clock,
      log: silentLog(),
      metrics: this.#metrics,
      ...(o.udp === true ? { udp: { range: undefined } } : {}),
      ...(o.srtp === true ? { srtp: { range: undefined } } : {}),
      ...(o.multicast === undefined ? {} : { multicast: { range: undefined } }),
    });
    this.#tunnels = new Tunnels(this.#server, this.clock);
    this.#webSockets = new RtspWebSockets(this.#server);
    this.#http = createHttpServer((_request, response) => response.end("HTTP"), {
      maxConnections: 2000,
      first: this.#tunnels.first,
    });
    this.#http.on("upgrade", (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      this.upgraded.push(socket as Socket);
      this.#webSockets.upgrade(request, socket as Socket, head);
    });
  }

  async start(): Promise<void> {
    ({ port: this.port } = await this.#server.listen({ address: "127.0.0.1", port: 0 }));
    identity ??= testIdentity();
    const secure = { address: "127.0.0.1", port: 0, identity: await identity };
    ({ port: this.tlsPort } = await this.#server.listen(secure));
    this.#http.listen(0, "127.0.0.1");
    await once(this.#http, "listening");
    this.httpPort = (this.#http.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#webSockets.close();
    await this.#tunnels.close();
    this.#http.close();
    this.#http.closeAllConnections();
    await this.#server.close();
  }

  get server(): RtspServer {
    return this.#server;
  }

  /** What the server's metric of connections says. */
  async connections(): Promise<number> {
    return Number(/^viaduct_rtsp_connections (\d+)$/m.exec(await this.#metrics.text())?.[1]);
  }

  /** Resolves when so many read what is live. */
  async hubReaders(count: number): Promise<void> {
    while (this.hub.readers !== count) await new Promise((resolve) => setImmediate(resolve));
  }

  async client(carrier: CarrierName = "TCP"): Promise<Client> {
    const socket =
      carrier === "HTTP"
        ? new TunnelledSocket(this.httpPort)
        : carrier === "WebSocket"
          ? new WebSocketed(this.httpPort)
          : carrier === "TLS"
            ? connectTls({ port: this.tlsPort, host: "127.0.0.1", rejectUnauthorized: false })
            : connect(this.port, "127.0.0.1");
    const client = new Client(socket, `rtsp://127.0.0.1:${this.port}`);
    if (carrier === "UDP") client.hear(await openPortPair("127.0.0.1"));
    await client.connected;
    return client;
  }

  #host(): RtspHost {
    return {
      challenges: (_peer, { stale }) => [`Test realm="stage"${stale ? ", stale=true" : ""}`],
      authenticate: async ({ authorization = "" }) => {
        await this.logIn();
        const name = /^Test (\w+)$/.exec(authorization)?.[1];
        if (name === "stale") throw new UnauthenticatedFault("stale", { stale: true });
        if (name === undefined || name === "nobody") throw new UnauthenticatedFault("no such account");
        return this.#principal(name);
      },
      open: async (who, { segments, query }, _peer, wanted) => {
        await Promise.resolve();
        this.opened.push(`${who.name} /${segments.join("/")}`);
        const ended = who.revoked;
        const srtp = query.has("srtp") ? ({ srtp: "AES_CM_128_HMAC_SHA1_80" } as const) : {};
        const withheld = new Set(who.name === "mute" ? (["metadata"] as const) : []);
        const live = { kind: "live", name: "Gate", source: this.hub, withheld, ended, ...srtp } as const;
        if (segments.join("/") === "live/yard") return live;
        if (segments.join("/") === "live/gate") {
          const multicast = this.#multicast === undefined ? {} : { multicast: this.#multicast };
          const talk = wanted.talk && who.name !== "mute" ? { talk: this.#talk() } : {};
          return { ...live, ...talk, ...multicast, describesGroup: query.has("multicast") };
        }
        if (segments.join("/") === "recorded/gate") {
          const tracks: RecordedSource["tracks"] = (from) =>
            from === undefined ? this.#recorded.tracks() : Promise.resolve(this.recordedThen);
          return { kind: "recorded", name: "Gate", source: { ...this.#recorded, tracks }, withheld, ended };
        }
        if (segments[1] === "secret") throw new Fault("denied", "not for them", { tell: "not allowed" });
        throw new Fault("not-found", "no such camera");
      },
    };
  }

  #talk(): TalkOffer {
    return {
      track: SPEAKER,
      take: (failed) => {
        if (this.talking) throw new Fault("busy", "somebody talks", { tell: "somebody else talks" });
        this.talking = true;
        this.endTalk = failed;
        return {
          start: () => this.listen(),
          push: (packet) => void this.said.push(Buffer.from(packet)),
          close: () => {
            this.talking = false;
          },
        };
      },
    };
  }

  #principal(name: string): Principal {
    const known = this.revoked.get(name);
    const revoked = known === undefined || known.signal.aborted ? new AbortController() : known;
    this.revoked.set(name, revoked);
    return {
      accountId: name,
      name,
      kind: "integration",
      grants: [],
      now: () => this.clock.now(),
      revoked: revoked.signal,
    };
  }
}

/** A stage and a client of it for each test of the calling `describe`, which leaves no timer and no reader behind. */
export function onStage(begun: (stage: Stage, client: Client) => void): void {
  let stage: Stage;
  let client: Client;
  beforeEach(async () => {
    stage = new Stage();
    await stage.start();
    client = await stage.client();
    begun(stage, client);
  });
  afterEach(async () => {
    client.socket.destroy();
    await stage.close();
    expect(stage.clock.pending, "timers").to.equal(0);
    expect(stage.hub.readers, "readers").to.equal(0);
  });
}

export interface Reply {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: string;
  /** How many packets came before it. */
  readonly packetsBefore: number;
}

/** A client that reads the protocol by itself: text up to an empty line, and `$` frames. */
export class Client {
  readonly socket: Duplex;
  readonly packets: { readonly channel: number; readonly packet: Buffer }[] = [];
  readonly #base: string;
  readonly #replies: Reply[] = [];
  readonly #waiting = new Set<() => void>();
  #bytes = Buffer.alloc(0);
  #sequence = 0;
  session: string | undefined;
  /** Who logs in, where nothing else is said. */
  account = "vms";
  closed = false;
  /** Where it hears datagrams; they count as those of channels 0 and 1. */
  ports: PortPair | undefined;
  /** What the server said of its side of the last SETUP. */
  transport: string | undefined;
  readonly connected: Promise<unknown>;

  constructor(socket: Duplex, base: string) {
    this.socket = socket;
    this.#base = base;
    this.connected = once(socket, "connect");
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.closed = true;
      this.ports?.close();
      this.ports = undefined;
      this.#wake();
    });
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      while (this.#take());
      this.#wake();
    });
  }

  /** Wants datagrams from now on. */
  hear(ports: PortPair): void {
    this.ports = ports;
    for (const [channel, socket] of [ports.rtp, ports.rtcp].entries())
      socket.on("message", (packet: Buffer) => {
        this.packets.push({ channel, packet });
        this.#wake();
      });
  }

  write(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** Sends a request as `account` and gives its answer. */
  async ask(method: string, path: string, headers: readonly string[] = [], account = this.account): Promise<Reply> {
    const before = this.#replies.length;
    this.request(method, path, headers, account);
    return this.reply(before);
  }

  request(method: string, path: string, headers: readonly string[] = [], account = this.account): void {
    this.#sequence += 1;
    const lines = [
      `${method} ${path.startsWith("rtsp") || path === "*" ? path : this.#base + path} RTSP/1.0`,
      `CSeq: ${this.#sequence}`,
      ...(account === "" ? [] : [`Authorization: Test ${account}`]),
      ...(this.session === undefined ? [] : [`Session: ${this.session}`]),
      ...headers,
    ];
    this.write(`${lines.join("\r\n")}\r\n\r\n`);
  }

  /** The answer number `index`, from 0. */
  async reply(index: number): Promise<Reply> {
    await this.until(() => this.#replies.length > index || this.closed);
    const reply = this.#replies[index];
    if (reply === undefined) throw new Error("the server hung up");
    return reply;
  }

  /** SETUP of tracks and PLAY; what it plays is in `packets`. */
  async play(path: string, o: { tracks?: number; headers?: readonly string[] } = {}): Promise<Reply> {
    for (let track = 0; track < (o.tracks ?? 1); track += 1) {
      const pair = `${track * 2}-${track * 2 + 1}`;
      const transport =
        this.ports === undefined
          ? `RTP/AVP/TCP;unicast;interleaved=${pair}`
          : `RTP/AVP;unicast;client_port=${this.ports.ports.join("-")}`;
      const reply = await this.ask("SETUP", `${path}/track${track}`, [`Transport: ${transport}`]);
      this.transport = reply.header("transport");
      this.session ??= reply.header("session")?.split(";")[0];
    }
    return this.ask("PLAY", path, o.headers);
  }

  /** Sends RTCP of the first track, by the way that it was set up. */
  async report(packet: Buffer): Promise<void> {
    const port = Number(/server_port=\d+-(\d+)/.exec(this.transport ?? "")?.[1]);
    const { ports } = this;
    if (ports === undefined) this.write(Buffer.concat([Buffer.from([0x24, 1, 0, packet.length]), packet]));
    else await new Promise((resolve) => ports.rtcp.send(packet, port, "127.0.0.1", resolve));
  }

  /** Numbers of the groups that came on a channel. */
  numbers(channel = 0): readonly number[] {
    return this.packets.filter((one) => one.channel === channel).map(({ packet }) => packet.readUInt32BE(12));
  }

  /** Types of the RTCP packets that came on a channel. */
  reports(channel = 1): readonly (number | undefined)[] {
    return this.packets.filter((one) => one.channel === channel).map(({ packet }) => packet[1]);
  }

  /** Resolves when `done`, looked at after everything that comes. */
  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #take(): boolean {
    const bytes = this.#bytes;
    if (bytes[0] === 0x24) {
      if (bytes.length < 4 || bytes.length < 4 + bytes.readUInt16BE(2)) return false;
      const end = 4 + bytes.readUInt16BE(2);
      this.packets.push({ channel: bytes[1] ?? 0, packet: bytes.subarray(4, end) });
      this.#bytes = bytes.subarray(end);
      return true;
    }
    const end = bytes.indexOf("\r\n\r\n");
    if (end < 0) return false;
    const [start = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
    const header = (name: string): string | undefined =>
      lines.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))?.slice(name.length + 2);
    const length = Number(header("content-length") ?? 0);
    if (bytes.length < end + 4 + length) return false;
    const body = bytes.toString("utf8", end + 4, end + 4 + length);
    this.#replies.push({ status: Number(start.split(" ")[1]), header, body, packetsBefore: this.packets.length });
    this.#bytes = bytes.subarray(end + 4 + length);
    return true;
  }
}
