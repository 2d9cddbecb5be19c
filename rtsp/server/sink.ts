import type { PacketGroup } from "../../media/group.ts";
import { frameInterleaved } from "../wire/print.ts";
import type { Carrier } from "./carrier.ts";
import type { Direct } from "./direct-way.ts";
import type { Lane } from "./lane.ts";

/** Where the packets of one session go, and how much waits on the way. */
export interface Sink {
  /** All packets of a group. `sent` is told, where that is known, once they are on their way and nobody looks at them any more. */
  group(group: PacketGroup, lane: Lane, sent?: () => void): void;
  /** How the groups of a lane go to the system with nothing in between; undefined where they cannot. */
  direct(lane: Lane): Direct | undefined;
  /** What follows before the loop goes round may go out together. */
  gather(): void;
  /** RTCP. */
  report(packets: Buffer, lane: Lane): void;
  /** Bytes that wait in here. */
  readonly backlogBytes: number;
  readonly closed: boolean;
  /** `drain`: nothing waits any more. */
  on(event: "drain" | "close", listener: () => void): unknown;
  once(event: "drain" | "close", listener: () => void): unknown;
  off(event: "drain" | "close", listener: () => void): unknown;
}

/** Inside the RTSP connection (RFC 2326 10.12): one write for each group. */
export class InterleavedSink implements Sink {
  readonly #carrier: Carrier;
  #gathering = false;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  group(group: PacketGroup, { pair }: Lane, sent?: () => void): void {
    this.#carrier.write(group.framed(pair[0]), sent);
  }

  direct({ pair }: Lane): Direct | undefined {
    const way = this.#carrier.direct;
    return way && { way, channel: pair[0] };
  }

  gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#carrier.cork();
    process.nextTick(() => {
      this.#gathering = false;
      this.#carrier.uncork();
    });
  }

  report(packets: Buffer, { pair }: Lane): void {
    this.#carrier.write(frameInterleaved(pair[1], packets));
  }

  get backlogBytes(): number {
    return this.#carrier.writableLength;
  }

  get closed(): boolean {
    return this.#carrier.destroyed;
  }

  on(event: "drain" | "close", listener: () => void): void {
    this.#carrier.on(event, listener);
  }

  once(event: "drain" | "close", listener: () => void): void {
    this.#carrier.once(event, listener);
  }

  off(event: "drain" | "close", listener: () => void): void {
    this.#carrier.off(event, listener);
  }
}
