import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { Repeats } from "../base/log.ts";
import { BoundedQueue } from "../base/queue.ts";
import { type Millis, SECOND } from "../base/units.ts";
import { releaseBytes } from "../media/packed-bytes.ts";
import { cipherFor, createSegment } from "./create-segment.ts";
import { isNoAnswer } from "./disk-turns.ts";
import { systemCode } from "./files.ts";
import type { FragmentSink, ReadyFragment, SegmentPlan } from "./fragmenter.ts";
import { type GapReason, SLOW_DISK } from "./gap.ts";
import type { SegmentFile } from "./segment.ts";
import { StreamNotes } from "./stream-notes.ts";
import { UnfinishedFiles } from "./unfinished.ts";
import type { Volume } from "./volume.ts";
import type { WriterContext } from "./writer-context.ts";

const LIMITS = {
  /** Fragments of one stream that wait for the disk: half a minute of short ones. */
  queuedFragments: 128,
  queuedBytes: 32 * 1024 * 1024,
  /** After an error of the disk; doubled with each one that follows. */
  firstPauseMs: SECOND,
  longestPauseMs: 30 * SECOND,
  /** From the end of a segment to the first fragment of the one that follows it at once, which comes when it is whole. */
  betweenMs: 10 * SECOND,
};

type Job =
  | { readonly type: "fragment"; readonly fragment: ReadyFragment; readonly heldFor: string | undefined }
  | { readonly type: "end"; readonly plan: SegmentPlan; readonly gap: GapReason | undefined }
  | { readonly type: "nothing"; readonly sinceUs: number; readonly reason: GapReason };

const DISK_FAILS = "the disk fails";
/** No disk is to blame, and no other one would do better. */
const UNWRITABLE = "what the camera sends cannot be put into a file";

const WHILE_CHANGING: GapReason = { cause: "disk", why: "the disk failed, and another was taken" };

/**
 * Brings the fragments of one stream to disk, one after the other, and keeps the catalog. When the disk is too slow, the
 * stream loses fragments up to the next key frame; when it fails, the stream goes on at once on another volume, or, where there is
 * none, pauses and tries again. Neither touches other streams, or what is already written.
 */
