const LIMITS = {
  /** Sockets of one call: what the first of them waits for the last is a fraction of a millisecond. */
  sockets: 64,
};

/** No descriptor: the system says so. */
const NONE = -1;
/** Behind it comes what is done at the end of what the loop does now. */
const NOW = Promise.resolve();

/** Whose bytes wait in a batch. */
export interface BatchMember {
  /** Of its socket; undefined once that is closed. */
  readonly descriptor: number | undefined;
  /** What the system took of the bytes, or an error below zero. Must not throw. */
  batchSent(bytes: Buffer, taken: number): void;
}

/** Sends the same bytes to each of the descriptors, and puts what was taken, or an error below zero, at the same indices. */
export type SendToAll = (fds: Int32Array, bytes: Buffer, taken: Int32Array) => void;

/**
 * The same bytes for many sockets, as a packet group is, handed to the system in one call: at the end of what the loop does now, when
 * it is full, when other bytes come, or when {@link flush} is called. Who waits in it must be sent nothing else before.
 */
export class WriteBatch {
  readonly #send: SendToAll;
  #members: BatchMember[] = [];
  #bytes: Buffer | undefined;
  #asked = false;

  constructor(send: SendToAll) {
    this.#send = send;
  }

  add(member: BatchMember, bytes: Buffer): void {
    if (bytes !== this.#bytes || this.#members.length === LIMITS.sockets) this.flush();
    this.#bytes = bytes;
    this.#members.push(member);
    if (this.#asked) return;
    this.#asked = true;
    // process.nextTick costs several times as much, and of a stream with few readers that is felt.
    void NOW.then(this.#atEnd);
  }

  /** Nobody waits in it afterwards. */
  flush(): void {
    const bytes = this.#bytes;
    if (bytes === undefined) return;
    const members = this.#members;
    this.#members = [];
    this.#bytes = undefined;
    // Not kept for the next time: members may send again while they are told.
    const fds = new Int32Array(members.length);
    const taken = new Int32Array(members.length);
    // Asked for here, where nothing can be closed before the call: the number of a closed one may be another one's by now.
    for (let index = 0; index < members.length; index += 1) fds[index] = members[index]?.descriptor ?? NONE;
    this.#send(fds, bytes, taken);
    for (let index = 0; index < members.length; index += 1) members[index]?.batchSent(bytes, taken[index] as number);
  }

  readonly #atEnd = (): void => {
    this.#asked = false;
    this.flush();
  };
}
