import type { Clock } from "../../base/clock.ts";
import { isFault } from "../../base/fault.ts";
import type { Talk } from "../../media/back-channel.ts";
import type { TalkOffer } from "./host.ts";
import type { Lane } from "./lane.ts";
import { RtspFault } from "./reply.ts";
import { ReceiverReports } from "./reports.ts";

interface TalkOptions {
  readonly clock: Clock;
  /** Sends a report by the way of the lane. */
  readonly report: (packet: Buffer, lane: Lane) => void;
  /** The camera has ended it. */
  readonly failed: (fault: unknown) => void;
}

/** What one session says to the camera: the speaker is its own from SETUP to the end of the session (ONVIF Streaming 5.3.2). */
export class SessionTalk {
  /** By which way it comes. */
  lane: Lane;
  readonly #talk: Talk;
  readonly #report: TalkOptions["report"];
  readonly #reports: ReceiverReports;
  #listening = false;

  private constructor(talk: Talk, lane: Lane, { clock, report }: TalkOptions) {
    this.#talk = talk;
    this.lane = lane;
    this.#report = report;
    this.#reports = new ReceiverReports(clock, lane.track.clockRateHz);
  }

  /** Faults: 453 while somebody else talks, `denied`. */
  static take(offer: TalkOffer, lane: Lane, options: TalkOptions): SessionTalk {
    try {
      return new SessionTalk(offer.take(options.failed), lane, options);
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
    if (!this.#listening) return;
    this.#talk.push(packet);
    const report = this.#reports.after(packet);
    if (report !== undefined) this.#report(report, this.lane);
  }

  /** RTCP of the client, perhaps of another track. */
  reported(packet: Buffer): void {
    this.#reports.rtcp(packet);
  }

  close(): void {
    this.#listening = false;
    this.#talk.close();
  }
}
