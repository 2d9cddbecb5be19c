import type { Socket } from "node:net";
import { isNativeOff, loadNative } from "../base/native.ts";

/**
 * What `native/sender.c` can do. Descriptors are those of open sockets, which the caller has; results below zero are errors of the
 * system, as negative numbers. Nothing blocks.
 */
export interface NativeSender {
  /** How many of the bytes the kernel took for a TCP socket: all, some, or none. */
  write(fd: number, bytes: Uint8Array): number;
  /**
   * The same for each of the descriptors: how many of the bytes the kernel took, or an error, is put into `taken`, at the same index.
   * Of a descriptor below zero the kernel says that it is none.
   */
  writeAll(fds: Int32Array, bytes: Uint8Array, taken: Int32Array): void;
  /** How many of the bytes of the first 64 buffers, one behind the other, the kernel took for a TCP socket. */
  writeTogether(fd: number, parts: readonly Uint8Array[]): number;
  /** Leaves at most about so many bytes unsent in the kernel for a TCP socket. */
  limitUnsent(fd: number, bytes: number): number;
  /** The descriptor of a new UDP socket, bound to a literal address; port 0 is any. Whoever adopts it closes it. */
  openDatagrams(address: string, port: number): number;
  /** Nobody else may bind to the socket's port, whatever Node.js has set. */
  ownAlone(fd: number): number;
  /**
   * How many datagrams, of the first 64, the kernel took for a connected UDP socket. `segment`: those of one size are handed over as
   * one, and cut below.
   */
  sendDatagrams(fd: number, datagrams: readonly Uint8Array[], segment: boolean): number;
  /** The same for packets in one buffer, each behind its frame header (RFC 2326 10.12). */
  sendFramed(fd: number, framed: Uint8Array, segment: boolean): number;
  /** The same for each of the descriptors, as {@link writeAll}. */
  sendFramedAll(fds: Int32Array, framed: Uint8Array, segment: boolean, taken: Int32Array): void;
  /** Whether the kernel can cut. */
  readonly segments: boolean;
}

const CALLS = [
  "write",
  "writeAll",
  "writeTogether",
  "limitUnsent",
  "openDatagrams",
  "ownAlone",
  "sendDatagrams",
  "sendFramed",
  "sendFramedAll",
] as const satisfies readonly (keyof NativeSender)[];

let loaded: NativeSender | Error | undefined;

/** The native sender, loaded when it is first asked for. Undefined where it was not built, does not load, is older than this program, or is switched off. */
export function nativeSender(): NativeSender | undefined {
  if (isNativeOff()) return undefined;
  loaded ??= loadNative<NativeSender>("sender", CALLS);
  return loaded instanceof Error ? undefined : loaded;
}

/** How datagrams and bytes are sent, in a few words for the log. */
export function sendingBy(sender: NativeSender | undefined): string {
  if (sender === undefined) return "Node.js alone";
  return sender.segments ? "the native sender, with segmentation" : "the native sender, without segmentation";
}

interface Inside {
  readonly _handle?: { readonly fd?: unknown } | null;
}

/**
 * The descriptor of an open TCP socket of the runtime's own (libuv on Linux), be it under TLS; undefined once it is closed, and for everything else.
 * Asked for again at each use, for numbers of closed ones are given to others. Node.js does not document it: where a later one does
 * without, all goes the runtime's way.
 */
export function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as Inside;
  const fd = handle?.fd;
  return typeof fd === "number" && fd >= 0 ? fd : undefined;
}

/** Whether the socket still has the descriptor that it had: it loses it in the moment in which that is closed. Costs next to nothing. */
export function isOpen(socket: Socket): boolean {
  const { _handle: handle } = socket as Inside;
  return handle != null;
}
