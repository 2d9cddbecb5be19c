import type { Socket } from "node:dgram";
import { getSystemErrorName } from "node:util";
import type { NativeSender } from "./native.ts";

/** A socket that was opened by the native sender, and by which it can be reached. */
export interface Adopted {
  readonly native: NativeSender;
  /** Valid until the socket is closed. */
  readonly fd: number;
}

/** With these the kernel, or what a socket's route leads through, refuses to cut datagrams out of a larger buffer. */
const REFUSES_TO_SEGMENT: ReadonlySet<string> = new Set(["EINVAL", "EMSGSIZE", "EIO", "EOPNOTSUPP", "ENOPROTOOPT"]);
/** The system has no room now: Node.js waits until it has. */
const FULL: ReadonlySet<string> = new Set(["EAGAIN", "ENOBUFS"]);

/** Sends datagrams to the peer of one connected socket: many in one call where the native sender has opened it, or one by one. */
export class DatagramSender {
  readonly #socket: Socket;
  readonly #adopted: Adopted | undefined;
  #segment: boolean;
  #closed = false;

  constructor(socket: Socket, adopted: Adopted | undefined) {
    this.#socket = socket;
    this.#adopted = adopted;
    this.#segment = adopted?.native.segments ?? false;
    socket.once("close", () => {
      this.#closed = true;
    });
  }

  /** For {@link sendToAll}, while Node.js has nothing to send here; undefined once it is closed, and where that is not to be had. */
  get descriptor(): number | undefined {
    const adopted = this.#adopted;
    const asOthers = adopted !== undefined && this.#segment === adopted.native.segments;
    return asOthers && !this.#closed ? adopted.fd : undefined;
  }

  /** The same as {@link sendFramed} for many sockets, in one call: see `NativeSender.sendFramedAll`. */
  sendToAll(fds: Int32Array, framed: Uint8Array, taken: Int32Array): void {
    const native = this.#adopted?.native;
    if (native !== undefined) native.sendFramedAll(fds, framed, native.segments, taken);
  }

  /**
   * Sends packets that lie in one buffer, each behind its frame header (RFC 2326 10.12), as far as the system takes them at once, and
   * says how many those were: none where that is not to be had. An error is an `error` of the socket.
   */
  sendFramed(framed: Uint8Array): number {
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
    this.#closed = true;
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
