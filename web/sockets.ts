import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { demand } from "../auth/access.ts";
import type { Audit } from "../auth/audit.ts";
import type { Leases } from "../auth/leases.ts";
import type { Principal } from "../auth/principal.ts";
import type { BearerTokens } from "../auth/scheme/bearer.ts";
import type { WebSessions } from "../auth/sessions.ts";
import type { Clock } from "../base/clock.ts";
import { isFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { recordedUnder } from "../bridge/client-side/aged-source.ts";
import { streamOf, type Watch } from "../bridge/client-side/watch.ts";
import type { Discovery } from "../bridge/ports.ts";
import { callerOf } from "../net/client-certificate.ts";
import { peerOf } from "../net/http.ts";
import { answerPings, createWebSocketServer, type WebSocket } from "../net/websocket.ts";
import { fromOurPages } from "./headers.ts";
import { refusal, showLive } from "./live.ts";
import { PlaybackFeed } from "./playback-feed.ts";
import type { WebDoor } from "./state.ts";
import type { Footage } from "./timeline.ts";
import { bearerOf, sessionIdOf, visitorOf } from "./visitor.ts";

const LIMITS = {
  /** Live pictures and event feeds of one account at once: a wall of pictures in a few windows. */
  socketsPerAccount: 64,
  /** Pages say little, of recordings alone; what else they send is dropped. */
  payloadBytes: 1024,
  /** Events that wait for one page; it is hung up on beyond, and begins again. */
  unsentEventBytes: 1024 * 1024,
};

/** How long a camera may take before a page is told that it cannot be reached. */
const READY_LIMIT_MS = 10_000;

/** Private close code (RFC 6455 7.4.2): the right to watch ended. */
const CLOSE_ENDED = 4403;

export interface SocketsOptions {
  readonly sessions: WebSessions;
  readonly bearers: BearerTokens;
  readonly audit: Audit;
  readonly watch: Watch;
  readonly leases: Leases;
  readonly discovery: Discovery;
  readonly footage: Footage;
  readonly clock: Clock;
  readonly log: Log;
}

/** Who is at the other end, and until when. */
interface Visitor {
  readonly who: Principal;
  readonly door: WebDoor;
  readonly address: string;
  /** Aborted when the web session is over. What runs by a token ends by its leases alone. */
  readonly ended: AbortSignal;
}

/** WebSockets of logged-in pages, below `/api/`: `events`, and `live/<camera>` and `playback/<camera>`, both also with `/<stream>`. */
export const FEEDS = ["events", "live", "playback"] as const;

export class Sockets {
  readonly #o: SocketsOptions;
  readonly #server = createWebSocketServer({ maxBytes: LIMITS.payloadBytes });
  readonly #perAccount = new Map<string, number>();

  constructor(o: SocketsOptions) {
    this.#o = o;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A browser lets any page open a WebSocket to us and sends our cookie along: only our own pages may. It sends no token.
    const ofOurPages = fromOurPages(request.headers) && request.headers.origin !== undefined;
    const ofProgram = bearerOf(request) !== undefined || callerOf(request).certificate !== undefined;
    if (!ofProgram && !ofOurPages) {
      refuse(socket, "401 Unauthorized");
      return;
    }
    visitorOf(request, this.#o).then(
      (visitor) => {
        if (visitor === undefined) refuse(socket, "401 Unauthorized");
        else this.#letIn(request, socket, head, visitor);
      },
      (error: unknown) => refuse(socket, isFault(error, "busy") ? "429 Too Many Requests" : "401 Unauthorized"),
    );
  }

  #letIn(request: IncomingMessage, socket: Duplex, head: Buffer, { who, door }: Pick<Visitor, "who" | "door">): void {
    const { accountId } = who;
    const open = this.#perAccount.get(accountId) ?? 0;
    if (open >= LIMITS.socketsPerAccount) {
      refuse(socket, "429 Too Many Requests");
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      this.#perAccount.set(accountId, open + 1);
      ws.on("error", () => ws.terminate());
      answerPings(ws);
      ws.once("close", () => {
        const left = (this.#perAccount.get(accountId) ?? 1) - 1;
        if (left > 0) this.#perAccount.set(accountId, left);
        else this.#perAccount.delete(accountId);
      });
      const use = door === "web" ? this.#o.sessions.run(sessionIdOf(request)) : useByToken();
      if (use === undefined) {
        ws.close(CLOSE_ENDED);
        return;
      }
      ws.once("close", use.close);
      const visitor = { who, door, address: peerOf(request.socket).address, ended: use.ended };
      const path = (request.url ?? "").split("?", 1)[0] ?? "";
      const [, kind, camera, stream] = FEED_PATH.exec(path) ?? [];
      if (kind === "events" && camera === undefined) this.#events(ws, visitor);
      else if (kind === "live" && camera !== undefined) void this.#live(ws, visitor, camera, stream);
      else if (kind === "playback" && camera !== undefined) this.#playback(ws, visitor, camera, stream);
      else ws.close(1008);
    });
  }

  close(): void {
    for (const ws of this.#server.clients) ws.terminate();
    this.#server.close();
  }

  #events(ws: WebSocket, { who, door, address, ended }: Visitor): void {
    try {
      demand(this.#o.audit, who, { right: "adopt-camera", interface: door, address });
    } catch {
      ws.close(CLOSE_ENDED);
      return;
    }
    const lease = this.#o.leases.open(who, [{ right: "adopt-camera", interface: door, address }]);
    const stop = this.#o.discovery.listen((event) => {
      if (ws.bufferedAmount > LIMITS.unsentEventBytes) ws.terminate();
      else ws.send(JSON.stringify(event));
    });
    ws.once("close", stop);
    ws.once("close", lease.close);
    endWith(ws, AbortSignal.any([lease.ended, ended]));
  }

  async #live(
    ws: WebSocket,
    { who, door, address, ended }: Visitor,
    id: string,
    name: string | undefined,
  ): Promise<void> {
    try {
      const camera = this.#o.watch.open(who, id, "live", door, address);
      const lease = this.#o.watch.run(who, camera, ["live"], door, address);
      let bytes = 0;
      ws.once("close", () => lease.close({ bytes }));
      const over = AbortSignal.any([lease.ended, ended]);
      endWith(ws, over);
      const stream = streamOf(camera, name);
      await stream.live.ready(READY_LIMIT_MS, over);
      if (ws.readyState !== ws.OPEN) return;
      const viewer = {
        get queuedBytes() {
          return ws.bufferedAmount;
        },
        text: (message: object) => ws.send(JSON.stringify(message)),
        binary: (media: Buffer) => {
          bytes += media.length;
          ws.send(media);
        },
      };
      ws.once("close", showLive(stream, viewer, this.#o.log.child({ camera: id, account: who.name })));
    } catch (error) {
      refuseIn(ws, error);
    }
  }

  #playback(ws: WebSocket, { who, door, address, ended }: Visitor, id: string, name: string | undefined): void {
    try {
      const camera = this.#o.watch.open(who, id, "playback", door, address);
      const { recorded } = streamOf(camera, name);
      const lease = this.#o.watch.run(who, camera, ["playback"], door, address);
      ws.once("close", lease.close);
      const { footage, clock } = this.#o;
      const feed = new PlaybackFeed(ws, {
        camera: id,
        stream: name,
        source: recordedUnder(recorded, lease, clock),
        footage,
        clock,
        log: this.#o.log.child({ camera: id, account: who.name }),
      });
      ws.once("close", () => feed.close());
      // A page may take its time to close its end; nothing is read for it any more.
      const over = AbortSignal.any([lease.ended, ended]);
      over.addEventListener("abort", () => feed.close(), { once: true });
      endWith(ws, over);
    } catch (error) {
      refuseIn(ws, error);
    }
  }
}

function refuseIn(ws: WebSocket, error: unknown): void {
  if (ws.readyState !== ws.OPEN) return;
  ws.send(JSON.stringify({ type: "unplayable", why: refusal(error) }));
  ws.close(CLOSE_ENDED);
}

/** A token is no session: there is nothing that goes on by being used, and nothing that is logged out. */
function useByToken(): { readonly ended: AbortSignal; readonly close: () => void } {
  return { ended: new AbortController().signal, close: () => undefined };
}

/** With the camera, and its stream where it is not the main one. */
const FEED_PATH = new RegExp(`^/api/(${FEEDS.join("|")})(?:/([A-Za-z0-9_-]{1,64})(?:/([a-z0-9-]{1,16}))?)?$`);

function endWith(ws: WebSocket, signal: AbortSignal): void {
  const end = (): void => ws.close(CLOSE_ENDED);
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  ws.once("close", () => signal.removeEventListener("abort", end));
}

/** The client must not be able to keep a refused connection half open: nobody would count it. */
function refuse(socket: Duplex, status: string): void {
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
