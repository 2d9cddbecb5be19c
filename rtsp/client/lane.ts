/** The way of one track's packets from the camera, and of our reports to it: asked for in SETUP, settled by its answer. */
export interface Lane {
  /** The Transport header to ask with. */
  readonly asked: string;
  /** The Transport header of the answer counts. Throws a RefusedTransport where it names another transport. */
  agree(answered: string | undefined): void | Promise<void>;
  /** Sends a compound RTCP packet, where the camera has said, or shown, where to. */
  report(packet: Buffer): void;
  /** Sends an RTP packet to a camera with a speaker, where it has said where to. */
  send(packet: Buffer): void;
  /** Nothing comes any more. May be called more than once. */
  close(): void;
}

/** Takes what comes on a lane, as its own. `rtcp`: what the place says that it came at; cameras mix them up. */
export type LaneSink = (packet: Buffer, rtcp: boolean) => void;
