/** The way of one track's groups to one client with nothing in between: what one call of the system does for many clients. */
export interface DirectWay {
  /** Ways of one kind go together. */
  readonly kind: "tcp" | "udp";
  /** Of its socket, valid as long as {@link isFree}; undefined where there is no such way, or not any more. */
  readonly descriptor: number | undefined;
  /** It is open, and nothing waits in it that would be overtaken. */
  readonly isFree: boolean;
  /** Whether this may go out now, whole. It counts as sent then, and goes to {@link sendToAll} before anything else is done here. */
  admits(framed: Buffer, packets: number): boolean;
  /**
   * Sends to each of the descriptors, of ways of this kind; of one below zero the system says that it is none. What was taken is put at the same
   * index, or an error below zero. The result is what stands there where that was all.
   */
  sendToAll(fds: Int32Array, framed: Buffer, packets: number, taken: Int32Array): number;
  /** The system took no more than that of what was admitted, or said an error below zero: what is left goes out behind it, before all else. */
  rest(framed: Buffer, packets: number, taken: number): void;
}

/** What goes a direct way. */
export interface Direct {
  readonly way: DirectWay;
  /** The interleaved channel that it is framed for. */
  readonly channel: number;
}
