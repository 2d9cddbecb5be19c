const LIMITS = {
  /** What the first bytes that wait get at once: most heads, most packets. */
  firstBytes: 2048,
};

const NOTHING = Buffer.alloc(0);

/** Bytes that wait for the rest of their message. The room doubles, so that a sender that dribbles costs no more than others. */
export class Held {
  #room: Buffer = NOTHING;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A view. It stays as it is after {@link replace}, whatever is appended then. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  append(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#room.length) {
      const room = Buffer.allocUnsafeSlow(Math.max(length, this.#room.length * 2, LIMITS.firstBytes));
      this.#room.copy(room, 0, 0, this.#length);
      this.#room = room;
    }
    bytes.copy(this.#room, this.#length);
    this.#length = length;
  }

  /** Gives up what was held for a copy of `bytes`, which may be a part of it. */
  replace(bytes: Buffer): void {
    this.#room = NOTHING;
    this.#length = 0;
    if (bytes.length > 0) this.append(bytes);
  }
}
