import { Schedule } from "./schedule.ts";
import { type Piece, type SoundDecoder, type SoundFormat, soundDecoder } from "./sound-decoder.ts";

/** As web/sound.ts sends them. */
type SoundMessage = (SoundFormat & { readonly type: "sound" }) | { readonly type: "unplayable"; readonly why: string };

const RETRY_MS = 2000;

/** Plays the sound of one stream of a camera live, in time with its picture. Made in answer to a click, or browsers let nothing be heard. */
export class SoundPlayer {
  readonly #context = new AudioContext();
  readonly #url: string;
  readonly #shownAt: () => number | undefined;
  readonly #onTrouble: (why: string) => void;
  readonly #schedule = new Schedule();
  #socket: WebSocket | undefined;
  /** The newest format's; pieces wait for it. */
  #decoder: Promise<SoundDecoder> | undefined;
  #timer: number | undefined;
  #closed = false;

  /** `shownAt`: when what is seen now was captured, in milliseconds since 1970. `onTrouble`: it ends, for this reason. */
  constructor(o: {
    readonly camera: string;
    readonly stream: string;
    readonly shownAt: () => number | undefined;
    readonly onTrouble: (why: string) => void;
  }) {
    this.#url = `wss://${location.host}/api/sound/${encodeURIComponent(o.camera)}/${encodeURIComponent(o.stream)}`;
    this.#shownAt = o.shownAt;
    this.#onTrouble = o.onTrouble;
    this.#open();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    window.clearTimeout(this.#timer);
    this.#socket?.close();
    this.#drop();
    void this.#context.close();
  }

  #open(): void {
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (this.#closed) return;
      if (typeof data !== "string") this.#take(data as ArrayBuffer);
      else this.#told(JSON.parse(data) as SoundMessage);
    });
    socket.addEventListener("close", () => {
      if (!this.#closed) this.#timer = window.setTimeout(() => this.#open(), RETRY_MS);
    });
    this.#socket = socket;
  }

  #told(message: SoundMessage): void {
    if (message.type === "unplayable") {
      this.#fail(message.why);
      return;
    }
    this.#drop();
    this.#decoder = soundDecoder(message, {
      decoded: (piece) => this.#play(piece),
      failed: () => this.#fail("The browser cannot decode the sound that this camera sends."),
    });
    this.#decoder.catch((error: unknown) => this.#fail(error instanceof Error ? error.message : String(error)));
  }

  /** 64 bits of the instant of its capture, then an access unit. */
  #take(piece: ArrayBuffer): void {
    const at = new DataView(piece).getFloat64(0);
    this.#decoder?.then(
      (decoder) => decoder.decode(at, piece.slice(8)),
      () => undefined,
    );
  }

  #play({ at, sampleRateHz, channels }: Piece): void {
    const [first] = channels;
    if (this.#closed || first === undefined || first.length === 0) return;
    const shown = this.#shownAt();
    const beginS = this.#schedule.begin({
      nowS: this.#context.currentTime,
      aheadS: shown === undefined ? undefined : (at - shown) / 1000,
      durationS: first.length / sampleRateHz,
    });
    if (beginS === undefined) return;
    const buffer = this.#context.createBuffer(channels.length, first.length, sampleRateHz);
    for (const [index, samples] of channels.entries()) buffer.copyToChannel(samples, index);
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#context.destination);
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
  }
}
