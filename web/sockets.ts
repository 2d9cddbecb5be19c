import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { BearerTokens } from "../auth/scheme/bearer.ts";
import type { WebSessions } from "../auth/sessions.ts";
import { isFault } from "../base/fault.ts";
import { Turns } from "../base/turns.ts";
import { callerOf } from "../net/client-certificate.ts";
import { peerOf } from "../net/http.ts";
import { answerPings, createWebSocketServer } from "../net/websocket.ts";
import { CLOSE_ENDED, Feeds, type FeedsOptions } from "./feeds.ts";
import { fromOurPages } from "./headers.ts";
import { bearerOf, sessionIdOf, type Visitor, visitorOf } from "./visitor.ts";

const LIMITS = {
  /** Live pictures and event feeds of one account at once: a wall of pictures in a few windows. */
  socketsPerAccount: 64,
  /** Pages say little, of recordings and moves alone; what else they send is dropped. */
  payloadBytes: 1024,
};

export interface SocketsOptions extends FeedsOptions {
  readonly sessions: WebSessions;
  readonly bearers: BearerTokens;
}

/** One account, while it has WebSockets open. */
interface Guest {
  open: number;
  readonly turns: Turns;
}

/** WebSockets of logged-in pages, below `/api/`: `events`, `ptz/<camera>`, and `live`, `sound`, `playback` and `recorded-sound`, each `/<camera>` or `/<camera>/<stream>`. */
export const FEEDS = ["events", "live", "sound", "playback", "recorded-sound", "ptz"] as const;

export class Sockets {
  readonly #o: SocketsOptions;
  readonly #server = createWebSocketServer({ maxBytes: LIMITS.payloadBytes });
  readonly #guests = new Map<string, Guest>();
  readonly #feeds: Feeds;

  constructor(o: SocketsOptions) {
    this.#o = o;
    this.#feeds = new Feeds(o);
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

  #letIn(request: IncomingMessage, socket: Duplex, head: Buffer, { who, door }: Visitor): void {
    const { accountId } = who;
    if ((this.#guests.get(accountId)?.open ?? 0) >= LIMITS.socketsPerAccount) {
      refuse(socket, "429 Too Many Requests");
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      const guest = this.#guests.get(accountId) ?? { open: 0, turns: new Turns() };
      guest.open += 1;
      this.#guests.set(accountId, guest);
      ws.on("error", () => ws.terminate());
      answerPings(ws);
      ws.once("close", () => {
        guest.open -= 1;
        if (guest.open === 0) this.#guests.delete(accountId);
      });
      const use = door === "web" ? this.#o.sessions.run(sessionIdOf(request)) : useByToken();
      if (use === undefined) {
        ws.close(CLOSE_ENDED);
        return;
      }
      ws.once("close", use.close);
      const visitor = { who, door, address: peerOf(request.socket).address, ended: use.ended, turns: guest.turns };
      const path = (request.url ?? "").split("?", 1)[0] ?? "";
      const [, kind, camera, stream] = FEED_PATH.exec(path) ?? [];
      if (kind === "events" && camera === undefined) this.#feeds.events(ws, visitor);
      else if (kind === "live" && camera !== undefined) void this.#feeds.live(ws, visitor, camera, stream);
      else if (kind === "sound" && camera !== undefined) void this.#feeds.sound(ws, visitor, camera, stream);
      else if (kind === "playback" && camera !== undefined) this.#feeds.playback(ws, visitor, camera, stream);
      else if (kind === "recorded-sound" && camera !== undefined)
        this.#feeds.recordedSound(ws, visitor, camera, stream);
      else if (kind === "ptz" && camera !== undefined && stream === undefined) this.#feeds.ptz(ws, visitor, camera);
      else ws.close(1008);
    });
  }

  close(): void {
    for (const ws of this.#server.clients) ws.terminate();
    this.#server.close();
  }
}

/** A token is no session: there is nothing that goes on by being used, and nothing that is logged out. */
function useByToken(): { readonly ended: AbortSignal; readonly close: () => void } {
  return { ended: new AbortController().signal, close: () => undefined };
}

/** With the camera, and its stream where it is not the main one. */
const FEED_PATH = new RegExp(`^/api/(${FEEDS.join("|")})(?:/([A-Za-z0-9_-]{1,64})(?:/([a-z0-9-]{1,16}))?)?$`);

/** The client must not be able to keep a refused connection half open: nobody would count it. */
function refuse(socket: Duplex, status: string): void {
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
