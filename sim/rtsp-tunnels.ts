import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { type HttpHead, peekHead } from "../net/http-head.ts";
import { Base64Stream } from "../rtsp/wire/base64-stream.ts";
import type { RtspConnection } from "./rtsp-connection.ts";

const LIMITS = { cookieCharacters: 128 } as const;

const TYPE = "application/x-rtsp-tunnelled";
const OPENED = `HTTP/1.0 200 OK\r\nCache-Control: no-store\r\nPragma: no-cache\r\nContent-Type: ${TYPE}\r\n\r\n`;
const REFUSED = "HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

/**
 * RTSP in HTTP (ONVIF Streaming 5.1.1.4), at whichever port it comes: the endless answer to a GET brings what the camera says, the
 * endless body of a POST with the same cookie what the client says, in base64. Log-ins are those of the RTSP inside.
 */
export class RtspTunnels {
  readonly #begin: (down: Socket) => RtspConnection;
  readonly #clock: Clock;
  readonly #tunnels = new Map<string, RtspConnection>();
  readonly #sockets = new Set<Socket>();

  /** `begin`: an RTSP connection that answers to `down`. */
  constructor(begin: (down: Socket) => RtspConnection, clock: Clock) {
    this.#begin = begin;
    this.#clock = clock;
  }

  /** Looks at a connection, and lets `serve` have it where it is of no tunnel. */
  readonly first = async (socket: Socket, serve: () => void): Promise<void> => {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => undefined);
    const { head, undo } = await peekHead(socket, this.#clock);
    if (socket.destroyed) return;
    if (isOfTunnel(head)) {
      const opened = head.method === "GET" ? this.#get(socket, head) : this.#post(socket, head);
      if (!opened) socket.end(REFUSED);
    } else {
      undo();
      serve();
    }
    socket.resume();
  };

  /** Breaks all connections that it has seen. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #get(socket: Socket, head: HttpHead): boolean {
    const cookie = cookieOf(head);
    if (cookie === undefined || this.#tunnels.has(cookie)) return false;
    socket.write(OPENED);
    this.#tunnels.set(cookie, this.#begin(socket));
    socket.once("close", () => this.#tunnels.delete(cookie));
    return true;
  }

  #post(socket: Socket, head: HttpHead): boolean {
    const connection = this.#tunnels.get(cookieOf(head) ?? "");
    if (connection === undefined) return false;
    const base64 = new Base64Stream();
    const read = (chunk: Buffer): void => {
      try {
        connection.read(base64.push(chunk));
      } catch {
        connection.close();
      }
    };
    read(head.rest);
    socket.on("data", read);
    // Either one's end is the end of both.
    socket.once("close", () => connection.close());
    return true;
  }
}

function isOfTunnel(head: HttpHead | undefined): head is HttpHead {
  const type = head?.fields.get(head.method === "GET" ? "accept" : "content-type");
  return (head?.method === "GET" || head?.method === "POST") && type?.toLowerCase().includes(TYPE) === true;
}

function cookieOf({ fields }: HttpHead): string | undefined {
  const cookie = fields.get("x-sessioncookie");
  return cookie === undefined || cookie === "" || cookie.length > LIMITS.cookieCharacters ? undefined : cookie;
}
