import type { X509Certificate } from "node:crypto";
import { Worker } from "node:worker_threads";
import { Fault } from "../base/fault.ts";
import type { SignatureReport, ThreadQuestion, ThreadTask } from "./camera-signatures-report.ts";

const LIMITS = {
  /** What a stream has waiting for its signature, and findings of hours, are a tenth of it. */
  heapMegabytes: 256,
};

type Fragment = Omit<Extract<ThreadQuestion, { type: "fragment" }>, "type">;

/**
 * Compares recordings with what cameras signed in a thread of its own: what is in them is foreign, and takes as long as it takes. One fragment
 * is compared while the next one is read. Close it, also when it has failed.
 */
export class CameraSignaturesThread {
  readonly #worker: Worker;
  /** Of the question that is being answered; none is asked before. */
  #answer: Promise<unknown> = Promise.resolve();

  /** `trusted`: authorities of cameras, or cameras themselves; absent: anybody. */
  constructor(trusted: readonly X509Certificate[] | undefined) {
    const task: ThreadTask = { trusted: trusted?.map(String) };
    this.#worker = new Worker(new URL("camera-signatures-worker.ts", import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: LIMITS.heapMegabytes },
    });
  }

  /** A fragment as it was recorded: all behind its `uuid` box, decrypted, which is copied. Faults of the one before. */
  async fragment({ about, body, tracks }: Fragment): Promise<void> {
    await this.#answer;
    const copy = new Uint8Array(body);
    this.#ask({ type: "fragment", about, body: copy, tracks }, copy.buffer);
  }

  /** Of streams whose cameras sign; there is no more. */
  async end(): Promise<readonly SignatureReport[]> {
    await this.#answer;
    this.#ask({ type: "end" });
    return (await this.#answer) as readonly SignatureReport[];
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(question: ThreadQuestion, transferred?: ArrayBuffer): void {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const fail = (cause?: unknown): void =>
      reject(new Fault("internal", "cameras' signatures were not compared", { cause }));
    const worker = this.#worker;
    const done = (): void => {
      worker.off("message", resolve).off("error", fail).off("exit", fail);
    };
    worker.once("message", resolve).once("error", fail).once("exit", fail);
    worker.postMessage(question, transferred === undefined ? [] : [transferred]);
    this.#answer = promise.finally(done);
    // Whoever asks next, or for the end, hears of it.
    this.#answer.catch(() => undefined);
  }
}
