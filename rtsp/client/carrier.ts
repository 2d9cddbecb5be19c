/** What carries an RTSP connection to a camera: of a socket, as much as that needs, so that a socket of TCP or TLS is one as it is. */
export interface Carrier {
  /** Our address towards the camera. */
  readonly localAddress?: string | undefined;
  /** Bytes that wait for the camera, in here. */
  readonly writableLength: number;
  write(bytes: Buffer): unknown;
  destroy(): unknown;
  on(event: "data", listener: (chunk: Buffer) => void): unknown;
  on(event: "error", listener: (cause: Error) => void): unknown;
  on(event: "close", listener: () => void): unknown;
}
