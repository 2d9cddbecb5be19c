import type { Socket } from "node:net";
import type { Clock, Timer } from "../../base/clock.ts";
import { asFault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import { peerOf } from "../../net/http.ts";
import { type HttpHead, peekHead } from "../../net/http-head.ts";
import { Base64Stream } from "../wire/base64-stream.ts";
import type { ClientConnection } from "./connection.ts";
import { keyOf, type RtspServer } from "./server.ts";
import { StreamCarrier } from "./stream-carrier.ts";

const LIMITS = {
  /** A POST that waits for its GET. A GET without a POST ends as every connection without a log-in does. */
  halfMs: 10 * SECOND,
  cookieCharacters: 128,
};

const TUNNELLED = "application/x-rtsp-tunnelled";

const OPENED = [
  "HTTP/1.0 200 OK",
  "Server: Viaduct",
  "Connection: close",
  "Cache-Control: no-store",
  "Pragma: no-cache",
  `Content-Type: ${TUNNELLED}`,
  "\r\n",
].join("\r\n");

const REFUSED = "HTTP/1.0 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

interface Tunnel {
  readonly connection: ClientConnection;
  post: Socket | undefined;
}

interface WaitingPost {
  readonly socket: Socket;
  /** Among the newcomers. A closed socket has forgotten it. */
  readonly key: string;
  readonly rest: Buffer;
  readonly timer: Timer;
}

/**
 * RTSP in HTTP, as QuickTime began it and ONVIF asks for (ONVIF Streaming 5.1.1.4): what the server says comes as the endless
 * answer to a GET, what the client says goes as the endless body of a POST, in base64; a cookie of the client's makes them one.
 *
 * Who is asking is told inside, by RTSP. The cookie proves nothing: so GET and POST must come from one machine and by one door.
 */
export class Tunnels {
  readonly #server: RtspServer;
  readonly #clock: Clock;
  readonly #tunnels = new Map<string, Tunnel>();
  readonly #posts = new Map<string, WaitingPost>();
  readonly #looking = new Set<Socket>();
  #closed = false;

  constructor(server: RtspServer, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
  }

  /** Looks at a connection before HTTP does: takes it if it belongs to a tunnel, whatever its path, or lets `serve` have it. */
  readonly first = async (socket: Socket, serve: () => void): Promise<void> => {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    this.#looking.add(socket);
    const forget = (): void => void this.#looking.delete(socket);
    const hangUp = (): void => void socket.destroy();
    socket.once("close", forget).on("error", hangUp);
    const { head, undo } = await peekHead(socket, this.#clock);
    forget();
    if (socket.destroyed) return;
    if (head?.method === "GET" && isTunnelled(head, "accept")) this.#get(socket, head);
    else if (head?.method === "POST" && isTunnelled(head, "content-type")) this.#post(socket, head);
    else {
      socket.off("close", forget).off("error", hangUp);
      undo();
      serve();
      socket.resume();
    }
  };

  /** Hangs up on what is half open; tunnels end with the RTSP connections in them. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { connection } of this.#tunnels.values()) connection.end(undefined);
    const halves = [...this.#looking, ...[...this.#posts.values()].map(({ socket }) => socket)];
    const closed = halves.map((socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())));
    for (const socket of halves) socket.destroy();
    await Promise.all(closed);
  }

  #get(socket: Socket, { fields }: HttpHead): void {
    const name = nameOf(socket, fields.get("x-sessioncookie"));
    if (name === undefined || this.#tunnels.has(name)) {
      refuse(socket);
      return;
    }
    socket.write(OPENED);
    const tunnel: Tunnel = { connection: this.#server.serve(new StreamCarrier(socket), socket), post: undefined };
    this.#tunnels.set(name, tunnel);
    // What may still come belongs to nothing.
    socket.on("data", () => undefined);
    socket.on("end", () => socket.destroy());
    socket.resume();
    socket.once("close", () => {
      this.#tunnels.delete(name);
      tunnel.post?.destroy();
    });
    const waiting = this.#posts.get(name);
    if (waiting === undefined) return;
    this.#forget(name, waiting);
    join(tunnel, waiting.socket, waiting.rest);
  }

  #post(socket: Socket, { fields, rest }: HttpHead): void {
    const name = nameOf(socket, fields.get("x-sessioncookie"));
    if (name === undefined) {
      refuse(socket);
      return;
    }
    const tunnel = this.#tunnels.get(name);
    if (tunnel !== undefined) {
      join(tunnel, socket, rest);
      return;
    }
    this.#posts.get(name)?.socket.destroy();
    this.#wait(name, socket, rest);
  }

  #wait(name: string, socket: Socket, rest: Buffer): void {
    const timer = this.#clock.after(LIMITS.halfMs, () => socket.destroy());
    const waiting: WaitingPost = { socket, key: keyOf(socket), rest, timer };
    this.#posts.set(name, waiting);
    this.#server.newcomers.add(waiting.key, peerOf(socket).address, socket);
    socket.once("close", () => this.#forget(name, waiting));
  }

  #forget(name: string, waiting: WaitingPost): void {
    waiting.timer.cancel();
    this.#server.newcomers.remove(waiting.key);
    if (this.#posts.get(name) === waiting) this.#posts.delete(name);
  }
}

/** From now on the client speaks by this POST; the one before is over, for clients may use a new one for each request. */
function join(tunnel: Tunnel, socket: Socket, rest: Buffer): void {
  tunnel.post?.destroy();
  tunnel.post = socket;
  const base64 = new Base64Stream();
  const read = (chunk: Buffer): void => {
    try {
      const bytes = base64.push(chunk);
      if (tunnel.post === socket && bytes.length > 0) tunnel.connection.read(bytes);
    } catch (error) {
      tunnel.connection.end(asFault(error));
    }
  };
  read(rest);
  socket.on("data", read);
  socket.resume();
}

function isTunnelled({ fields }: HttpHead, name: string): boolean {
  return fields.get(name)?.toLowerCase().includes(TUNNELLED) === true;
}

/** Of a tunnel: the client's cookie, from where, at which door. */
function nameOf(socket: Socket, cookie: string | undefined): string | undefined {
  if (cookie === undefined || cookie === "" || cookie.length > LIMITS.cookieCharacters) return undefined;
  return `${peerOf(socket).address} ${socket.localPort} ${cookie}`;
}

function refuse(socket: Socket): void {
  socket.once("finish", () => socket.destroy());
  socket.end(REFUSED);
}