export class SegmentWriter implements FragmentSink {
  readonly #camera: string;
  readonly #stream: string;
  readonly #fetchedUs: number | undefined;
  readonly #context: WriterContext;
  readonly #log: Log;
  readonly #repeats: Repeats;
  readonly #notes: StreamNotes;
  readonly #unfinished: UnfinishedFiles;
  readonly #queue = new BoundedQueue<Job>(
    // Ends are never refused: there is at most one for each fragment.
    { maxItems: 2 * LIMITS.queuedFragments + 2, maxWeight: LIMITS.queuedBytes },
    (job) => (job.type === "fragment" ? job.fragment.bytes : 0),
  );
  #accepting: SegmentPlan | undefined;
  /** A segment that lost a fragment: the rest of it is refused. */
  #broken: SegmentPlan | undefined;
  #current: SegmentFile | undefined;
  #working: Promise<void> | undefined;
  #flushedAt = 0;
  /** Until then the next segment is taken to follow the one that was sealed last. */
  #followsUntil = 0;
  #retryAt = 0;
  #pauseMs: Millis = LIMITS.firstPauseMs;
  #problem: string | undefined;
  /** Why nothing was recorded, as it was told last: the catalog has it, or will in a moment. */
  #cause: GapReason["cause"] | undefined;
  /** The volume that was being written to when something failed, and the fragment that was written last. */
  #volume: Volume | undefined;
  #written: ReadyFragment | undefined;
  /** The name of the volume that was chosen last. */
  #chosen: string | undefined;
  /** The segment goes on in another file, which begins with a key frame. */
  #needsKey = false;

  /** `fetchedUs`: when what is written began to be fetched from the camera's own recording; undefined where it is recorded live. */
  constructor(camera: string, stream: string, context: WriterContext, fetchedUs?: number) {
    this.#camera = camera;
    this.#stream = stream;
    this.#fetchedUs = fetchedUs;
    this.#context = context;
    this.#log = context.log.child({ camera, stream });
    this.#repeats = new Repeats(context.clock);
    const [log, repeats] = [this.#log, this.#repeats];
    this.#notes = new StreamNotes({ camera, stream, fetchedUs, catalog: context.catalog, log, repeats });
    this.#unfinished = new UnfinishedFiles({ camera, stream, context, log, notes: this.#notes });
  }

  /** The volume to record to, while it can be written; any if undefined. Counts from the next segment on. */
  volume: string | undefined;

  /** The segment that is being written. It stays here until the catalog has it. */
  get live(): SegmentFile | undefined {
    return this.#current;
  }

  /** A segment is being written, or the next one is about to be. */
  get isWriting(): boolean {
    return this.#current !== undefined || this.#context.clock.monotonic() < this.#followsUntil;
  }

  /** What was captured from then on may be in a segment that is not sealed yet, in microseconds since 1970; undefined while none is written. */
  get unsealedFromUs(): number | undefined {
    if (!this.isWriting) return undefined;
    return this.#current?.fragments[0]?.startUs ?? this.#notes.past?.endUs;
  }

  /** Why nothing is being recorded although samples come, or undefined. */
  get problem(): string | undefined {
    return this.#problem;
  }

  fragment(fragment: ReadyFragment): boolean {
    const { plan, bytes } = fragment;
    const { clock, budget, counted } = this.#context;
    const paused = clock.monotonic() < this.#retryAt;
    if (plan === this.#broken || paused) {
      counted("dropped", bytes);
      releaseSamples(fragment);
      return false;
    }
    const heldFor = this.#chosen;
    if (this.#queue.length >= 2 * LIMITS.queuedFragments || !budget.take(bytes, heldFor))
      return this.#tooSlow(fragment);
    if (!this.#queue.push({ type: "fragment", fragment, heldFor })) {
      budget.give(bytes, heldFor);
      return this.#tooSlow(fragment);
    }
    this.#accepting = plan;
    this.#cause = undefined;
    this.#work();
    return true;
  }

  end(plan: SegmentPlan, gap: GapReason | undefined): void {
    if (plan !== this.#accepting) return;
    this.#accepting = undefined;
    this.#queue.push({ type: "end", plan, gap });
    this.#work();
  }

  /**
   * Nothing is to be recorded from now on, or can be, and why; until the next fragment. Told again, another cause begins a gap of
   * its own, so that there are no more of them than changes.
   */
  nothing(reason: GapReason): void {
    this.#nothing(Math.round(this.#context.clock.now() * 1000), reason);
  }

  #nothing(sinceUs: number, reason: GapReason): void {
    if (reason.cause === this.#cause) return;
    if (this.#queue.push({ type: "nothing", sinceUs, reason })) this.#cause = reason.cause;
    this.#work();
  }

  /** Resolves when everything that was handed in is on disk and sealed, or given up. */
  async close(): Promise<void> {
    if (this.#accepting !== undefined) this.end(this.#accepting, undefined);
    await this.idle();
    await this.#unfinished.salvage();
    this.#context.volumes.leave(this.#name);
    // It has nothing to complain of any more, and nobody else would say that it is over.
    this.#trouble(undefined);
    this.#context.troubles.set(this.#slowness, undefined);
  }

  /** Resolves when nothing waits to be written. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  #tooSlow(fragment: ReadyFragment): false {
    const { plan, bytes, startUs } = fragment;
    this.#context.counted("dropped", bytes);
    releaseSamples(fragment);
    // Else the memory is missing that streams on another volume have.
    if (this.#volume !== undefined && this.#queue.length > 0 && !this.#notes.areFull)
      this.#context.volumes.failed(this.#volume, "too slow");
    if (plan === this.#accepting) this.end(plan, SLOW_DISK);
    // Nothing of its segment was taken.
    else this.#nothing(startUs, SLOW_DISK);
    this.#broken = plan;
    this.#context.troubles.set(this.#slowness, "the disk is too slow: recording has gaps");
    const suppressed = this.#repeats.admit("slow");
    if (suppressed !== undefined) this.#log.error({ suppressed }, "the disk is too slow: recording has gaps");
    return false;
  }

  #work(): void {
    this.#working ??= this.#drain().finally(() => {
      this.#working = undefined;
      // What came in after the last look at the queue.
      if (this.#queue.length > 0) this.#work();
    });
  }

  async #drain(): Promise<void> {
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      try {
        // Each time on another volume.
        for (let done = false; !done; )
          try {
            await this.#do(job);
            done = true;
          } catch (error) {
            done = !(await this.#failed(error, job));
          }
      } finally {
        this.#over(job);
      }
    }
  }

  /** Nobody looks at it any more, written or not. */
  #over(job: Job): void {
    if (job.type !== "fragment") return;
    this.#context.budget.give(job.fragment.bytes, job.heldFor);
    releaseSamples(job.fragment);
  }

  async #do(job: Job): Promise<void> {
    if (job.type === "fragment") await this.#write(job.fragment);
    else if (job.type === "nothing") {
      this.#followsUntil = 0;
      // What is still open belongs to a stream that sends no more: the fragmenter has ended everything else.
      if (this.#current === undefined) await this.#notes.changeGap(job.sinceUs, job.reason);
    } else if (this.#current?.plan === job.plan) await this.#seal(job.gap);
  }

  async #write(fragment: ReadyFragment): Promise<void> {
    if (this.#current?.plan !== fragment.plan) {
      if (this.#current !== undefined) await this.#seal(undefined);
      if (this.#needsKey && !isStart(fragment)) {
        // It cannot be decoded without what is on the volume that failed.
        this.#context.counted("dropped", fragment.bytes);
        await this.#gap(WHILE_CHANGING);
        return;
      }
      this.#current = await this.#create(fragment);
      this.#needsKey = false;
    }
    const segment = this.#current;
    await this.#context.appending.run(segment.volume, () => segment.append(fragment));
    this.#written = fragment;
    this.#context.counted("written", fragment.bytes);
    this.#trouble(undefined);
    this.#pauseMs = LIMITS.firstPauseMs;
    const now = this.#context.clock.monotonic();
    if (now - this.#flushedAt < this.#context.flushMs) return;
    this.#flushedAt = now;
    await this.#current.flush();
  }

  async #create(fragment: ReadyFragment): Promise<SegmentFile> {
    const { volumes, troubles } = this.#context;
    const [camera, stream, fetchedUs, notes] = [this.#camera, this.#stream, this.#fetchedUs, this.#notes];
    this.#volume = undefined;
    const volume = await volumes.choose(this.#name, this.volume);
    this.#chosen = volume.name;
    await this.#unfinished.salvage();
    const { link: previous } = await notes.before();
    const cipher = await cipherFor(this.#context, camera, fragment);
    this.#volume = volume;
    const beginning = { camera, stream, fetchedUs, volume, fragment, previous, cipher };
    const segment = await createSegment(this.#context, notes, beginning, (file) => this.#unfinished.add(file));
    await notes.begun(fragment.startUs);
    this.#flushedAt = this.#context.clock.monotonic();
    troubles.set(this.#slowness, undefined);
    return segment;
  }

  async #seal(gap: GapReason | undefined): Promise<void> {
    const segment = this.#current;
    if (segment === undefined) return;
    this.#followsUntil = gap === undefined ? this.#context.clock.monotonic() + LIMITS.betweenMs : 0;
    if (await segment.seal()) {
      await this.#notes.sealed(segment);
      if (gap !== undefined) await this.#gap(gap);
    } else await this.#notes.noted((catalog) => catalog.abandoned(segment));
    this.#current = undefined;
  }

  /** From the end of what was recorded last on, if anything was. */
  async #gap(reason: GapReason): Promise<void> {
    const endUs = this.#notes.past?.endUs;
    if (endUs !== undefined) await this.#notes.gap(endUs, reason);
  }

  /** True where the job is to be done again, on another volume. */
  async #failed(error: unknown, job: Job): Promise<boolean> {
    const { counted, clock, full, volumes } = this.#context;
    const code = systemCode(error);
    counted("failed", 0);
    this.#followsUntil = 0;
    if (code === "ENOSPC" || code === "EDQUOT") full();
    const volume = this.#volume;
    const isElsewhere = volume !== undefined && code !== undefined && volumes.failed(volume, code);
    const words = whyNot(error);
    const problem = words === DISK_FAILS ? `${words}: ${code}` : words;
    if (isElsewhere) {
      await this.#leave(problem);
      if (job.type === "end" && job.gap !== undefined) await this.#gap(job.gap);
      this.#needsKey = true;
      return job.type === "fragment" && job.fragment !== this.#written;
    }
    this.#trouble(problem);
    if (this.#repeats.admit(code ?? "unknown") !== undefined)
      this.#log.error({ err: error, pauseMs: this.#pauseMs }, `recording is paused: ${words}`);
    this.#retryAt = clock.monotonic() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LIMITS.longestPauseMs);
    this.#broken = this.#accepting;
    this.#accepting = undefined;
    /** What keeps it from recording from then on, whatever the disk does. */
    let nothing: Job | undefined;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#over(next);
      if (next.type === "fragment") counted("dropped", next.fragment.bytes);
      if (next.type !== "end") nothing = next.type === "nothing" ? next : undefined;
    }
    await this.#leave(problem);
    const reason: GapReason = { cause: words === UNWRITABLE ? "camera" : "disk", why: problem };
    await this.#gap(reason);
    // Recording was to go on here: what kept it from that before is over.
    if (job.type === "fragment") await this.#notes.changeGap(job.fragment.startUs, reason);
    if (nothing !== undefined) await this.#do(nothing);
    return false;
  }

  async #leave(problem: string): Promise<void> {
    if (this.#current !== undefined) await this.#unfinished.leave(this.#current, problem);
    this.#current = undefined;
  }

  get #name(): string {
    return `${this.#camera}/${this.#stream}${this.#fetchedUs === undefined ? "" : " fetched"}`;
  }

  /** Who says that the disk is too slow. */
  get #slowness(): string {
    return `${this.#name} slow`;
  }

  #trouble(problem: string | undefined): void {
    this.#problem = problem;
    this.#context.troubles.set(this.#name, problem);
  }
}

/** In words, without the system's code. */
function whyNot(error: unknown): string {
  if (error instanceof Fault) return error.message;
  if (isNoAnswer(error)) return "the disk gives no answer";
  return systemCode(error) === undefined ? UNWRITABLE : DISK_FAILS;
}

function releaseSamples({ runs }: ReadyFragment): void {
  for (const { samples } of runs) for (const { data } of samples) releaseBytes(data);
}

/** Whether it can be decoded by itself. */
function isStart({ key, plan }: ReadyFragment): boolean {
  return key || !plan.tracks.some(({ format }) => "width" in format);
}
