import type { Socket } from "node:dgram";
import { getSystemErrorName } from "node:util";
import type { NativeSender } from "./native.ts";
import type { BatchMember, WriteBatch } from "./write-batch.ts";

/** A socket that was opened by the native sender, and by which it can be reached. */
export interface Adopted {
  readonly native: NativeSender;
  /** Valid until the socket is closed. */
  readonly fd: number;
  /** For framed packets, in runs where the system can cut them: of all such sockets. */
  readonly batch: WriteBatch;
}

/** What waits in the batch. */
interface Together {
  readonly count: number;
  readonly rest: (taken: number) => void;
}

/** With these the kernel, or what a socket's route leads through, refuses to cut datagrams out of a larger buffer. */
const REFUSES_TO_SEGMENT: ReadonlySet<string> = new Set(["EINVAL", "EMSGSIZE", "EIO", "EOPNOTSUPP", "ENOPROTOOPT"]);
/** The system has no room now: Node.js waits until it has. */
const FULL: ReadonlySet<string> = new Set(["EAGAIN", "ENOBUFS"]);

/** Sends datagrams to the peer of one connected socket: many in one call where the native sender has opened it, or one by one. */
export class DatagramSender implements BatchMember {
  readonly #socket: Socket;
  readonly #adopted: Adopted | undefined;
  #segment: boolean;
  /** All that is sent otherwise has it sent before. */
  #together: Together | undefined;
  #closed = false;

  constructor(socket: Socket, adopted: Adopted | undefined) {
    this.#socket = socket;
    this.#adopted = adopted;
    this.#segment = adopted?.native.segments ?? false;
    socket.once("close", () => {
      this.#closed = true;
    });
  }

  /**
   * Has `count` packets that lie in one buffer, each behind its frame header, sent in one call with those of other sockets, before
   * anything else is sent here, and at the end of what the loop does now at the latest. `rest` is told how many the system took, where
   * those were not all. False where that is not to be had.
   */
  sendTogether(framed: Buffer, count: number, rest: (taken: number) => void): boolean {
    this.#settle();
    const adopted = this.#adopted;
    if (adopted === undefined || this.#segment !== adopted.native.segments || !this.#isFree()) return false;
    this.#together = { count, rest };
    adopted.batch.add(this, framed);
    return true;
  }

  get descriptor(): number | undefined {
    return this.#closed ? undefined : this.#adopted?.fd;
  }

  batchSent(_framed: Buffer, taken: number): void {
    const together = this.#together;
    this.#together = undefined;
    if (together !== undefined && taken !== together.count) together.rest(Math.max(0, taken));
  }

  /**
   * Sends packets that lie in one buffer, each behind its frame header (RFC 2326 10.12), as far as the system takes them at once, and
   * says how many those were: none where that is not to be had. An error is an `error` of the socket.
   */
  sendFramed(framed: Uint8Array): number {
    this.#settle();
    const taken = this.#now(({ native, fd }) => native.sendFramed(fd, framed, this.#segment));
    if (typeof taken === "number") return taken;
    this.#socket.emit("error", taken);
    return 0;
  }

  /**
   * Sends all, in order. `sent` is told once the system has taken the last one, or of the error; without it, an error is an `error`
   * of the socket. What is sent after {@link close} is not.
   */
  send(datagrams: readonly Uint8Array[], sent?: (error: Error | null) => void): void {
    this.#settle();
    if (this.#closed) return;
    let rest = datagrams;
    while (rest.length > 0) {
      const left = rest;
      const taken = this.#now(({ native, fd }) => native.sendDatagrams(fd, left, this.#segment));
      if (typeof taken !== "number") {
        if (sent === undefined) this.#socket.emit("error", taken);
        else sent(taken);
        return;
      }
      if (taken === 0) break;
      rest = rest.slice(taken);
    }
    if (rest.length === 0) sent?.(null);
    for (const [index, datagram] of rest.entries())
      this.#socket.send(datagram, index === rest.length - 1 ? sent : undefined);
  }

  /** The socket is about to be closed: its descriptor may be another one's next. */
  close(): void {
    this.#settle();
    this.#closed = true;
  }

  #settle(): void {
    if (this.#together !== undefined) this.#adopted?.batch.flush();
  }

  /** Open, and nothing is in the queue of Node.js, which must not be overtaken. */
  #isFree(): boolean {
    return !this.#closed && this.#socket.getSendQueueCount() === 0;
  }

  /** How many were taken at once: none where Node.js has to do it. */
  #now(send: (adopted: Adopted) => number): number | Error {
    if (this.#adopted === undefined || !this.#isFree()) return 0;
    let taken = send(this.#adopted);
    if (taken < 0 && this.#segment && REFUSES_TO_SEGMENT.has(getSystemErrorName(taken))) {
      this.#segment = false;
      taken = send(this.#adopted);
    }
    if (taken >= 0) return taken;
    const code = getSystemErrorName(taken);
    return FULL.has(code) ? 0 : Object.assign(new Error(`send ${code}`), { code });
  }
}
