import { networkOf } from "../../base/address.ts";

/** Connections that have not proved who they are. */
const MAX_NEWCOMERS = 200;

/** Whatever can be hung up on. */
interface Hangable {
  destroy(): unknown;
}

interface Newcomer {
  readonly network: string;
  readonly socket: Hangable;
}

/**
 * Connections before their log-in, TLS handshake included. There is room for a fixed number; when it is full, the oldest of the
 * machine that holds the most goes, so that half-open connections lock out nobody but their own kind.
 */
export class Newcomers {
  readonly #list = new Map<string, Newcomer>();

  /** `key` names the connection until it graduates or leaves. A socket under the same key takes the place of the one before. */
  add(key: string, address: string, socket: Hangable): void {
    const known = this.#list.has(key);
    this.#list.set(key, { network: networkOf(address), socket });
    if (!known && this.#list.size > MAX_NEWCOMERS) this.#evict();
  }

  /** It has logged in, or is gone. */
  remove(key: string): void {
    this.#list.delete(key);
  }

  /** Hangs up on all of them. */
  clear(): void {
    for (const { socket } of this.#list.values()) socket.destroy();
    this.#list.clear();
  }

  #evict(): void {
    const counts = new Map<string, number>();
    for (const { network } of this.#list.values()) counts.set(network, (counts.get(network) ?? 0) + 1);
    const most = Math.max(...counts.values());
    for (const [key, { network, socket }] of this.#list)
      if (counts.get(network) === most) {
        this.#list.delete(key);
        socket.destroy();
        return;
      }
  }
}
