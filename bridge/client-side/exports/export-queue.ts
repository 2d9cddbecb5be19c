import { decide } from "../../../auth/access.ts";
import type { Accounts } from "../../../auth/accounts.ts";
import type { Audit } from "../../../auth/audit.ts";
import type { Lease, Leases } from "../../../auth/leases.ts";
import { asFault, Fault } from "../../../base/fault.ts";
import type { Closable } from "../../../base/lifecycle.ts";
import type { Log } from "../../../base/log.ts";
import { entryOf, type Job, requestsOf } from "./job.ts";
import type { JobList } from "./job-list.ts";

/** What came of a job. */
export type Made = Required<Pick<Job, "bytes" | "films" | "gaps" | "oldest">> & Pick<Job, "signatures">;

/** Makes the file of a job under a lease. Rejects with the reason of `signal`. Nothing of it is left then. */
export type Maker = (
  job: Job,
  how: { readonly signal: AbortSignal; readonly lease: Lease; readonly progress: (bytes: number) => void },
) => Promise<Made>;

interface QueueParts {
  readonly jobs: JobList;
  readonly make: Maker;
  readonly accounts: Pick<Accounts, "principalOf">;
  readonly leases: Leases;
  readonly audit: Audit;
  readonly log: Log;
}

/** Makes exports, one after the other, in the order in which they were asked for. What a stop breaks off begins anew with the next start. */
export class ExportQueue implements Closable {
  readonly #o: QueueParts;
  readonly #closing = new AbortController();
  #running: { readonly id: string; readonly cancel: AbortController; doneBytes: number } | undefined;
  #working: Promise<void> | undefined;

  constructor(o: QueueParts) {
    this.#o = o;
    this.wake();
  }

  /** Something waits, perhaps. */
  wake(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      // It was asked for between the last look and now.
      if (this.#o.jobs.waiting() !== undefined && !this.#closing.signal.aborted) this.wake();
    });
  }

  /** How many bytes of a job's films are made; 0 unless it runs. */
  doneBytes(id: string): number {
    return this.#running?.id === id ? this.#running.doneBytes : 0;
  }

  /** Ends a job that waits or runs. */
  async cancel(job: Job): Promise<void> {
    if (this.#running?.id === job.id) this.#running.cancel.abort(new Fault("wrong-state", "it was cancelled"));
    else await this.#o.jobs.end(job, { state: "cancelled" });
  }

  async close(): Promise<void> {
    this.#closing.abort(new Fault("unavailable", "the bridge stops"));
    await this.#working;
  }

  async #work(): Promise<void> {
    // Whoever asks is answered first.
    await Promise.resolve();
    for (;;) {
      const next = this.#o.jobs.waiting();
      if (next === undefined || this.#closing.signal.aborted) return;
      await this.#run(next);
    }
  }

  async #run(job: Job): Promise<void> {
    const { jobs, make, audit, log } = this.#o;
    const running = { id: job.id, cancel: new AbortController(), doneBytes: 0 };
    this.#running = running;
    let lease: Lease | undefined;
    try {
      await jobs.change({ ...job, state: "running" });
      lease = this.#lend(job);
      const signal = AbortSignal.any([lease.ended, running.cancel.signal, this.#closing.signal]);
      signal.throwIfAborted();
      const progress = (bytes: number): void => {
        running.doneBytes += bytes;
      };
      const made = await make(job, { signal, lease, progress });
      // It may have been ended since its maker has looked last. A stop comes too late to break it off.
      for (const ended of [running.cancel.signal, lease.ended]) ended.throwIfAborted();
      await jobs.end(job, { state: "ready", ...made });
      audit.record({ ...entryOf(job), action: "export-made", outcome: "allowed", why: `${made.films} films` });
    } catch (error) {
      if (running.cancel.signal.aborted) await jobs.end(job, { state: "cancelled" });
      else if (!this.#closing.signal.aborted) {
        const fault = asFault(error);
        if (fault.kind === "internal") log.error({ err: fault, export: job.id }, "an export failed");
        const problem = problemOf(fault);
        audit.record({ ...entryOf(job), action: "export-made", outcome: "failed", why: problem });
        await jobs.end(job, { state: "failed", problem });
      }
    } finally {
      lease?.close();
      this.#running = undefined;
    }
  }

  /** Fault `denied` where a right has ended since it was asked. */
  #lend(job: Job): Lease {
    const who = this.#o.accounts.principalOf(job.account);
    const requests = job.cameras.flatMap((camera) => requestsOf(camera, job.interface, job.address));
    if (who === undefined || !requests.every((request) => decide(who, request).allowed))
      throw new Fault("denied", `${job.who} may not export any more`, { tell: "the right to this has ended" });
    return this.#o.leases.open(who, requests);
  }
}

function problemOf(fault: Fault): string {
  if (fault.kind === "internal") return "it failed for a reason of the bridge's own; its log has more";
  return fault.tell ?? fault.message;
}
