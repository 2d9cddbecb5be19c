import { within } from "../../base/clock.ts";
import { asFault, Fault, isFault } from "../../base/fault.ts";
import { MINUTE, type MonotonicMillis, SECOND } from "../../base/units.ts";
import type { BackChannel, Talk } from "../../media/back-channel.ts";
import type { Track } from "../../media/track.ts";
import { REFUSED_MS } from "../../onvif/client/refused-log-in.ts";
import { describeSpeaker, openTalk, type SpeakerOptions, type TalkSession } from "../../rtsp/client/talk.ts";

const LIMITS = {
  /** How long a client's DESCRIBE waits for the camera's answer. */
  answerMs: 4 * SECOND,
  /** A speaker does not come and go. */
  knownMs: 10 * MINUTE,
  /** A camera that did not answer may have been busy. */
  failedMs: MINUTE,
};

/** The speaker of one camera: asked for when somebody who may talk looks, and connected while somebody talks. */
export class CameraSpeaker implements BackChannel {
  readonly #options: SpeakerOptions;
  #answer: { readonly track: Promise<Track | undefined>; until: MonotonicMillis } | undefined;
  #talker: Talker | undefined;

  constructor(options: SpeakerOptions) {
    this.#options = options;
  }

  async track(): Promise<Track | undefined> {
    const { clock } = this.#options;
    const now = clock.monotonic();
    // One question at a time, whoever asks.
    if (this.#answer === undefined || this.#answer.until <= now)
      this.#answer = { track: this.#ask(), until: (now + LIMITS.knownMs) as MonotonicMillis };
    return within(clock, LIMITS.answerMs, this.#answer.track, noAnswer).catch(() => undefined);
  }

  take(failed: (fault: unknown) => void): Talk {
    if (this.#talker !== undefined)
      throw new Fault("busy", "somebody talks", { tell: "somebody else is talking to this camera" });
    const talker = new Talker(this.#options, failed, () => {
      this.#talker = undefined;
    });
    this.#talker = talker;
    return talker;
  }

  /** Resolves when the camera has been told. */
  async close(): Promise<void> {
    await this.#talker?.end();
  }

  async #ask(): Promise<Track | undefined> {
    const { clock, log } = this.#options;
    try {
      return await describeSpeaker(this.#options);
    } catch (error) {
      log.info({ err: asFault(error) }, "the camera does not say whether it has a speaker");
      const restMs = isFault(error, "unauthenticated") ? REFUSED_MS : LIMITS.failedMs;
      if (this.#answer !== undefined) this.#answer.until = (clock.monotonic() + restMs) as MonotonicMillis;
      return undefined;
    }
  }
}

function noAnswer(): Fault {
  return new Fault("unavailable", "no answer yet");
}

class Talker implements Talk {
  readonly #options: SpeakerOptions;
  readonly #failed: (fault: unknown) => void;
  readonly #gone: () => void;
  readonly #closing = new AbortController();
  #session: Promise<TalkSession> | undefined;
  #open: TalkSession | undefined;
  #ended: Promise<void> | undefined;

  constructor(options: SpeakerOptions, failed: (fault: unknown) => void, gone: () => void) {
    this.#options = options;
    this.#failed = failed;
    this.#gone = gone;
  }

  async start(): Promise<void> {
    const { signal } = this.#options;
    this.#session ??= openTalk({ ...this.#options, signal: AbortSignal.any([signal, this.#closing.signal]) });
    const session = await this.#session.catch((error: unknown) => {
      // The next PLAY asks the camera anew.
      this.#session = undefined;
      throw error;
    });
    if (this.#open !== undefined) return;
    this.#open = session;
    session.ended.catch((fault: unknown) => {
      if (!this.#closing.signal.aborted) this.#failed(fault);
    });
  }

  push(packet: Buffer): void {
    this.#open?.push(packet);
  }

  close(): void {
    void this.end();
  }

  /** Somebody else may talk when the camera has been told that this one does not any more. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    this.#closing.abort();
    const session = await this.#session?.catch(() => undefined);
    await session?.close();
    this.#gone();
  }
}
