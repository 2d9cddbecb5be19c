import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Peer, Principal } from "../../auth/principal.ts";
import type { RefusedRequest } from "../../auth/refused.ts";
import { networkOf } from "../../base/address.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { type Log, Repeats, withoutLogIns } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import { SECOND } from "../../base/units.ts";
import { peerWithCertificate } from "../../net/client-certificate.ts";
import { peerOf } from "../../net/http.ts";
import { descriptorOf, nativeSender } from "../../net/native.ts";
import { type Identity, serverTlsOptions } from "../../net/tls.ts";
import type { PortRange } from "../../net/udp.ts";
import type { Request } from "../wire/message.ts";
import type { Carrier } from "./carrier.ts";
import { Cohorts } from "./cohorts.ts";
import { ClientConnection } from "./connection.ts";
import type { Datagrams } from "./datagrams.ts";
import { DirectCarrier } from "./direct-carrier.ts";
import type { RtspHost } from "./host.ts";
import { MulticastSenders } from "./multicast.ts";
import { Newcomers } from "./newcomers.ts";
import { StreamCarrier } from "./stream-carrier.ts";

const LIMITS = {
  /** Logged-in connections: two cores feed about 2000 of 4 Mbit/s. */
  connections: 2000,
  /** Of one account, so that a mad client locks out nobody else. */
  connectionsOfAccount: 500,
  handshakeMs: 5 * SECOND,
  checkEveryMs: SECOND,
  /**
   * Of each connection, unsent in the kernel, where the native sender can say so. The rest waits here, where it is dropped when a
   * client is too slow: the kernel would keep megabytes, seconds old.
   */
  unsentBytes: 128 * 1024,
  /** A client whose network is gone says nothing: TCP itself asks after so long. */
  keepAliveMs: 30 * SECOND,
};

export interface RtspServerOptions {
  readonly host: RtspHost;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Told of each request that was refused, and of TLS that did not come about. */
  readonly refused?: (refused: RefusedRequest) => void;
  /** Present: clients of plain RTSP may have RTP over UDP. Those of RTSPS may not, for it would be in clear text. */
  readonly udp?: { readonly range: PortRange | undefined };
  /** Present: clients of RTSPS may have SRTP over UDP, from these ports. */
  readonly srtp?: { readonly range: PortRange | undefined };
  /** Present: clients of plain RTSP may have live streams by multicast, sent from these ports. */
  readonly multicast?: { readonly range: PortRange | undefined };
}

/** The RTSP server of the client side: RTSP and RTSPS, any number of addresses (RFC 2326). */
export class RtspServer {
  readonly #o: RtspServerOptions;
  readonly #log: Log;
  readonly #repeats: Repeats;
  readonly #servers: Server[] = [];
  readonly #connections = new Map<ClientConnection, Principal | undefined>();
  /** Those of this server, and halves of connections to it. */
  readonly newcomers = new Newcomers();
  readonly #timer: Timer;
  readonly #dropped: () => void;
  /** Of clients of plain RTSP, and of RTSPS. */
  readonly #datagrams: { readonly plain: Datagrams; readonly secure: Datagrams };
  readonly #native = nativeSender();
  readonly #cohorts: Cohorts;

