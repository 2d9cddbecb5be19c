import type { WebSocket } from "../net/websocket.ts";
import {
  type PlaybackMessage,
  type PlaybackRequest,
  playbackRequest,
  type RecordedSoundMessage,
} from "./playback-protocol.ts";

/** Private close code (RFC 6455 7.4.2): the page sent what we do not understand. */
export const CLOSE_WRONG = 4400;

/** Undefined for what no page of ours sends. */
export function requestIn(data: Buffer): PlaybackRequest | undefined {
  try {
    return playbackRequest.safeParse(JSON.parse(data.toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

/** Nothing comes between the words and the bytes that belong to them. Resolves when all has left, or never will. */
export function tellPage(
  ws: WebSocket,
  message: PlaybackMessage | RecordedSoundMessage,
  bytes: Buffer | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    ws.send(JSON.stringify(message), () => {
      if (bytes === undefined) resolve();
    });
    if (bytes !== undefined) ws.send(bytes, () => resolve());
  });
}
