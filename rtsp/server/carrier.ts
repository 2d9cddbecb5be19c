import type { DirectWay } from "./direct-way.ts";

/**
 * What carries the way to a client of one RTSP connection, requests' answers and what is played on it: of a socket, as much as
 * that needs. What comes from the client is handed to `ClientConnection.read`.
 */
export interface Carrier {
  /** How bytes go past all that is written; absent where they cannot. */
  readonly direct?: DirectWay;
  /** Puts bytes behind all that was written before. They may be shared, and are never changed. */
  write(bytes: Buffer, sent?: () => void): unknown;
  /** What is written from now on waits for {@link uncork}, and goes out in one call, or in some where it is much. */
  cork(): unknown;
  uncork(): unknown;
  /** Writes a last thing and hangs up once it is sent. */
  end(bytes: Buffer): unknown;
  /** Hangs up. */
  destroy(): unknown;
  readonly destroyed: boolean;
  /** Bytes that wait for the client, in here; those that wait for {@link uncork} may be left out. */
  readonly writableLength: number;
  /** Bytes that were ever written, those that wait included. */
  readonly bytesWritten: number;
  /** `drain`: nothing waits any more. */
  on(event: "drain" | "close", listener: () => void): unknown;
  once(event: "drain" | "close", listener: () => void): unknown;
  off(event: "drain" | "close", listener: () => void): unknown;
}