  constructor(options: RtspServerOptions) {
    this.#o = options;
    const { clock, metrics } = options;
    this.#log = options.log.child({ part: "rtsp" });
    this.#repeats = new Repeats(clock);
    this.#cohorts = new Cohorts(clock);
    this.#timer = clock.every(LIMITS.checkEveryMs, () => this.#check());
    const dropped = metrics.counter(
      "viaduct_rtsp_dropped_groups_total",
      "Packet groups that readers were too slow for",
    );
    this.#dropped = () => dropped.inc();
    const { udp, srtp, multicast } = options;
    const senders = multicast && new MulticastSenders({ clock, range: multicast.range, dropped: this.#dropped });
    this.#datagrams = {
      plain: { ...(udp === undefined ? {} : { udp }), ...(senders === undefined ? {} : { multicast: senders }) },
      secure: srtp === undefined ? {} : { srtp },
    };
    metrics.measure("viaduct_rtsp_multicast_streams", "Streams that are sent by multicast", () => senders?.size ?? 0);
    metrics.measure("viaduct_rtsp_connections", "RTSP connections", () => this.#connections.size);
    metrics.measure("viaduct_native_sender", "1 where the native sender is used, 0 where Node.js sends alone", () =>
      this.#native === undefined ? 0 : 1,
    );
    metrics.measure("viaduct_rtsp_sessions", "RTSP sessions that play", () => this.sessions());
  }

  /** Sessions that play now; with a name, those of this account. */
  sessions(accountName?: string): number {
    return [...this.#connections.keys()].filter(
      ({ session }) => session?.active === true && (accountName ?? session.accountName) === session.accountName,
    ).length;
  }

  /** With an identity: RTSPS. Resolves with the port that was bound. Fault `unavailable`. */
  async listen(o: {
    readonly address: string;
    readonly port: number;
    readonly identity?: Identity;
  }): Promise<{ readonly port: number }> {
    const server = this.#make(o.identity);
    await new Promise<void>((resolve, reject) => {
      const failed = (cause: Error): void => {
        const tell = `cannot listen on ${o.address} port ${o.port}: ${cause.message}`;
        reject(new Fault("unavailable", tell, { tell, cause }));
      };
      server.once("error", failed);
      server.listen({ host: o.address, port: o.port }, () => {
        server.off("error", failed);
        server.on("error", (err) => this.#log.error({ err }, "RTSP listener failed"));
        resolve();
      });
    });
    this.#servers.push(server);
    return { port: (server.address() as AddressInfo).port };
  }

  /** Takes up an RTSP connection that `carrier`, on `socket`, brings to the client. Its caller hands on what the client sends. */
  serve(carrier: Carrier, socket: Socket, datagrams: Datagrams = {}, peer: Peer = peerOf(socket)): ClientConnection {
    const { host, clock } = this.#o;
    const key = keyOf(socket);
    socket.setNoDelay(true).setKeepAlive(true, LIMITS.keepAliveMs);
    this.newcomers.add(key, peer.address, carrier);
    const connection: ClientConnection = new ClientConnection({
      carrier,
      peer,
      localAddress: socket.localAddress ?? "127.0.0.1",
      host,
      datagrams,
      clock,
      cohorts: this.#cohorts,
      dropped: this.#dropped,
      authenticated: (who) => {
        this.#admit(who);
        this.newcomers.remove(key);
        this.#connections.set(connection, who);
      },
      refused: (fault, request) => this.#refused(fault, request, peer.address, this.#connections.get(connection)),
      closed: () => {
        this.newcomers.remove(key);
        this.#connections.delete(connection);
      },
    });
    this.#connections.set(connection, undefined);
    return connection;
  }

  /** Ends all sessions and stops listening. */
  async close(): Promise<void> {
    this.#timer.cancel();
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const connection of this.#connections.keys()) connection.end(undefined);
    this.newcomers.clear();
    await Promise.all(closed);
  }

  #make(identity: Identity | undefined): Server {
    if (identity === undefined) {
      return createServer((socket) => {
        this.#arrived(socket);
        this.#accept(socket);
      });
    }
    const server = createTlsServer({ ...serverTlsOptions(identity), handshakeTimeout: LIMITS.handshakeMs }, (socket) =>
      this.#accept(socket),
    );
    server.on("connection", (socket: Socket) => this.#arrived(socket));
    server.on("tlsClientError", (error, socket) => {
      const fault = new Fault("invalid", "no TLS came about", { cause: error });
      this.#o.refused?.({ fault, interface: "rtsp", address: peerOf(socket).address, what: "TLS" });
      socket.destroy();
    });
    return server;
  }

  /** Counted from its first packet on, so that unfinished handshakes are bounded too. */
  #arrived(socket: Socket): void {
    const key = keyOf(socket);
    socket.on("error", () => socket.destroy());
    const fd = descriptorOf(socket);
    if (fd !== undefined) this.#native?.limitUnsent(fd, LIMITS.unsentBytes);
    this.newcomers.add(key, peerOf(socket).address, socket);
    socket.once("close", () => this.newcomers.remove(key));
  }

  #accept(socket: Socket): void {
    if (socket.destroyed) return;
    // Not so inside HTTP and WebSockets: around these there may be a browser, which sends its certificate for any page.
    const peer = peerWithCertificate(socket);
    const { tls } = peer;
    const native = tls ? undefined : this.#native;
    const carrier = native === undefined ? new StreamCarrier(socket) : new DirectCarrier(socket, native);
    const connection = this.serve(carrier, socket, tls ? this.#datagrams.secure : this.#datagrams.plain, peer);
    socket.on("data", (chunk: Buffer) => connection.read(chunk));
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.destroy());
  }

  #admit(who: Principal): void {
    const all = [...this.#connections.values()].filter((one) => one !== undefined);
    const theirs = all.filter((one) => one.accountId === who.accountId).length;
    if (all.length >= LIMITS.connections || theirs >= LIMITS.connectionsOfAccount)
      throw new Fault("busy", `${all.length} connections, ${theirs} of ${who.name}`, {
        tell: "too many connections; close some, or try again later",
      });
  }

  #check(): void {
    const now = this.#o.clock.monotonic();
    for (const connection of this.#connections.keys()) connection.check(now);
  }

  #refused(fault: Fault, request: Request | undefined, address: string, who: Principal | undefined): void {
    if (request !== undefined || fault.kind === "denied") {
      const what = request === undefined ? "session" : `${request.method} ${withoutLogIns(request.uri)}`;
      this.#o.refused?.({ fault, interface: "rtsp", address, who: who?.name, what });
    }
    const suppressed = this.#repeats.admit(`${networkOf(address)} ${fault.kind}`);
    if (suppressed === undefined) return;
    const level = fault.kind === "internal" ? "error" : "info";
    this.#log[level](
      {
        err: fault,
        address,
        suppressed,
        ...(request === undefined ? {} : { method: request.method, url: request.uri }),
      },
      "RTSP refused",
    );
  }
}

/** Names a connection as long as it lasts. */
export function keyOf(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}>${socket.localAddress}:${socket.localPort}`;
}
