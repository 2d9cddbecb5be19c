import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import { plainAddress } from "../base/address.ts";
import { Fault } from "../base/fault.ts";
import { remembered } from "../base/remember.ts";
import { type Identity, serverTlsOptions } from "./tls.ts";

const LIMITS = {
  /** A client that has not sent its head, or finished its TLS handshake, by then is not a client. */
  headMs: 5000,
  /** Head and body together. */
  requestMs: 10_000,
  /** Idle time between two requests on one connection. */
  keepAliveMs: 5000,
  /** Node looks at its connections this often; with its own 30 s the two limits above would mean nothing. */
  checkMs: 1000,
  headBytes: 16 * 1024,
  headFields: 100,
  requestsPerConnection: 1000,
  /** Longest body that is read to its end though nobody wanted it. */
  lingerBytes: 256 * 1024,
  /** The part of all connections that one address may hold, so that one machine cannot lock out the others. */
  shareOfOneAddress: 0.5,
} as const;

/** Answers one request. A rejection closes the connection. */
export type HttpHandler = (...of: Parameters<RequestListener>) => unknown;

export interface HttpServerOptions {
  /** Present: TLS. */
  readonly identity?: Identity;
  /** Told of TLS that did not come about, and with whom. */
  readonly tlsFailed?: (error: Error, address: string) => void;
  /** The longest head of a request; 16 KiB if absent. */
  readonly headBytes?: number;
  /** Connections at one time; more are closed unread. */
  readonly maxConnections: number;
  /** Is given every connection first, with TLS behind it, and lets HTTP have it by `serve`. */
  readonly first?: (socket: Socket, serve: () => void) => unknown;
}

/** An HTTP or HTTPS server, not yet listening, that slow, oversized and half-open clients cannot hold. For Koa and for SOAP. */
export function createHttpServer(handler: HttpHandler, options: HttpServerOptions): Server | TlsServer {
  const { identity, maxConnections, headBytes = LIMITS.headBytes } = options;
  const bounds: ServerOptions = {
    connectionsCheckingInterval: LIMITS.checkMs,
    headersTimeout: LIMITS.headMs,
    requestTimeout: LIMITS.requestMs,
    keepAliveTimeout: LIMITS.keepAliveMs,
    maxHeaderSize: headBytes,
    noDelay: true,
  };
  const listener: RequestListener = (request, response) => {
    response.once("finish", () => {
      // Closing takes the answer away from a client that still sends: a short rest is read and dropped (Node does).
      const declared = Number(request.headers["content-length"] ?? Number.NaN);
      if (!request.complete && !(declared <= LIMITS.lingerBytes)) request.socket.destroySoon();
    });
    response.on("error", () => request.socket.destroy());
    request.on("error", () => undefined);
    const fail = (): void => void request.socket.destroy();
    try {
      const answered = handler(request, response);
      if (answered instanceof Promise) answered.catch(fail);
    } catch {
      fail();
    }
  };
  const server =
    identity === undefined
      ? createServer(bounds, listener)
      : createTlsServer({ ...bounds, ...serverTlsOptions(identity), handshakeTimeout: LIMITS.headMs }, listener);
  server.maxConnections = maxConnections;
  server.maxHeadersCount = LIMITS.headFields;
  server.maxRequestsPerSocket = LIMITS.requestsPerConnection;

  if (options.first !== undefined)
    putFirst(server, identity === undefined ? "connection" : "secureConnection", options.first);
  const held = new Map<string, number>();
  const share = Math.max(1, Math.floor(maxConnections * LIMITS.shareOfOneAddress));
  server.on("connection", (socket: Socket) => {
    socket.on("error", () => undefined);
    const { address } = peerOf(socket);
    const count = (held.get(address) ?? 0) + 1;
    held.set(address, count);
    socket.once("close", () => {
      const left = (held.get(address) ?? 1) - 1;
      if (left > 0) held.set(address, left);
      else held.delete(address);
    });
    if (count > share) socket.destroy();
  });
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    else socket.destroy();
  });
  server.on("tlsClientError", (error: Error, socket: Socket) => {
    options.tlsFailed?.(error, peerOf(socket).address);
    socket.destroy();
  });
  return server;
}

/** `event`: that with which the server takes a connection, `connection`, or `secureConnection` behind TLS. */
export function putFirst(
  server: Server | TlsServer,
  event: "connection" | "secureConnection",
  first: NonNullable<HttpServerOptions["first"]>,
): void {
  const listeners = server.listeners(event);
  server.removeAllListeners(event);
  server.on(event, (socket: Socket) => {
    first(socket, () => {
      for (const listener of listeners) listener.call(server, socket);
    });
  });
}

/**
 * Reads a whole request body. Fault `invalid` when it is longer than `maxBytes`, comes in a Content-Encoding (a small gzip
 * body can be a large one), or ends early. After a Fault the rest is not read; the server closes the connection once answered.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return readWhole(request, maxBytes, "request");
}

/** The same of any message; `what` names it in the Fault. */
export function readWhole(message: IncomingMessage, maxBytes: number, what: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const encoding = message.headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
    if (encoding !== "identity" && encoding !== "")
      throw new Fault("invalid", `${what} with Content-Encoding ${encoding}`, {
        tell: "Content-Encoding is not supported",
      });
    const tooLong = (): Fault =>
      new Fault("invalid", `${what} body over ${maxBytes} bytes`, { tell: "body too large" });
    if (Number(message.headers["content-length"] ?? 0) > maxBytes) throw tooLong();
    const chunks: Buffer[] = [];
    let length = 0;
    const stop = (fault: Fault): void => {
      message.off("data", onData);
      message.off("end", onEnd);
      message.pause();
      reject(fault);
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > maxBytes) stop(tooLong());
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      // Or a Fault that nobody wants, with its stack, would be made of every request.
      message.off("close", onClose);
      // Or what was read would be kept as long as its answer is waited for.
      message.off("data", onData);
      resolve(Buffer.concat(chunks.splice(0), length));
    };
    const onClose = (): void => stop(new Fault("invalid", `${what} body broke off`));
    message.on("data", onData);
    message.once("end", onEnd);
    message.once("error", (cause) => stop(new Fault("invalid", `${what} body broke off`, { cause })));
    message.once("close", onClose);
  });
}

/** What proxies add (RFC 7239; RFC 9110 7.6.3). */
const FORWARDED = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];

/** Whether a proxy says that it stands in between; others say nothing. */
export function isForwarded({ headers }: Pick<IncomingMessage, "headers">): boolean {
  return FORWARDED.some((name) => name in headers);
}

/** Where a connection comes from. It stays the same, so that it is found out once: ask when it is accepted, for a closed socket has forgotten. */
export const peerOf = remembered(
  (socket: Socket): { readonly address: string; readonly port: number; readonly tls: boolean } => {
    const address = socket.remoteAddress ?? "";
    return {
      address: plainAddress(address) ?? (address || "unknown"),
      port: socket.remotePort ?? 0,
      tls: "encrypted" in socket && socket.encrypted === true,
    };
  },
);
