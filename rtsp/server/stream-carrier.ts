import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { PacketGroup } from "../../media/group.ts";
import { descriptorOf } from "../../net/native.ts";
import type { Carrier } from "./carrier.ts";
import type { DirectWay } from "./direct-way.ts";

const LIMITS = {
  /** What a stream is given in step before it has sent what it has: as much as a writer, which looks at each group, gives it. */
  unsentBytes: 256 * 1024,
  /** Of what TLS encrypts as one: with its header and tag it fills one of the blocks that Node.js copies it into, and takes no second one. */
  recordBytes: 16 * 1024 - 22,
};

/**
 * A socket whose bytes all go by way of its stream: over TLS, for they are encrypted there, in a tunnel, and where there is no native sender. The
 * stream keeps them in order, so that what goes to many overtakes nothing. It says a turn of the loop late that it is empty: whoever is
 * not may have taken all.
 */
export class StreamCarrier implements Carrier, DirectWay {
  readonly kind = "stream";
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    if (socket instanceof TLSSocket) socket.setMaxSendFragment(LIMITS.recordBytes);
  }

  write(bytes: Buffer, sent?: () => void): void {
    this.#socket.write(bytes, sent);
  }

  get direct(): DirectWay {
    return this;
  }

  get descriptor(): number | undefined {
    return descriptorOf(this.#socket);
  }

  get isFree(): boolean {
    const socket = this.#socket;
    return socket.writable && socket.writableLength <= LIMITS.unsentBytes && socket.writableCorked === 0;
  }

  admits(): boolean {
    return this.isFree;
  }

  sendToAll(
    ways: readonly DirectWay[],
    fds: Int32Array,
    framed: Buffer,
    group: PacketGroup,
    taken: Int32Array,
  ): number {
    const release = group.hold();
    // Of the streams that have it, and one for this call.
    let unsent = 1;
    const sent = (): void => {
      unsent -= 1;
      if (unsent === 0) release();
    };
    for (let index = 0; index < fds.length; index += 1) {
      const way = ways[index];
      if ((fds[index] ?? -1) < 0 || !(way instanceof StreamCarrier)) {
        taken[index] = -1;
        continue;
      }
      unsent += 1;
      way.#socket.write(framed, sent);
      taken[index] = framed.length;
    }
    sent();
    return framed.length;
  }

  rest(framed: Buffer, _group: PacketGroup, taken: number): void {
    this.#socket.write(framed.subarray(Math.max(0, taken)));
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  end(bytes: Buffer): void {
    this.#socket.end(bytes);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  get writableLength(): number {
    return this.#socket.writableLength;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  on(event: "drain" | "close", listener: () => void): void {
    this.#socket.on(event, listener);
  }

  once(event: "drain" | "close", listener: () => void): void {
    this.#socket.once(event, listener);
  }

  off(event: "drain" | "close", listener: () => void): void {
    this.#socket.off(event, listener);
  }
}
