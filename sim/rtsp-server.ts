import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createSecureServer } from "node:tls";
import type { Timer } from "../base/clock.ts";
import { type MonotonicMillis, SECOND } from "../base/units.ts";
import { type RoomForOne, RtspConnection, type RtspOptions } from "./rtsp.ts";
import { type StreamName, targetOf } from "./rtsp-target.ts";

const LIMITS = { connections: 64 } as const;

const LOOK_PERIOD_MS = SECOND;
const DESERTED_MS = 60 * SECOND;
const GARBAGE = Buffer.alloc(256 * 1024, "Kernel panic - not syncing. ");

/** An RTSP server with a stream or two (RFC 2326): RTP inside the connection or over UDP, a session for each connection. */
export class RtspServer implements RoomForOne {
  readonly #options: RtspOptions;
  readonly #open = new Set<RtspConnection>();
  /** Until when the places of clients that went without TEARDOWN are kept. */
  #keptUntil = 0 as MonotonicMillis;
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
    return [...this.#open].filter(({ watching }) => watching).length;
  }

  get port(): number {
    return this.#port;
  }

  /** A stream's address, with the given host. */
  url(host: string, stream: StreamName): string {
    const scheme = this.#options.tls === undefined ? "rtsp" : "rtsps";
    return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${this.#port}${targetOf(stream, this.#options.quirks)}`;
  }

  occupied(by: RtspConnection): boolean {
    const kept = this.#options.clock.monotonic() < this.#keptUntil;
    return kept || [...this.#open].some((other) => other !== by && other.holdsSession);
  }

  async listen(port: number): Promise<void> {
    const { tls } = this.#options;
    const accept = (socket: Socket): void => this.#accept(socket);
    const server = tls === undefined ? createServer(accept) : createSecureServer(tls, accept);
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
      if (connection.holdsSession) this.#keptUntil = (this.#options.clock.monotonic() + DESERTED_MS) as MonotonicMillis;
    });
  }
}
