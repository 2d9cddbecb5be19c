import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { SECOND } from "../base/units.ts";
import { errorCode, type Files, type OpenFile } from "./files.ts";
import { folderOf } from "./naming.ts";

/** The name of a file that is being copied ends so; nothing else takes it for a recording. */
export const COPY = ".copy";

/** Read, hashed and written in one go: a millisecond or less. */
const PIECE_BYTES = 512 * 1024;

/** How fast, at most; ended by the signal, whose reason it rejects with. */
interface Pacing {
  readonly clock: Clock;
  readonly bytesPerSecond: number;
  readonly signal: AbortSignal;
}

/**
 * Copies a file to another disk. Once it resolves, the copy survives a power cut, and was read again and is the same. Until then it
 * has another name. Fault `unavailable` where the original cannot be read, the system's error where the copy cannot be made.
 */
export async function copyFile(
  files: Files,
  { from, to }: { readonly from: string; readonly to: string },
  pacing: Pacing,
): Promise<void> {
  const copy = to + COPY;
  await files.makeFolder(folderOf(to));
  await files.remove(copy);
  const source = await files.open(from, "read").catch(unreadable);
  let original: string;
  try {
    const target = await files.open(copy, "create");
    try {
      const read = (into: Buffer, at: number): Promise<number> => source.read(into, at).catch(unreadable);
      original = await walk(read, pacing, (piece, at) => target.write([piece], at));
      await target.datasync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  const written = await files.open(copy, "read");
  try {
    const atOnce = { ...pacing, bytesPerSecond: Number.POSITIVE_INFINITY };
    const again = await walk(
      (into, at) => written.read(into, at),
      atOnce,
      async () => undefined,
    );
    if (again !== original) throw new Fault("unavailable", `the copy ${copy} is not what was written`);
  } finally {
    await written.close();
  }
  await files.rename(copy, to);
  await files.syncFolder(folderOf(to));
}

function unreadable(cause: unknown): never {
  throw new Fault("unavailable", `the original cannot be read (${errorCode(cause) ?? "unknown"})`, { cause });
}

/** SHA-256 of a file, which is handed on piece by piece. */
async function walk(
  read: OpenFile["read"],
  { clock, bytesPerSecond, signal }: Pacing,
  use: (piece: Buffer, at: number) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  const room = Buffer.allocUnsafeSlow(PIECE_BYTES);
  const begun = clock.monotonic();
  for (let at = 0; ; ) {
    signal.throwIfAborted();
    const got = await read(room, at);
    if (got === 0) return hash.digest("hex");
    const piece = room.subarray(0, got);
    hash.update(piece);
    await use(piece, at);
    at += got;
    const aheadMs = (at / bytesPerSecond) * SECOND - (clock.monotonic() - begun);
    if (aheadMs > 0) await clock.sleep(aheadMs, signal);
  }
}
