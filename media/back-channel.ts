import type { Track } from "./track.ts";

/** The way of sound from a client to the speaker of a camera (ONVIF Streaming 5.3). One at a time may talk. */
export interface BackChannel {
  /**
   * What the speaker takes; undefined where the camera has none, or does not say in time. It is asked only by this, and not
   * again for a while: there are cameras that take the question badly.
   */
  track(): Promise<Track | undefined>;
  /**
   * Keeps the speaker for one talker. `failed`: the camera has ended it; called once at most, and not after `close`. Fault
   * `busy` while somebody else has it.
   */
  take(failed: (fault: unknown) => void): Talk;
}

/** What one talker says to one camera. */
export interface Talk {
  /** The camera listens from here on. May be called again. Faults: `unavailable`, `busy`, `denied`, `unauthenticated`, `not-found`. */
  start(): Promise<void>;
  /** An RTP packet of the talker, which is not written to. Nothing is heard before `start`. */
  push(packet: Buffer): void;
  /** Lets go of the speaker. May be called more than once. */
  close(): void;
}
