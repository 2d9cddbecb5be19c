import type { Clock } from "../../../base/clock.ts";
import { Fault } from "../../../base/fault.ts";
import type { Log } from "../../../base/log.ts";
import type { Millis } from "../../../base/units.ts";
import { isOver, type Job } from "./job.ts";
import type { Spool } from "./spool.ts";

const LIMITS = {
  /** Exports that wait or are made: of one account, and of all. */
  pendingOfOne: 5,
  pending: 50,
  /** That are kept, ended ones too, of one account. */
  keptOfOne: 100,
};

/** All exports that there are, each in memory and on the disk. */
export class JobList {
  readonly #spool: Spool;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #keepMs: Millis;
  readonly #jobs: Map<string, Job>;
  readonly #adding = new Set<string>();
  #writing: Promise<void> = Promise.resolve();

  /** What a restart broke off waits again. */
  constructor(
    o: { readonly spool: Spool; readonly clock: Clock; readonly log: Log; readonly keepMs: Millis },
    jobs: readonly Job[],
  ) {
    this.#spool = o.spool;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#keepMs = o.keepMs;
    const inOrder = jobs.toSorted((a, b) => a.askedAt - b.askedAt);
    this.#jobs = new Map(inOrder.map((job) => [job.id, job.state === "running" ? { ...job, state: "waiting" } : job]));
  }

  /** In the order in which they were asked for. */
  all(): readonly Job[] {
    return [...this.#jobs.values()];
  }

  /** `not-found` where there is none, or it is somebody else's. */
  own(account: string, id: string): Job {
    const job = this.#jobs.get(id);
    if (job === undefined || job.account !== account) throw new Fault("not-found", `no export ${id}`);
    return job;
  }

  /** `busy` where an account, or all, have as many as they may have. */
  assertRoomFor(account: string): void {
    const all = this.all();
    const own = all.filter((job) => job.account === account);
    if (pending(own) < LIMITS.pendingOfOne && pending(all) < LIMITS.pending && own.length < LIMITS.keptOfOne) return;
    const tell = "too many exports are waiting or kept: wait for some, or remove them";
    throw new Fault("busy", `${own.length} exports of ${account}, ${all.length} of all`, { tell });
  }

  /** Of the recordings for all that waits or is made: they need their room, too. */
  get pendingBytes(): number {
    return this.all().reduce((sum, job) => sum + (isOver(job) ? 0 : job.expectedBytes), 0);
  }

  /** What is to be made next. */
  waiting(): Job | undefined {
    return this.all().find(({ id, state }) => state === "waiting" && !this.#adding.has(id));
  }

  /** It counts at once, and waits for its turn when it is on the disk; where that fails, it is not there. */
  async add(job: Job): Promise<void> {
    this.#jobs.set(job.id, job);
    this.#adding.add(job.id);
    const saved = this.#writing.then(() => this.#spool.save(job));
    this.#writing = saved.catch(() => undefined);
    try {
      await saved;
    } catch (error) {
      this.#jobs.delete(job.id);
      throw error;
    } finally {
      this.#adding.delete(job.id);
    }
  }

  change(job: Job): Promise<void> {
    this.#jobs.set(job.id, job);
    return this.#inTurn(job, "the state of an export cannot be saved", () => this.#spool.save(job));
  }

  /** It is kept for as long as the settings say, without a file unless it is ready. Its password is needed no more. */
  async end(job: Job, how: Partial<Job> & Pick<Job, "state">): Promise<void> {
    const { password: _, ...rest } = job;
    const endedAt = Math.floor(this.#clock.now());
    await this.change({ ...rest, ...how, endedAt, goneAt: endedAt + this.#keepMs });
    if (how.state !== "ready")
      await this.#inTurn(job, "what was made of an export cannot be removed", () => this.#spool.discard(job));
  }

  forget(job: Job): Promise<void> {
    this.#jobs.delete(job.id);
    return this.#inTurn(job, "an export cannot be removed", () => this.#spool.forget(job));
  }

  /** What is cancelled or forgotten while it is saved must not come back. */
  #inTurn({ id }: Job, trouble: string, work: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(work).catch((err: unknown) => this.#log.error({ err, export: id }, trouble));
    return this.#writing;
  }
}

function pending(jobs: readonly Job[]): number {
  return jobs.filter((job) => !isOver(job)).length;
}
