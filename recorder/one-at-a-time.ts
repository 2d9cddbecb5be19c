const NOTHING = Buffer.alloc(0);

/**
 * Memory for pieces that are looked at one after the other, as large as the largest of them: new memory for each makes the
 * collector the dearest part of reading a recording. What was given before is gone with the next one.
 */
export class OneAtATime {
  #bytes: Buffer = NOTHING;

  /** Not cleared. */
  of(size: number): Buffer {
    if (this.#bytes.length < size) this.#bytes = Buffer.allocUnsafeSlow(size);
    return this.#bytes.subarray(0, size);
  }

  /** Something may still be written to what was given: the next piece lies elsewhere. */
  lose(): void {
    this.#bytes = NOTHING;
  }
}
