/** How fast to turn and zoom: parts of full speed, -1 to 1; right, up and nearer are positive. */
export interface Velocity {
  readonly pan: number;
  readonly tilt: number;
  readonly zoom: number;
}

/** What is held is said again so often; the bridge stops the camera a second later than it should have heard of it. */
const AGAIN_MS = 500;

/** A connection that nobody has used for so long is given up. */
const REST_MS = 30_000;

/** The bridge's close code where the right to move it has ended, or was never there. */
const CLOSE_ENDED = 4403;

/** Moves one camera while something is held. A connection is there from the first move on. */
export class Mover {
  readonly #url: string;
  readonly #onTrouble: (why: string | undefined) => void;
  #socket: WebSocket | undefined;
  #velocity: Velocity | undefined;
  #again: number | undefined;
  #rest: number | undefined;

  /** `onTrouble` is told a sentence for people, and undefined when the next move begins. */
  constructor(camera: string, onTrouble: (why: string | undefined) => void) {
    this.#url = `wss://${location.host}/api/ptz/${encodeURIComponent(camera)}`;
    this.#onTrouble = onTrouble;
  }

  /** Begins, or goes on in another way, until {@link stop}. */
  move(velocity: Velocity): void {
    if (this.#velocity === undefined) this.#onTrouble(undefined);
    window.clearTimeout(this.#rest);
    this.#velocity = velocity;
    if (this.#socket === undefined) this.#open();
    this.#say();
    this.#again ??= window.setInterval(() => this.#say(), AGAIN_MS);
  }

  stop(): void {
    if (this.#velocity === undefined) return;
    this.#velocity = undefined;
    this.#silence();
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type: "stop" }));
    this.#rest = window.setTimeout(() => this.#socket?.close(), REST_MS);
  }

  close(): void {
    this.#velocity = undefined;
    this.#silence();
    window.clearTimeout(this.#rest);
    this.#socket?.close();
  }

  #say(): void {
    if (this.#velocity !== undefined && this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify({ type: "move", ...this.#velocity }));
  }

  #silence(): void {
    window.clearInterval(this.#again);
    this.#again = undefined;
  }

  #open(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener("message", ({ data }: MessageEvent<string>) => {
      this.#end((JSON.parse(data) as { readonly why: string }).why);
    });
    socket.addEventListener("open", () => this.#say());
    socket.addEventListener("close", ({ code }) => {
      if (this.#socket === socket) this.#socket = undefined;
      if (code === CLOSE_ENDED) this.#end("Your right to move this camera has ended, or your account was changed.");
      else if (this.#velocity !== undefined) this.#end("The connection was lost: the bridge stops the camera.");
    });
  }

  /** Nothing moves any more, whatever is held. */
  #end(why: string | undefined): void {
    this.#velocity = undefined;
    this.#silence();
    this.#onTrouble(why);
  }
}
