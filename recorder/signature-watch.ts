import type { X509Certificate } from "node:crypto";
import { Fault, ifValid } from "../base/fault.ts";
import type { CameraFinding } from "../media/signing/finding.ts";
import type { SignatureReport } from "./camera-signatures-report.ts";
import { CameraSignaturesThread, type ComparedFragment } from "./camera-signatures-thread.ts";
import { schemesIn } from "./export/camera-schemes.ts";
import { partsOf } from "./export/reshape.ts";
import { merged } from "./merged.ts";
import { streamOf } from "./naming.ts";

const LIMITS = {
  /** Of fragments before the first signature: half a minute of 4 Mbit/s, which is what the comparison hashes before one, too. In memory of twice that at most. */
  heldBytes: 16 * 1024 * 1024,
} as const;

/** A fragment, and when it was recorded: microseconds since 1970. */
export interface WatchedFragment extends ComparedFragment {
  readonly fromUs: number;
  readonly toUs: number;
}

interface Held extends WatchedFragment {
  /** Where its body lies. */
  readonly memory: Buffer;
}

/**
 * Compares recordings with what cameras signed, in a thread, from the first signature on that is in them: most cameras sign nothing, and no
 * thread is begun for these. A signature is of what comes before it, so that the newest fragments are held until there is one. What is older
 * than that has none; of a camera that began to sign in the middle it is said that it was not signed. Close it, also when it has failed.
 */
export class SignatureWatch {
  readonly #trusted: readonly X509Certificate[] | undefined;
  #thread: CameraSignaturesThread | undefined;
  #isClosed = false;
  readonly #held: Held[] = [];
  #heldBytes = 0;
  /** Memory of the newest one that was let go of, for the next. */
  #free: Buffer | undefined;
  /** What was let go of without a signature in it or behind it, by stream. */
  readonly #unsigned = new Map<string, readonly CameraFinding[]>();

  /** `trusted`: authorities of cameras, or cameras themselves; absent: anybody. */
  constructor(trusted: readonly X509Certificate[] | undefined) {
    this.#trusted = trusted;
  }

  /** Whether there was a signature. */
  get isComparing(): boolean {
    return this.#thread !== undefined;
  }

  /** A fragment as it was recorded: all behind its `uuid` box, decrypted, which is copied. Faults as of {@link CameraSignaturesThread.fragment}. */
  async fragment(given: WatchedFragment): Promise<void> {
    if (this.#isClosed) throw new Fault("internal", "what cameras sign is not compared any more");
    if (this.#thread === undefined && !isSigned(given)) {
      this.#hold(given);
      return;
    }
    this.#thread ??= new CameraSignaturesThread(this.#trusted);
    for (const held of this.#held.splice(0)) await this.#thread.fragment(held);
    this.#free = undefined;
    await this.#thread.fragment(given);
  }

  /** Of streams whose cameras sign; there is no more. */
  async end(): Promise<readonly SignatureReport[]> {
    const reports = (await this.#thread?.end()) ?? [];
    return reports.map((report) => {
      const before = this.#unsigned.get(streamOf(report)) ?? [];
      return { ...report, findings: merged([...before, ...report.findings]) };
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#thread?.close();
  }

  #hold(given: WatchedFragment): void {
    const bytes = given.body.length;
    while (this.#held.length > 0 && this.#heldBytes + bytes > LIMITS.heldBytes) this.#letGo();
    const memory = memoryFor(bytes, this.#free);
    this.#free = undefined;
    const body = memory.subarray(0, bytes);
    body.set(given.body);
    this.#held.push({ ...given, body, memory });
    this.#heldBytes += bytes;
  }

  #letGo(): void {
    const oldest = this.#held.shift();
    if (oldest === undefined) return;
    this.#heldBytes -= oldest.body.length;
    this.#free = oldest.memory;
    const { about, fromUs, toUs } = oldest;
    const stream = streamOf(about);
    this.#unsigned.set(stream, merged([...(this.#unsigned.get(stream) ?? []), { verdict: "unsigned", fromUs, toUs }]));
  }
}

/** A power of two of bytes, so that `free` does for what is about as large, and nothing small lies in much more than it needs. */
function memoryFor(bytes: number, free: Buffer | undefined): Buffer {
  const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, 1)));
  return free?.length === size ? free : Buffer.allocUnsafeSlow(size);
}

function isSigned({ body, tracks }: WatchedFragment): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  // What makes no sense is passed over, for others say so.
  return (ifValid(() => schemesIn(bytes, partsOf(bytes), tracks)) ?? []).length > 0;
}
