/** Bytes that all streams together hold in memory for the disks. */
export class MemoryBudget {
  readonly #mostOfOne: number;
  readonly #ofEach = new Map<string, number>();
  #left: number;

  /** `volumes`: of several, none has more than half of it, so that one that hangs leaves the others enough. */
  constructor(bytes: number, volumes = 1) {
    this.#left = bytes;
    this.#mostOfOne = volumes > 1 ? bytes / 2 : bytes;
  }

  /** `volume`: where they will be written, as far as that is known. False where there is no more. */
  take(bytes: number, volume = ""): boolean {
    const held = this.#ofEach.get(volume) ?? 0;
    if (bytes > this.#left || held + bytes > this.#mostOfOne) return false;
    this.#left -= bytes;
    this.#ofEach.set(volume, held + bytes);
    return true;
  }

  /** As they were taken. */
  give(bytes: number, volume = ""): void {
    this.#left += bytes;
    this.#ofEach.set(volume, (this.#ofEach.get(volume) ?? 0) - bytes);
  }
}
