import type { SoundFormat } from "./sound-decoder.ts";
import { type ShownAt, Speaker } from "./speaker.ts";

const LIMITS = {
  /** So much is asked for beyond what is seen. */
  aheadMs: 4000,
  /** And so much more each time. */
  stepMs: 1000,
  /** What is seen has been set to another place where it is so far before what was asked for. */
  backMs: 500,
};

const LOOK_MS = 100;
const RETRY_MS = 2000;

/** As web/recorded-sound.ts sends them. */
type Message = { readonly run?: number } & (
  | ({ readonly type: "sound" } & SoundFormat)
  | { readonly type: "piece" }
  | { readonly type: "waiting" }
  | { readonly type: "unplayable"; readonly why: string }
);

/** Plays the sound of one camera's recording, of the stream that is seen, where its picture is played as fast as it was captured, and is silent elsewhere. */
export class RecordedSound {
  readonly #camera: string;
  readonly #streamOf: () => string | undefined;
  readonly #shownAt: ShownAt;
  readonly #speaker: Speaker;
  readonly #onTrouble: (why: string) => void;
  readonly #looking: number;
  #socket: WebSocket | undefined;
  /** Of the socket. */
  #stream: string | undefined;
  #retrying: number | undefined;
  /** What is being read now; pieces of others are dropped. */
  #run = 0;
  #isOfRun = false;
  #asked: { readonly from: number; until: number } | undefined;
  #closed = false;

  /** `stream`: the one that is seen; undefined where that has no sound. `shownAt`: undefined while it is not to be heard. `onTrouble`: it has ended, for this reason. */
  constructor(
    camera: string,
    o: {
      readonly stream: () => string | undefined;
      readonly shownAt: ShownAt;
      readonly onTrouble: (why: string) => void;
    },
  ) {
    this.#camera = camera;
    this.#streamOf = o.stream;
    this.#shownAt = o.shownAt;
    this.#onTrouble = o.onTrouble;
    this.#speaker = new Speaker({ shownAt: o.shownAt, withoutPicture: "wait", onTrouble: (why) => this.#fail(why) });
    this.#looking = window.setInterval(() => this.#look(), LOOK_MS);
    this.#open();
  }

  close(): void {
    this.#closed = true;
    window.clearInterval(this.#looking);
    window.clearTimeout(this.#retrying);
    this.#socket?.close();
    this.#speaker.close();
  }

  #open(): void {
    this.#stream = this.#streamOf();
    this.#asked = undefined;
    this.#socket = undefined;
    if (this.#stream === undefined) return;
    const path = [this.#camera, this.#stream].map(encodeURIComponent).join("/");
    const socket = new WebSocket(`wss://${location.host}/api/recorded-sound/${path}`);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (this.#closed || socket !== this.#socket) return;
      if (typeof data === "string") this.#told(JSON.parse(data) as Message);
      else if (this.#isOfRun) this.#speaker.take(data as ArrayBuffer);
    });
    socket.addEventListener("close", () => {
      if (!this.#closed && socket === this.#socket) this.#retrying = window.setTimeout(() => this.#open(), RETRY_MS);
    });
    this.#socket = socket;
  }

  /** To the stream that is seen now. */
  #change(): void {
    window.clearTimeout(this.#retrying);
    const before = this.#socket;
    this.#speaker.silence();
    this.#open();
    before?.close();
  }

  #told(message: Message): void {
    // Without a run it is of the connection.
    this.#isOfRun = message.run === undefined || message.run === this.#run;
    if (!this.#isOfRun) return;
    if (message.type === "sound") this.#speaker.begin(message);
    if (message.type === "unplayable") this.#fail(message.why);
  }

  /** Has read what is to be heard next. */
  #look(): void {
    if (this.#streamOf() !== this.#stream) this.#change();
    const shown = this.#shownAt();
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    if (shown === undefined) {
      if (this.#asked === undefined) return;
      this.#asked = undefined;
      this.#speaker.silence();
      this.#ask({ type: "stop" });
      return;
    }
    const until = Math.round(shown + LIMITS.aheadMs);
    const asked = this.#asked;
    if (asked === undefined || shown < asked.from - LIMITS.backMs || shown > asked.until) {
      this.#run += 1;
      this.#speaker.silence();
      const from = Math.round(shown);
      this.#asked = { from, until };
      this.#ask({ type: "read", run: this.#run, from, until });
    } else if (until - asked.until >= LIMITS.stepMs) {
      asked.until = until;
      this.#ask({ type: "more", run: this.#run, until });
    }
  }

  #ask(asked: object): void {
    this.#socket?.send(JSON.stringify(asked));
  }

  #fail(why: string): void {
    this.close();
    this.#onTrouble(why);
  }
}
