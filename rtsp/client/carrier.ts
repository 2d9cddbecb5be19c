/** What carries an RTSP connection to a camera: of a socket, as much as that needs. */
export interface Carrier {
  /** Our address towards the camera. */
  readonly localAddress?: string | undefined;
  /** Bytes that wait for the camera, in here. */
  readonly writableLength: number;
  write(bytes: Buffer): unknown;
  destroy(): unknown;
  /** Nothing is read until it is resumed. */
  pause(): unknown;
  resume(): unknown;
  /** Nothing is read before there is a listener, one. The bytes are its own during the call alone. */
  on(event: "data", listener: (chunk: Buffer) => void): unknown;
  on(event: "error", listener: (cause: Error) => void): unknown;
  on(event: "close", listener: () => void): unknown;
}
