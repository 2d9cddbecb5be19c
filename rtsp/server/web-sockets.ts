import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { Fault } from "../../base/fault.ts";
import { answerPings, createWebSocketServer, type WebSocket } from "../../net/websocket.ts";
import type { Carrier } from "./carrier.ts";
import type { RtspServer } from "./server.ts";

const LIMITS = {
  /** Requests and reports of a client in one message. */
  messageBytes: 128 * 1024,
};

const SUBPROTOCOL = "rtsp.onvif.org";

const REFUSED = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/**
 * RTSP in WebSockets, for players in browsers (ONVIF Streaming 5.1.1.5): binary messages, in which the bytes of an RTSP connection
 * go both ways.
 *
 * Pages of any origin may connect: a browser adds nothing of its user's to what they send, for cookies count for nothing here. Who
 * is asking is told inside, by RTSP.
 */
export class RtspWebSockets {
  readonly #server: RtspServer;
  readonly #acceptor = createWebSocketServer({ maxBytes: LIMITS.messageBytes, subprotocol: SUBPROTOCOL });

  constructor(server: RtspServer) {
    this.#server = server;
  }

  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((one) => one.trim());
    if (!offered.includes(SUBPROTOCOL)) {
      socket.once("finish", () => socket.destroy());
      socket.end(REFUSED);
      return;
    }
    this.#acceptor.handleUpgrade(request, socket, head, (ws) => {
      const connection = this.#server.serve(carrierOf(ws, socket), socket);
      ws.on("error", () => ws.terminate());
      answerPings(ws);
      ws.on("message", (data, isBinary) => {
        if (isBinary) connection.read(data as Buffer);
        else connection.end(new Fault("invalid", "text in a WebSocket of RTSP"));
      });
    });
  }

  /** Hangs up on all of them. */
  close(): void {
    for (const ws of this.#acceptor.clients) ws.terminate();
    this.#acceptor.close();
  }
}

/** One message for each write. What waits is known by the socket alone: frames go to it at once. */
function carrierOf(ws: WebSocket, socket: Socket): Carrier {
  return {
    cork: () => socket.cork(),
    uncork: () => socket.uncork(),
    write: (bytes, sent) => ws.send(bytes, () => sent?.()),
    end(bytes) {
      ws.send(bytes);
      ws.close();
    },
    destroy: () => ws.terminate(),
    get destroyed() {
      return socket.destroyed;
    },
    get writableLength() {
      return socket.writableLength;
    },
    get bytesWritten() {
      return socket.bytesWritten;
    },
    on: (event, listener) => socket.on(event, listener),
    once: (event, listener) => socket.once(event, listener),
    off: (event, listener) => socket.off(event, listener),
  };
}
