/** The connection that a session is on. */
export interface Line {
  readonly tunnelled: boolean;
  readonly clientAddress: string;
  readonly unsentBytes: number;
  readonly closed: boolean;
  /** RTP inside the connection, framed. */
  writeMedia(bytes: Buffer): void;
  write(bytes: Buffer): void;
  signOfLife(): void;
  close(): void;
}
