import type { X509Certificate } from "node:crypto";
import { Worker } from "node:worker_threads";
import { Fault } from "../base/fault.ts";
import type { SignatureReport, ThreadQuestion, ThreadTask } from "./camera-signatures-report.ts";

const LIMITS = {
  /** What a stream has waiting for its signature, and findings of hours, are a tenth of it. */
  heapMegabytes: 256,
};

/** A fragment as it is compared. */
export type ComparedFragment = Omit<Extract<ThreadQuestion, { type: "fragment" }>, "type">;

/**
 * Compares recordings with what cameras signed in a thread of its own: what is in them is foreign, and takes as long as it takes. One fragment
 * is compared while the next one is read. Close it, also when it has failed.
 */
export class CameraSignaturesThread {
  readonly #worker: Worker;
  /** Of the question that is being answered; none is asked before. */
  #asked: PromiseWithResolvers<unknown> | undefined;
  #failure: Fault | undefined;

  /** `trusted`: authorities of cameras, or cameras themselves; absent: anybody. */
  constructor(trusted: readonly X509Certificate[] | undefined) {
    const task: ThreadTask = { trusted: trusted?.map(String) };
    this.#worker = new Worker(new URL("camera-signatures-worker.ts", import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: LIMITS.heapMegabytes },
    });
    this.#worker.on("message", (answer) => this.#asked?.resolve(answer));
    // Also where nothing is asked at the moment: an error that nobody hears ends the process.
    this.#worker.on("error", (cause) => this.#fail(cause));
    this.#worker.on("exit", () => this.#fail());
  }

  /** A fragment as it was recorded: all behind its `uuid` box, decrypted, which is copied. Faults of the one before; `internal` where the thread has ended. */
  async fragment({ about, body, tracks }: ComparedFragment): Promise<void> {
    await this.#asked?.promise;
    const copy = new Uint8Array(body);
    void this.#ask({ type: "fragment", about, body: copy, tracks }, [copy.buffer]);
  }

  /** Of streams whose cameras sign; there is no more. Faults as of {@link fragment}. */
  async end(): Promise<readonly SignatureReport[]> {
    await this.#asked?.promise;
    return (await this.#ask({ type: "end" })) as readonly SignatureReport[];
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(question: ThreadQuestion, transferred: readonly ArrayBuffer[] = []): Promise<unknown> {
    this.#asked = Promise.withResolvers();
    // Whoever asks next, or for the end, hears of it.
    this.#asked.promise.catch(() => undefined);
    if (this.#failure === undefined) this.#worker.postMessage(question, transferred);
    else this.#asked.reject(this.#failure);
    return this.#asked.promise;
  }

  #fail(cause?: unknown): void {
    this.#failure ??= new Fault("internal", "the thread that compares cameras' signatures has ended", { cause });
    this.#asked?.reject(this.#failure);
  }
}
