const LIMITS = {
  /** Pieces lie in blocks of this size, one behind the other. A piece of more than half of it has a block of its own. */
  blockBytes: 256 * 1024,
  /** What waits to be used again, where nothing else is said: some seconds of one stream. */
  idleBytes: 4 * 1024 * 1024,
};

interface Block {
  readonly memory: ArrayBuffer;
  /** Where the pieces begin that are in use. */
  readonly lent: Set<number>;
  usedBytes: number;
  /** Somebody's next piece comes from here, while there is room. */
  filling: boolean;
}

/**
 * Memory for packets, or for samples that are only written to disk, used again once nobody looks at them any more: making new memory
 * for each picture costs more than all else that is done to it, most of it at the hands of the collector. A block is used again when
 * all of its pieces are back; what is never given back is collected as usual, with its block.
 */
export class ReusedMemory {
  readonly #blocks = new WeakMap<ArrayBufferLike, Block>();
  /** What waits to be used again, by size. */
  readonly #idle = new Map<number, Block[]>();
  readonly #maxIdleBytes: number;
  #idleBytes = 0;
  #filling: Block | undefined;

  /** `idleBytes`: how much waits at most to be used again. */
  constructor(idleBytes: number = LIMITS.idleBytes) {
    this.#maxIdleBytes = idleBytes;
  }

  /** Not cleared. */
  take(bytes: number): Buffer<ArrayBuffer> {
    const block = bytes > LIMITS.blockBytes / 2 ? this.#unused(sizeOf(bytes)) : this.#withRoom(bytes);
    const at = block.usedBytes;
    // Each piece begins at a place of its own, even one of no bytes.
    block.usedBytes += Math.max(1, bytes);
    block.lent.add(at);
    return Buffer.from(block.memory, at, bytes);
  }

  /**
   * At least so many bytes, and whatever else is free behind them: for who does not know yet how many it takes, and says so by {@link cut}
   * before anything else is taken.
   */
  takeRest(atLeast: number): Buffer<ArrayBuffer> {
    const block = atLeast > LIMITS.blockBytes ? this.#unused(sizeOf(atLeast)) : this.#withRoom(atLeast);
    const at = block.usedBytes;
    block.usedBytes = block.memory.byteLength;
    block.lent.add(at);
    return Buffer.from(block.memory, at, block.usedBytes - at);
  }

  /** The first `bytes` of a piece that was taken with {@link takeRest}: what is behind them is free. */
  cut({ buffer, byteOffset }: Buffer, bytes: number): Buffer<ArrayBuffer> {
    const block = this.#blocks.get(buffer);
    if (block !== undefined) block.usedBytes = byteOffset + Math.max(1, bytes);
    return Buffer.from(buffer as ArrayBuffer, byteOffset, bytes);
  }

  /** Nobody looks at `bytes` any more; once for each piece, for its place is another one's next. What was not taken here is left alone. */
  give({ buffer, byteOffset }: Pick<Buffer, "buffer" | "byteOffset">): void {
    const block = this.#blocks.get(buffer);
    if (block?.lent.delete(byteOffset) !== true || block.lent.size > 0) return;
    block.usedBytes = 0;
    if (!block.filling) this.#keep(block);
  }

  /** Somebody may still look at `bytes`, or write there, nobody knows until when: its place is never used again. */
  lose({ buffer }: Buffer): void {
    const block = this.#blocks.get(buffer);
    if (block === undefined) return;
    this.#blocks.delete(buffer);
    block.usedBytes = block.memory.byteLength;
  }

  #keep(block: Block): void {
    const size = block.memory.byteLength;
    if (this.#idleBytes + size > this.#maxIdleBytes) return;
    const idle = this.#idle.get(size) ?? [];
    idle.push(block);
    this.#idle.set(size, idle);
    this.#idleBytes += size;
  }

  #withRoom(bytes: number): Block {
    const filling = this.#filling;
    if (filling !== undefined && filling.usedBytes + bytes <= LIMITS.blockBytes) return filling;
    if (filling !== undefined) filling.filling = false;
    const next = this.#unused(LIMITS.blockBytes);
    next.filling = true;
    this.#filling = next;
    return next;
  }

  #unused(size: number): Block {
    const idle = this.#idle.get(size)?.pop();
    if (idle !== undefined) {
      this.#idleBytes -= size;
      return idle;
    }
    const memory = Buffer.allocUnsafeSlow(size).buffer;
    const block = { memory, lent: new Set<number>(), usedBytes: 0, filling: false };
    this.#blocks.set(memory, block);
    return block;
  }
}

function sizeOf(bytes: number): number {
  return Math.ceil(bytes / LIMITS.blockBytes) * LIMITS.blockBytes;
}
