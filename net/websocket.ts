import { type WebSocket, WebSocketServer } from "ws";

export type { WebSocket, WebSocketServer };

/**
 * Makes WebSockets of requests to upgrade (RFC 6455, version 13). Nothing is compressed: video does not get smaller, and each
 * connection would cost memory. With a `subprotocol`, clients are told that it is spoken; that they asked for it is for the caller
 * to see. Without `pongs` the caller answers pings, for answers to a client that does not read pile up.
 */
export function createWebSocketServer(o: {
  /** Longest message. */
  readonly maxBytes: number;
  readonly subprotocol?: string;
  readonly pongs?: boolean;
}): WebSocketServer {
  const { subprotocol } = o;
  return new WebSocketServer({
    noServer: true,
    maxPayload: o.maxBytes,
    perMessageDeflate: false,
    autoPong: o.pongs ?? true,
    ...(subprotocol === undefined ? {} : { handleProtocols: () => subprotocol }),
  });
}
