import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import { equalInConstantTime, type Secret } from "../../base/secret.ts";
import { createHttpServer, type HttpServerOptions, isForwarded, peerOf } from "../../net/http.ts";
import type { Identity } from "../../net/tls.ts";

/** Sockets of all web pages, API and ONVIF clients together. */
const MAX_CONNECTIONS = 2000;

/** Where RTSP is spoken in WebSockets, on every port where ONVIF is. */
export const RTSP_WEB_SOCKET = "/onvif/rtsp";

/** What a part of the product does with requests below its own prefix. */
export interface HttpPart {
  handle(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** What listens, where. */
export interface HttpListener {
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface FrontDoorOptions {
  readonly onvif: HttpPart;
  /** Everything but ONVIF and health; absent where no pages are served. */
  readonly web: HttpPart | undefined;
  /** Is given every connection before HTTP: for what only begins as HTTP. */
  readonly first?: HttpServerOptions["first"];
  /** WebSockets at {@link RTSP_WEB_SOCKET}; absent where there are none. */
  readonly rtsp?: { upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void };
  readonly metrics: Metrics;
  /** Lets readers beyond loopback at /metrics. */
  readonly metricsToken: Secret | undefined;
  /** False while starting and stopping: load balancers should look elsewhere. */
  readonly ready: () => boolean;
  /** Told of TLS that did not come about, and with whom. */
  readonly tlsFailed?: HttpServerOptions["tlsFailed"];
  /** Of a request to the pages, where it has to be longer than elsewhere. */
  readonly headBytes?: number;
  readonly log: Log;
}

/** The HTTP listeners on the client side, and which part of the product answers which path. */
export class FrontDoor {
  readonly #options: FrontDoorOptions;
  readonly #servers: Server[] = [];
  readonly #listeners: HttpListener[] = [];

  constructor(options: FrontDoorOptions) {
    this.#options = options;
  }

  get listeners(): readonly HttpListener[] {
    return this.#listeners;
  }

  /** With an identity: HTTPS and everything. Without: plain HTTP, and ONVIF alone, as it is with another part to answer that. */
  async listen(address: string, port: number, identity: Identity | undefined, other?: HttpPart): Promise<HttpListener> {
    const parts = { onvif: other ?? this.#options.onvif, pages: identity !== undefined && other === undefined };
    const handler = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#handle(request, response, parts);
    };
    const { first, tlsFailed, headBytes } = this.#options;
    const server = createHttpServer(handler, {
      maxConnections: MAX_CONNECTIONS,
      ...(first === undefined ? {} : { first }),
      ...(tlsFailed === undefined ? {} : { tlsFailed }),
      ...(headBytes === undefined || !parts.pages ? {} : { headBytes }),
      ...(identity === undefined ? {} : { identity }),
    }) as Server;
    server.on("upgrade", (request, socket, head) => {
      const { web, rtsp } = this.#options;
      // With the upgrade Node takes its own listener away, and an error that nobody hears ends the process.
      socket.on("error", () => socket.destroy());
      if (pathOf(request) === RTSP_WEB_SOCKET && rtsp !== undefined) rtsp.upgrade(request, socket as Socket, head);
      else if (!parts.pages || web?.upgrade === undefined) socket.destroy();
      else web.upgrade(request, socket, head);
    });
    await new Promise<void>((resolve, reject) => {
      const fail = (cause: Error): void => {
        const tell = `cannot listen on ${address} port ${port}: ${cause.message}`;
        reject(new Fault("unavailable", tell, { tell, cause }));
      };
      server.once("error", fail);
      server.listen({ host: address, port }, () => {
        server.off("error", fail);
        server.on("error", (err) => this.#options.log.error({ err }, "HTTP listener failed"));
        resolve();
      });
    });
    this.#servers.push(server);
    const listener = { address, port: (server.address() as AddressInfo).port, tls: identity !== undefined };
    this.#listeners.push(listener);
    return listener;
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
    );
  }

  async #handle(
    request: IncomingMessage,
    response: ServerResponse,
    { onvif, pages }: { readonly onvif: HttpPart; readonly pages: boolean },
  ): Promise<void> {
    try {
      const path = pathOf(request);
      if (path.startsWith("/onvif/")) await onvif.handle(request, response);
      else if (path === "/healthz") reply(response, 200, "ok\n");
      else if (path === "/readyz")
        reply(response, this.#options.ready() ? 200 : 503, this.#options.ready() ? "ready\n" : "not ready\n");
      else if (path === "/metrics") await this.#metrics(request, response);
      else if (pages && this.#options.web !== undefined) await this.#options.web.handle(request, response);
      else reply(response, 404, "not found\n");
    } catch (err) {
      this.#options.log.error({ err }, "HTTP request failed");
      if (response.headersSent) response.destroy();
      else reply(response, 500, "internal error\n");
    }
  }

  async #metrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { metrics, metricsToken } = this.#options;
    const { address } = peerOf(request.socket);
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
    // Behind a proxy on this machine everybody comes from loopback; one that says so is seen, against others there is the token.
    const local = (address === "127.0.0.1" || address === "::1") && !isForwarded(request);
    const known =
      metricsToken === undefined ? local : given !== undefined && equalInConstantTime(metricsToken.reveal(), given);
    if (!known) {
      reply(response, 404, "not found\n");
      return;
    }
    response.writeHead(200, { "content-type": metrics.contentType, "cache-control": "no-store" });
    response.end(await metrics.text());
  }
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "/";
}

function reply(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(text);
}
