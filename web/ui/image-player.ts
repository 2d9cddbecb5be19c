/** Draws pictures that are files of their own, as they come. */
export class ImagePlayer {
  readonly #canvas: HTMLCanvasElement;
  readonly #drawn: () => void;
  readonly #failed: () => void;
  /** The newest one that waits: those before it are passed over. */
  #next: ArrayBuffer | undefined;
  #drawing = false;

  constructor(canvas: HTMLCanvasElement, o: { readonly drawn: () => void; readonly failed: () => void }) {
    this.#canvas = canvas;
    this.#drawn = o.drawn;
    this.#failed = o.failed;
  }

  show(bytes: ArrayBuffer): void {
    this.#next = bytes;
    if (!this.#drawing) void this.#drawAll();
  }

  /** Nothing is seen any more. */
  clear(): void {
    this.#next = undefined;
    this.#canvas.width = 0;
  }

  async #drawAll(): Promise<void> {
    this.#drawing = true;
    while (this.#next !== undefined) {
      const bytes = this.#next;
      this.#next = undefined;
      try {
        const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
        [this.#canvas.width, this.#canvas.height] = [picture.width, picture.height];
        this.#canvas.getContext("2d")?.drawImage(picture, 0, 0);
        picture.close();
        this.#drawn();
      } catch {
        this.#failed();
      }
    }
    this.#drawing = false;
  }
}
