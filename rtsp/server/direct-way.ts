import type { PacketGroup } from "../../media/group.ts";

/**
 * The way of one track's groups to one client with nothing of ours in between: what one call of the system does for many clients, or, where there
 * is a stream for each, one write to each.
 */
export interface DirectWay {
  /** Ways of one kind go together. */
  readonly kind: "tcp" | "udp" | "stream";
  /** Of its socket, valid as long as {@link isFree}; undefined where there is no such way, or not any more. */
  readonly descriptor: number | undefined;
  /** It is open, and nothing waits in it that would be overtaken; of a stream, which keeps the order, not much. */
  readonly isFree: boolean;
  /** Whether this may go out now, whole. It counts as sent then, and goes to {@link sendToAll} before anything else is done here. */
  admits(framed: Buffer, packets: number): boolean;
  /**
   * Sends to each of the ways, of this kind, that have admitted it: `fds` are their descriptors, at the same index, and below zero where it goes
   * to nobody. What was taken is put at that index, too, or an error below zero. The result is what stands there where that was all.
   */
  sendToAll(ways: readonly DirectWay[], fds: Int32Array, framed: Buffer, group: PacketGroup, taken: Int32Array): number;
  /** The system took no more than that of what was admitted, or said an error below zero: what is left goes out behind it, before all else. */
  rest(framed: Buffer, group: PacketGroup, taken: number): void;
}

/** What goes a direct way. */
export interface Direct {
  readonly way: DirectWay;
  /** The interleaved channel that it is framed for. */
  readonly channel: number;
}
