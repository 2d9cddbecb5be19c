import { isFault } from "../../base/fault.ts";
import type { Talk } from "../../media/back-channel.ts";
import type { TalkOffer } from "./host.ts";
import type { Lane } from "./lane.ts";
import { RtspFault } from "./reply.ts";

/** What one session says to the camera: the speaker is its own from SETUP to the end of the session (ONVIF Streaming 5.3.2). */
export class SessionTalk {
  /** By which way it comes. */
  lane: Lane;
  readonly #talk: Talk;
  #listening = false;

  private constructor(talk: Talk, lane: Lane) {
    this.#talk = talk;
    this.lane = lane;
  }

  /** `failed`: the camera has ended it. Faults: 453 while somebody else talks, `denied`. */
  static take(offer: TalkOffer, lane: Lane, failed: (fault: unknown) => void): SessionTalk {
    try {
      return new SessionTalk(offer.take(failed), lane);
    } catch (error) {
      if (!isFault(error, "busy")) throw error;
      const { message, tell } = error;
      throw new RtspFault(453, "busy", message, tell === undefined ? {} : { tell });
    }
  }

  /** From now on what comes is for the camera. Faults: those of {@link Talk.start}. */
  async start(): Promise<void> {
    await this.#talk.start();
    this.#listening = true;
  }

  pause(): void {
    this.#listening = false;
  }

  /** RTP of the client. The bytes are not kept. */
  push(packet: Buffer): void {
    if (this.#listening) this.#talk.push(packet);
  }

  close(): void {
    this.#listening = false;
    this.#talk.close();
  }
}
