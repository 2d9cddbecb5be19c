import { PacketGroup } from "../../media/group.ts";
import type { Lane } from "./lane.ts";
import type { Protection } from "./session-keys.ts";
import type { Sink } from "./sink.ts";

/** Protects everything on its way to another sink, each track under keys of its own (RFC 3711). */
export class SrtpSink implements Sink {
  readonly #to: Sink;
  readonly #failed: (fault: unknown) => void;
  readonly #tracks = new Map<number, Protection>();

  /** `failed`: a key is used up, or packets are missing. */
  constructor(to: Sink, failed: (fault: unknown) => void) {
    this.#to = to;
    this.#failed = failed;
  }

  protect(track: number, protection: Protection): void {
    this.#tracks.set(track, protection);
  }

  group(group: PacketGroup, lane: Lane, sent?: () => void): void {
    this.#protected(lane, ({ sender }) => {
      const packets = group.packets.flatMap((packet) => sender.protect(packet) ?? []);
      if (packets.length > 0) this.#to.group(new PacketGroup(group, packets), lane, sent);
      else sent?.();
    });
  }

  /** Each client has keys of its own. */
  direct(): undefined {
    return undefined;
  }

  gather(): void {
    this.#to.gather();
  }

  report(packets: Buffer, lane: Lane): void {
    this.#protected(lane, ({ sender }) => this.#to.report(sender.protectReport(packets), lane));
  }

  /** A report of the client in the clear; undefined where it is not the client's, or came before. */
  opened(packet: Buffer): Buffer | undefined {
    const tracks = [...this.#tracks.values()];
    // Under one key for both directions our own reports open, too, if somebody sends them back.
    if (tracks.some(({ sender }) => sender.hasSent(packet))) return undefined;
    for (const { receiver } of tracks) {
      const report = receiver.openReport(packet);
      if (report !== undefined) return report;
    }
    return undefined;
  }

  get backlogBytes(): number {
    return this.#to.backlogBytes;
  }

  get closed(): boolean {
    return this.#to.closed;
  }

  on(event: "drain" | "close", listener: () => void): void {
    this.#to.on(event, listener);
  }

  once(event: "drain" | "close", listener: () => void): void {
    this.#to.once(event, listener);
  }

  off(event: "drain" | "close", listener: () => void): void {
    this.#to.off(event, listener);
  }

  /** Nothing goes out without keys. */
  #protected(lane: Lane, act: (protection: Protection) => void): void {
    const protection = this.#tracks.get(lane.index);
    if (protection === undefined) return;
    try {
      act(protection);
    } catch (fault) {
      this.#failed(fault);
    }
  }
}
