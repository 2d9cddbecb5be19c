import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";

const LIMITS = {
  /** Hashing and encrypting this much takes a millisecond at most; then the loop goes round. */
  bytesPerTurn: 256 * 1024,
};

/** Walks through large buffers piece by piece, and lets the loop go round between them. */
export class Pace {
  #turn = 0;

  /** Calls `use` for each piece of the buffers, in order. */
  async walk(buffers: Iterable<Buffer>, use: (piece: Buffer) => void): Promise<void> {
    for (const buffer of buffers)
      for (let offset = 0; offset < buffer.length; ) {
        const piece = buffer.subarray(offset, offset + LIMITS.bytesPerTurn - this.#turn);
        use(piece);
        offset += piece.length;
        this.#turn += piece.length;
        if (this.#turn < LIMITS.bytesPerTurn) continue;
        this.#turn = 0;
        await setImmediate();
      }
  }

  /** SHA-256 over all of the buffers. */
  async hash(buffers: Iterable<Buffer>): Promise<Buffer> {
    const hash = createHash("sha256");
    await this.walk(buffers, (piece) => hash.update(piece));
    return hash.digest();
  }
}
