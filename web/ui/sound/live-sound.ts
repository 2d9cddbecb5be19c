import type { SoundFormat } from "./sound-decoder.ts";
import { type ShownAt, Speaker } from "./speaker.ts";

/** As web/sound.ts sends them. */
type SoundMessage = (SoundFormat & { readonly type: "sound" }) | { readonly type: "unplayable"; readonly why: string };

const RETRY_MS = 2000;

/** Plays the sound of one stream of a camera live, in time with its picture. */
export class LiveSound {
  readonly #url: string;
  readonly #speaker: Speaker;
  readonly #onTrouble: (why: string) => void;
  #socket: WebSocket | undefined;
  #timer: number | undefined;
  #closed = false;

  /** `onTrouble`: it has ended, for this reason. */
  constructor(
    camera: string,
    stream: string,
    o: { readonly shownAt: ShownAt; readonly onTrouble: (why: string) => void },
  ) {
    this.#url = `wss://${location.host}/api/sound/${encodeURIComponent(camera)}/${encodeURIComponent(stream)}`;
    this.#onTrouble = o.onTrouble;
    this.#speaker = new Speaker({ shownAt: o.shownAt, withoutPicture: "play", onTrouble: (why) => this.#fail(why) });
    this.#open();
  }

  close(): void {
    this.#closed = true;
    window.clearTimeout(this.#timer);
    this.#socket?.close();
    this.#speaker.close();
  }

  #open(): void {
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (this.#closed) return;
      if (typeof data !== "string") {
        this.#speaker.take(data as ArrayBuffer);
        return;
      }
      const message = JSON.parse(data) as SoundMessage;
      if (message.type === "sound") this.#speaker.begin(message);
      else this.#fail(message.why);
    });
    socket.addEventListener("close", () => {
      if (!this.#closed) this.#timer = window.setTimeout(() => this.#open(), RETRY_MS);
    });
    this.#socket = socket;
  }

  #fail(why: string): void {
    this.close();
    this.#onTrouble(why);
  }
}
