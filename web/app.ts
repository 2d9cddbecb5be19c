import { createReadStream, statSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import type { Duplex } from "node:stream";
import Koa from "koa";
import { type WebSocket, WebSocketServer } from "ws";
import { demand } from "../auth/access.ts";
import type { Accounts } from "../auth/accounts.ts";
import type { Audit } from "../auth/audit.ts";
import type { Peer, Principal } from "../auth/principal.ts";
import type { WebSessions } from "../auth/sessions.ts";
import type { Clock } from "../base/clock.ts";
import { asFault, Fault, type FaultKind } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { HttpPart } from "../bridge/client-side/front-door.ts";
import { endOf, type Watch } from "../bridge/client-side/watch.ts";
import type { Discovery } from "../bridge/ports.ts";
import { peerOf } from "../net/http.ts";
import { fromOurPages, sameOriginOnly, securityHeaders } from "./headers.ts";
import { refusal, showLive } from "./live.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { cameraRoutes } from "./routes/cameras.ts";
import { discoveryRoutes } from "./routes/discovery.ts";
import { SESSION_COOKIE, sessionRoutes } from "./routes/session.ts";
import type { Need, WebState } from "./state.ts";

const LIMITS = {
  /** Live pictures and event feeds of one account at once: a wall of pictures in a few windows. */
  socketsPerAccount: 64,
  /** Pages only listen; what they send is dropped. */
  socketPayloadBytes: 1024,
};

/** How long a camera may take before a page is told that it cannot be reached. */
const READY_LIMIT_MS = 10_000;

/** Private close code (RFC 6455 7.4.2): the right to watch ended. */
const CLOSE_ENDED = 4403;

const STATUS: Readonly<Record<FaultKind, number>> = {
  unauthenticated: 401,
  denied: 403,
  "not-found": 404,
  invalid: 400,
  "wrong-state": 409,
  busy: 429,
  unavailable: 503,
  internal: 500,
};

const MEDIA_TYPE: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** What the pages are made of. */
export interface WebOptions {
  readonly accounts: Accounts;
  readonly sessions: WebSessions;
  readonly audit: Audit;
  readonly watch: Watch;
  readonly discovery: Discovery;
  readonly clock: Clock;
  readonly log: Log;
  /** The folder of the built pages. */
  readonly pages: string;
  readonly addressesOf: (camera: string, localAddress: string) => { readonly live: string; readonly recorded: string };
  readonly about: (localAddress: string) => { readonly version: string; readonly onvif: string };
}

/** The installers' and administrators' interface: pages, their API, live pictures and events over WebSocket. */
export function createWeb(o: WebOptions): HttpPart & { close(): void } {
  const app = new Koa<WebState>();
  app.silent = true;
  app.use(securityHeaders);
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const fault = asFault(error);
      if (fault.kind === "internal") o.log.error({ err: fault, path: ctx.path }, "request failed");
      ctx.status = STATUS[fault.kind];
      ctx.body = { error: fault.tell ?? plainWords(fault.kind) };
    }
  });
  app.use(sameOriginOnly);
  app.use(async (ctx, next) => {
    const principal = o.sessions.find(ctx.cookies.get(SESSION_COOKIE) ?? "");
    if (principal !== undefined) ctx.state.principal = principal;
    await next();
  });

  const need: Need = (right) => async (ctx, next) => {
    const { principal } = ctx.state;
    if (principal === undefined) throw new Fault("unauthenticated", "no session", { tell: "Log in first." });
    demand(o.audit, principal, { right, interface: "web" });
    await next();
  };
  const routers = [
    sessionRoutes({ accounts: o.accounts, sessions: o.sessions, peerOf: (ctx) => peerOf(ctx.req.socket) }),
    cameraRoutes({ watch: o.watch, discovery: o.discovery, need, addressesOf: o.addressesOf }),
    discoveryRoutes(o.discovery, need),
    accountRoutes(o.accounts, need),
  ];
  for (const router of routers) app.use(router.routes());
  app.use(async (ctx) => {
    if (ctx.path === "/api/about" && ctx.state.principal !== undefined)
      ctx.body = o.about(ctx.req.socket.localAddress ?? "");
    else if (ctx.path.startsWith("/api/")) throw new Fault("not-found", ctx.path);
    else servePage(ctx, o.pages);
  });

  const sockets = new Sockets(o);
  const callback = app.callback();
  return {
    handle: (request, response) => callback(request, response),
    upgrade: (request, socket, head) => sockets.upgrade(request, socket, head),
    close: () => sockets.close(),
  };
}

