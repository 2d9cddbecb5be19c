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
}

/**
 * Memory for packets, or for samples that are only written to disk, used again once nobody looks at them any more: making new memory
 * for each picture costs more than all else that is done to it, most of it at the hands of the collector. A block is used again when
 * all of its pieces are back; what is never given back is collected as usual, with its block.
 */
export class ReusedMemory {
  readonly #blocks = new WeakMap<ArrayBufferLike, Block>();
  /** By size. */
  readonly #idle = new Map<number, Block[]>();
  readonly #maxIdleBytes: number;
  #idleBytes = 0;
  /** The next piece comes from here, while there is room. */
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

  /** Nobody looks at `bytes` any more. What was not taken here, or is back already, is left alone. */
  give({ buffer, byteOffset }: Buffer): void {
    const block = this.#blocks.get(buffer);
    if (block?.lent.delete(byteOffset) !== true || block.lent.size > 0) return;
    block.usedBytes = 0;
    if (block === this.#filling) return;
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
    this.#filling = this.#unused(LIMITS.blockBytes);
    return this.#filling;
  }

  #unused(size: number): Block {
    const idle = this.#idle.get(size)?.pop();
    if (idle !== undefined) {
      this.#idleBytes -= size;
      return idle;
    }
    const block = { memory: Buffer.allocUnsafeSlow(size).buffer, lent: new Set<number>(), usedBytes: 0 };
    this.#blocks.set(block.memory, block);
    return block;
  }
}

function sizeOf(bytes: number): number {
  return Math.ceil(bytes / LIMITS.blockBytes) * LIMITS.blockBytes;
}
