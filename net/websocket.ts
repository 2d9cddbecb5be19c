import { type WebSocket, WebSocketServer } from "ws";

export type { WebSocket, WebSocketServer };

const LIMITS = {
  /** Pings are answered as long as the client reads. */
  unsentBytesAtPing: 256 * 1024,
};

/**
 * Makes WebSockets of requests to upgrade (RFC 6455, version 13). Nothing is compressed: video does not get smaller, and each
 * connection would cost memory. With a `subprotocol`, clients are told that it is spoken; that they asked for it is for the caller
 * to see. Pings are for {@link answerPings}.
 */
export function createWebSocketServer(o: {
  /** Longest message. */
  readonly maxBytes: number;
  readonly subprotocol?: string;
}): WebSocketServer {
  const { subprotocol } = o;
  return new WebSocketServer({
    noServer: true,
    maxPayload: o.maxBytes,
    perMessageDeflate: false,
    autoPong: false,
    ...(subprotocol === undefined ? {} : { handleProtocols: () => subprotocol }),
  });
}

/** Answers pings, but not those of a client that does not read: the answers would pile up. */
export function answerPings(ws: WebSocket): void {
  ws.on("ping", (data: Buffer) => {
    if (ws.bufferedAmount < LIMITS.unsentBytesAtPing) ws.pong(data);
  });
}
