import { Schedule } from "./schedule.ts";
import { type Piece, type SoundDecoder, type SoundFormat, soundDecoder } from "./sound-decoder.ts";

const LIMITS = {
  /** Handed to the browser no sooner: what it has been given is hard to take back. */
  aheadMs: 1500,
  /** Pieces that wait for their picture; beyond, the oldest are passed over. */
  waiting: 2000,
};

const LOOK_MS = 100;

/** When what is seen now was captured, in milliseconds since 1970; undefined where nothing is. */
export type ShownAt = () => number | undefined;

/** Decodes pieces of sound and plays each with its picture. Made in answer to a click, or browsers let nothing be heard. */
export class Speaker {
  readonly #context = new AudioContext();
  readonly #shownAt: ShownAt;
  readonly #waits: boolean;
  readonly #onTrouble: (why: string) => void;
  readonly #timer: number;
  #schedule = new Schedule();
  #waiting: Piece[] = [];
  readonly #playing = new Set<AudioBufferSourceNode>();
  /** The newest format's; pieces wait for it. */
  #decoder: Promise<SoundDecoder> | undefined;
  #closed = false;

  /** `withoutPicture`: what becomes of sound while nothing is seen. `onTrouble`: it can be played no more, for this reason. */
  constructor(o: {
    readonly shownAt: ShownAt;
    readonly withoutPicture: "play" | "wait";
    readonly onTrouble: (why: string) => void;
  }) {
    this.#shownAt = o.shownAt;
    this.#waits = o.withoutPicture === "wait";
    this.#onTrouble = o.onTrouble;
    this.#timer = window.setInterval(() => this.#playWaiting(), LOOK_MS);
  }

  /** What is taken from now on is encoded so. */
  begin(format: SoundFormat): void {
    this.#drop();
    this.#decoder = soundDecoder(format, {
      decoded: (piece) => this.#decoded(piece),
      failed: () => this.#fail("The browser cannot decode the sound that this camera sends."),
    });
    this.#decoder.catch((error: unknown) => this.#fail(error instanceof Error ? error.message : String(error)));
  }

  /** As web/sound.ts sends it: 64 bits of the instant of its capture, then an access unit. */
  take(piece: ArrayBuffer): void {
    const at = new DataView(piece).getFloat64(0);
    this.#decoder?.then(
      (decoder) => decoder.decode(at, piece.slice(8)),
      () => undefined,
    );
  }

  /** Nothing of what was taken is heard any more. */
  silence(): void {
    this.#drop();
    for (const source of this.#playing) source.stop();
    this.#playing.clear();
    this.#schedule = new Schedule();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    window.clearInterval(this.#timer);
    this.silence();
    void this.#context.close();
  }

  #decoded(piece: Piece): void {
    if (this.#closed) return;
    this.#waiting.push(piece);
    if (this.#waiting.length > LIMITS.waiting) this.#waiting.shift();
    this.#playWaiting();
  }

  #playWaiting(): void {
    const shown = this.#shownAt();
    if (shown === undefined && this.#waits) return;
    while (this.#waiting[0] !== undefined) {
      const aheadMs = shown === undefined ? undefined : this.#waiting[0].at - shown;
      // What goes by another clock than the picture would wait for ever.
      if (aheadMs !== undefined && aheadMs > LIMITS.aheadMs && this.#waits) return;
      this.#play(this.#waiting[0], aheadMs);
      this.#waiting.shift();
    }
  }

  #play({ sampleRateHz, channels }: Piece, aheadMs: number | undefined): void {
    const [first] = channels;
    if (first === undefined || first.length === 0) return;
    const beginS = this.#schedule.begin({
      nowS: this.#context.currentTime,
      aheadS: aheadMs === undefined ? undefined : aheadMs / 1000,
      durationS: first.length / sampleRateHz,
    });
    if (beginS === undefined) return;
    const buffer = this.#context.createBuffer(channels.length, first.length, sampleRateHz);
    for (const [index, samples] of channels.entries()) buffer.copyToChannel(samples, index);
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#context.destination);
    source.addEventListener("ended", () => this.#playing.delete(source));
    this.#playing.add(source);
    source.start(beginS);
  }

  #fail(why: string): void {
    this.close();
    this.#onTrouble(why);
  }

  #drop(): void {
    this.#decoder?.then(
      (decoder) => decoder.close(),
      () => undefined,
    );
    this.#decoder = undefined;
    this.#waiting = [];
  }
}