function plainWords(kind: FaultKind): string {
  return kind === "not-found" ? "There is no such thing, or it is not for you." : `The request failed (${kind}).`;
}

/** A file of the built pages, or the start page for every other path, which the pages themselves understand. */
function servePage(ctx: Koa.Context, folder: string): void {
  if (ctx.method !== "GET" && ctx.method !== "HEAD") throw new Fault("invalid", ctx.method, { tell: "Only GET here." });
  const wanted = normalize(join(folder, decodeURIComponent(ctx.path)));
  const inside = wanted.startsWith(folder + sep) && statSync(wanted, { throwIfNoEntry: false })?.isFile() === true;
  const file = inside ? wanted : join(folder, "index.html");
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined)
    throw new Fault("unavailable", `no pages in ${folder}`, { tell: "The pages are not built: run `npm run build`." });
  ctx.type = MEDIA_TYPE[extname(file)] ?? "application/octet-stream";
  ctx.length = size;
  // Built files carry a hash of their content in their names.
  ctx.set(
    "cache-control",
    inside && ctx.path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
  );
  ctx.body = createReadStream(file);
}

/** WebSockets of logged-in pages: `/api/events` and `/api/live/<camera>`. */
class Sockets {
  readonly #o: WebOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.socketPayloadBytes,
    perMessageDeflate: false,
  });
  readonly #perAccount = new Map<string, number>();

  constructor(o: WebOptions) {
    this.#o = o;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const who = this.#caller(request);
    // A browser lets any page open a WebSocket to us and sends our cookie along: only our own pages may.
    if (who === undefined || !fromOurPages(request.headers) || request.headers.origin === undefined) {
      refuse(socket, "401 Unauthorized");
      return;
    }
    const open = this.#perAccount.get(who.accountId) ?? 0;
    if (open >= LIMITS.socketsPerAccount) {
      refuse(socket, "429 Too Many Requests");
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      this.#perAccount.set(who.accountId, open + 1);
      ws.on("error", () => ws.terminate());
      ws.once("close", () => {
        const left = (this.#perAccount.get(who.accountId) ?? 1) - 1;
        if (left > 0) this.#perAccount.set(who.accountId, left);
        else this.#perAccount.delete(who.accountId);
      });
      const path = (request.url ?? "").split("?", 1)[0] ?? "";
      const camera = /^\/api\/live\/([A-Za-z0-9_-]{1,64})$/.exec(path)?.[1];
      if (camera !== undefined) void this.#live(ws, who, camera, peerOf(request.socket));
      else if (path === "/api/events") this.#events(ws, who);
      else ws.close(1008);
    });
  }

  close(): void {
    for (const ws of this.#server.clients) ws.terminate();
    this.#server.close();
  }

  #caller(request: IncomingMessage): Principal | undefined {
    const cookie = (request.headers.cookie ?? "")
      .split(";")
      .map((pair) => pair.trim().split("="))
      .find(([name]) => name === SESSION_COOKIE);
    return this.#o.sessions.find(cookie?.[1] ?? "");
  }

  #events(ws: WebSocket, who: Principal): void {
    try {
      demand(this.#o.audit, who, { right: "adopt-camera", interface: "web" });
    } catch {
      ws.close(CLOSE_ENDED);
      return;
    }
    const stop = this.#o.discovery.listen((event) => ws.send(JSON.stringify(event)));
    ws.once("close", stop);
    endWith(ws, who.revoked);
  }

  async #live(ws: WebSocket, who: Principal, id: string, peer: Peer): Promise<void> {
    try {
      const camera = this.#o.watch.open(who, id, "live", "web", peer.address);
      await camera.live.ready(READY_LIMIT_MS);
      if (ws.readyState !== ws.OPEN) return;
      const viewer = {
        get queuedBytes() {
          return ws.bufferedAmount;
        },
        text: (message: object) => ws.send(JSON.stringify(message)),
        binary: (bytes: Buffer) => ws.send(bytes),
      };
      const stop = showLive(camera, viewer, this.#o.log.child({ camera: id, account: who.name }));
      ws.once("close", stop);
      endWith(ws, endOf(who, camera));
    } catch (error) {
      ws.send(JSON.stringify({ type: "unplayable", why: refusal(error) }));
      ws.close(CLOSE_ENDED);
    }
  }
}

function endWith(ws: WebSocket, signal: AbortSignal): void {
  const end = (): void => ws.close(CLOSE_ENDED);
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  ws.once("close", () => signal.removeEventListener("abort", end));
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
