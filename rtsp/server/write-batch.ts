import type { Socket } from "node:net";
import { descriptorOf, type NativeSender } from "../../net/native.ts";

const LIMITS = {
  /** Sockets of one call: what the first of them waits for the last is a fraction of a millisecond. */
  sockets: 64,
};

/** Behind it comes what is done at the end of what the loop does now. */
const NOW = Promise.resolve();

/** What waits in a batch for its socket. */
export interface BatchMember {
  readonly socket: Socket;
  /** The bytes from `taken` on are still to be sent: all, where the kernel has no room or says that something is wrong. */
  written(bytes: Buffer, taken: number): void;
}

/**
 * The same bytes for many sockets, as a packet group is, handed to the kernel in one call: at the end of what the loop does now, when
 * it is full, when other bytes come, or when {@link flush} is called. Who waits in it must not be sent anything else before.
 */
export class WriteBatch {
  readonly native: NativeSender;
  readonly #fds = new Int32Array(LIMITS.sockets);
  readonly #taken = new Int32Array(LIMITS.sockets);
  #members: BatchMember[] = [];
  #bytes: Buffer | undefined;
  #asked = false;

  constructor(native: NativeSender) {
    this.native = native;
  }

  add(member: BatchMember, bytes: Buffer): void {
    if (bytes !== this.#bytes || this.#members.length === LIMITS.sockets) this.flush();
    this.#bytes = bytes;
    this.#members.push(member);
    if (this.#asked) return;
    this.#asked = true;
    // process.nextTick costs several times as much, and of a stream with few readers that is felt.
    void NOW.then(this.#tick);
  }

  /** Nobody waits in it afterwards. */
  flush(): void {
    const bytes = this.#bytes;
    if (bytes === undefined) return;
    const members = this.#members;
    this.#members = [];
    this.#bytes = undefined;
    let open = 0;
    for (const member of members) {
      // Asked for here, where nothing can be closed before the call: the number of a closed one may be another one's by now.
      const fd = descriptorOf(member.socket);
      if (fd === undefined) member.written(bytes, 0);
      else {
        this.#fds[open] = fd;
        members[open] = member;
        open += 1;
      }
    }
    this.native.writeAll(this.#fds, open, bytes, this.#taken);
    for (let index = 0; index < open; index += 1)
      members[index]?.written(bytes, Math.max(0, this.#taken[index] as number));
  }

  readonly #tick = (): void => {
    this.#asked = false;
    this.flush();
  };
}
