const LIMITS = {
  /** Of one call. More goes out before it is asked for: who asks how much waits must not wait for what was never handed over. */
  bytes: 256 * 1024,
  /** As many as the native sender takes in one call. */
  runs: 64,
};

/** Bytes that are in one piece in memory, and whom to tell that they are sent. */
export interface Run {
  readonly bytes: Buffer;
  readonly sent: () => void;
}

/** Writes that go out together. Those that follow one another in memory too, as the groups of a replay do, become one. */
export class Gathered {
  #runs: { readonly memory: ArrayBufferLike; readonly from: number; to: number; readonly told: (() => void)[] }[] = [];
  #bytes = 0;

  /** All of them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Nothing may be added before it has been taken. */
  get isFull(): boolean {
    return this.#bytes >= LIMITS.bytes || this.#runs.length === LIMITS.runs;
  }

  add({ buffer, byteOffset, length }: Buffer, sent: (() => void) | undefined): void {
    this.#bytes += length;
    let run = this.#runs.at(-1);
    if (run?.memory === buffer && run.to === byteOffset) run.to += length;
    else {
      run = { memory: buffer, from: byteOffset, to: byteOffset + length, told: [] };
      this.#runs.push(run);
    }
    if (sent !== undefined) run.told.push(sent);
  }

  /** All that was added, in order. Nothing of it is here any more. */
  take(): readonly Run[] {
    const runs = this.#runs;
    this.#runs = [];
    this.#bytes = 0;
    return runs.map(({ memory, from, to, told }) => ({
      bytes: Buffer.from(memory, from, to - from),
      sent() {
        for (const tell of told) tell();
      },
    }));
  }
}
