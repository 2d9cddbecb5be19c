const LIMITS = {
  /** The smallest piece; larger ones are twice, four times, … as large. */
  leastBytes: 4096,
  /** What waits to be used again, where nothing else is said: some seconds of one stream. */
  idleBytes: 4 * 1024 * 1024,
};

/**
 * Memory for packets that one reader alone is given, or for samples that are only written to disk, used again once that is done:
 * making new memory for each picture costs more than all else that is done to it, most of it at the hands of the collector. What
 * is never given back is collected as usual.
 */
export class ReusedMemory {
  readonly #idle = new Map<number, ArrayBuffer[]>();
  /** What is in use now. */
  readonly #lent = new WeakSet<ArrayBufferLike>();
  readonly #maxIdleBytes: number;
  #idleBytes = 0;

  /** `idleBytes`: how much waits at most to be used again. */
  constructor(idleBytes: number = LIMITS.idleBytes) {
    this.#maxIdleBytes = idleBytes;
  }

  /** Not cleared. */
  take(bytes: number): Buffer<ArrayBuffer> {
    const size = sizeOf(bytes);
    let piece = this.#idle.get(size)?.pop();
    if (piece === undefined) piece = Buffer.allocUnsafeSlow(size).buffer;
    else this.#idleBytes -= size;
    this.#lent.add(piece);
    return Buffer.from(piece, 0, bytes);
  }

  /** Nobody looks at `bytes` any more. Memory that is not from here, or is back already, is left alone. */
  give({ buffer }: Buffer): void {
    if (!this.#lent.delete(buffer)) return;
    const size = buffer.byteLength;
    if (this.#idleBytes + size > this.#maxIdleBytes) return;
    const idle = this.#idle.get(size) ?? [];
    idle.push(buffer as ArrayBuffer);
    this.#idle.set(size, idle);
    this.#idleBytes += size;
  }
}

function sizeOf(bytes: number): number {
  let size = LIMITS.leastBytes;
  while (size < bytes) size *= 2;
  return size;
}
