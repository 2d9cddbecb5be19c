import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { Repeats } from "../base/log.ts";
import { BoundedQueue } from "../base/queue.ts";
import { type Millis, SECOND } from "../base/units.ts";
import type { ReusedMemory } from "../media/reused-memory.ts";
import type { Catalog, SegmentRow, SegmentTime, StoredFile } from "./catalog.ts";
import { type KeyFinder, type RecordingKey, SegmentCipher } from "./cipher.ts";
import { describeTracks, timeOf } from "./describe.ts";
import { errorCode, type Files } from "./files.ts";
import type { FragmentSink, ReadyFragment, SegmentPlan } from "./fragmenter.ts";
import { cameraGap, type GapReason, SLOW_DISK, STOPPED } from "./gap.ts";
import { type Link, NO_LINK } from "./integrity.ts";
import { PART } from "./naming.ts";
import type { ProtectionMode } from "./protection.ts";
import { recoverPart } from "./recover-part.ts";
import { SegmentFile } from "./segment.ts";
import type { Signer } from "./signature.ts";
import type { Troubles } from "./troubles.ts";
import type { Volume } from "./volume.ts";
import type { Volumes } from "./volumes.ts";

const LIMITS = {
  /** Fragments of one stream that wait for the disk: half a minute of short ones. */
  queuedFragments: 128,
  queuedBytes: 32 * 1024 * 1024,
  /** After an error of the disk; doubled with each one that follows. */
  firstPauseMs: SECOND,
  longestPauseMs: 30 * SECOND,
  /** Segments and rows that wait to be saved when the disk works again; the next start finds the others. */
  salvage: 64,
  /** Less than this between two segments is the step from one frame to the next. */
  gapUs: 1_500_000,
};

/** Bytes that all streams together hold in memory for the disk. */
export class MemoryBudget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** The keys of recordings, as the recorder needs them. */
export interface RecordingKeys extends KeyFinder {
  /** The key for a segment that begins at `startUs`. It is kept safely before this resolves. */
  forRecording(camera: string, startUs: number): Promise<RecordingKey>;
  /** The cameras that there are keys of. */
  cameras(): Promise<readonly string[]>;
  /** Destroys a camera's keys of the days (`2026-11-24`) that go, but for the one in use. How many. */
  shred(camera: string, goes: (day: string) => boolean): Promise<number>;
}

/** What the writers of one archive share. */
export interface WriterContext {
  readonly volumes: Volumes;
  readonly files: Files;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly log: Log;
  readonly budget: MemoryBudget;
  /** Where the samples of video lie. It has them back when they are written. */
  readonly memory?: ReusedMemory | undefined;
  /** Written data are made to survive a power cut at least so often. */
  readonly flushMs: Millis;
  /** How new segments are encrypted; absent: not at all. */
  readonly encryption?: ProtectionMode | undefined;
  /** For new segments that are encrypted, and for old ones whatever new ones are. */
  readonly keys?: RecordingKeys | undefined;
  /** Signs what is finished; absent: nobody. */
  readonly signer?: Signer | undefined;
  /** What is wrong with the storage is told here. */
  readonly troubles: Troubles;
  /** The disk is full: something has to go. */
  readonly full: () => void;
  readonly counted: (event: "written" | "dropped" | "failed", bytes: number) => void;
}

type Job =
  | { readonly type: "fragment"; readonly fragment: ReadyFragment }
  | { readonly type: "end"; readonly plan: SegmentPlan; readonly gap: GapReason | undefined }
  | { readonly type: "nothing"; readonly sinceUs: number; readonly reason: GapReason };

const WHILE_CHANGING: GapReason = { cause: "disk", why: "the disk failed, and another was taken" };

/** A file that an error of its disk left unfinished. */
interface Unfinished extends StoredFile {
  /** What was written of it, whether it is still there or not; undefined where nothing was. */
  readonly stretch: { readonly fromUs: number; readonly toUs: number } | undefined;
}

/**
 * Brings the fragments of one stream to disk, one after the other, and keeps the catalog. When the disk is too slow, the
 * stream loses fragments up to the next key frame; when it fails, the stream goes on at once on another volume, or, where there is
 * none, pauses and tries again. Neither touches other streams, or what is already written.
 */
export class SegmentWriter implements FragmentSink {
  readonly #camera: string;
  readonly #stream: string;
  readonly #context: WriterContext;
  readonly #log: Log;
  readonly #repeats: Repeats;
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
  #retryAt = 0;
  #pauseMs: Millis = LIMITS.firstPauseMs;
  #problem: string | undefined;
  /** End of what was recorded last, and its link; from the catalog before the first segment. */
  #past: { readonly endUs: number | undefined; readonly link: Link } | undefined;
  /** Why nothing was recorded, as it was told last: the catalog has it, or will in a moment. */
  #cause: GapReason["cause"] | undefined;
  #parts: Unfinished[] = [];
  /** The volume that was being written to when something failed, and the fragment that was written last. */
  #volume: Volume | undefined;
  #written: ReadyFragment | undefined;
  /** The segment goes on in another file, which begins with a key frame. */
  #needsKey = false;
  #rows: (SegmentRow & SegmentTime)[] = [];

  constructor(camera: string, stream: string, context: WriterContext) {
    this.#camera = camera;
    this.#stream = stream;
    this.#context = context;
    this.#log = context.log.child({ camera, stream });
    this.#repeats = new Repeats(context.clock);
  }

  /** The volume to record to, while it can be written; any if undefined. Counts from the next segment on. */
  volume: string | undefined;

  /** The segment that is being written. It stays here until the catalog has it. */
  get live(): SegmentFile | undefined {
    return this.#current;
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
      return false;
    }
    if (this.#queue.length >= 2 * LIMITS.queuedFragments || !budget.take(bytes)) return this.#tooSlow(fragment);
    if (!this.#queue.push({ type: "fragment", fragment })) {
      budget.give(bytes);
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
    if (reason.cause === this.#cause) return;
    const sinceUs = Math.round(this.#context.clock.now() * 1000);
    if (this.#queue.push({ type: "nothing", sinceUs, reason })) this.#cause = reason.cause;
    this.#work();
  }

  /** Resolves when everything that was handed in is on disk and sealed, or given up. */
  async close(): Promise<void> {
    if (this.#accepting !== undefined) this.end(this.#accepting, undefined);
    await this.idle();
    if (this.#parts.length > 0) await this.#salvage();
    this.#context.volumes.leave(this.#name);
  }

  /** Resolves when nothing waits to be written. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  #tooSlow({ plan, bytes }: ReadyFragment): false {
    this.#context.counted("dropped", bytes);
    this.end(plan, SLOW_DISK);
    this.#broken = plan;
    if (this.#volume !== undefined) this.#context.volumes.failed(this.#volume, "too slow");
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
        if (job.type === "fragment") this.#context.budget.give(job.fragment.bytes);
      }
    }
  }

  async #do(job: Job): Promise<void> {
    if (job.type === "fragment") await this.#write(job.fragment);
    else if (job.type === "nothing") await this.#note(job);
    else if (this.#current?.plan === job.plan) await this.#seal(job.gap);
  }

  async #write(fragment: ReadyFragment): Promise<void> {
    if (this.#current?.plan !== fragment.plan) {
      if (this.#current !== undefined) await this.#seal(undefined);
      if (this.#needsKey && !isStart(fragment)) {
        // It cannot be decoded without what is on the volume that failed.
        this.#context.counted("dropped", fragment.bytes);
        if (this.#past?.endUs !== undefined) await this.#gap(this.#past.endUs, WHILE_CHANGING);
        return;
      }
      this.#current = await this.#create(fragment);
      this.#needsKey = false;
    }
    await this.#current.append(fragment);
    this.#written = fragment;
    this.#context.counted("written", fragment.bytes);
    for (const { samples } of fragment.runs) for (const { data } of samples) this.#context.memory?.give(data);
    this.#trouble(undefined);
    this.#pauseMs = LIMITS.firstPauseMs;
    const now = this.#context.clock.monotonic();
    if (now - this.#flushedAt < this.#context.flushMs) return;
    this.#flushedAt = now;
    await this.#current.flush();
  }

  async #create(fragment: ReadyFragment): Promise<SegmentFile> {
    const { catalog, files, volumes, troubles } = this.#context;
    this.#volume = undefined;
    const volume = await volumes.choose(this.#name, this.volume);
    await this.#salvage();
    const previous = await this.#before();
    const { startUs } = fragment;
    const cipher = await this.#cipher(fragment.plan, startUs);
    this.#volume = volume;
    let announced: StoredFile | undefined;
    const segment = await SegmentFile.create({
      files,
      volume,
      camera: this.#camera,
      stream: this.#stream,
      plan: fragment.plan,
      startUs,
      previous: previous.link,
      cipher,
      signer: this.#context.signer,
      announce: async (file) => {
        announced = { file, volume: volume.name };
        // Where the catalog cannot tell, the files do.
        return (
          (await this.#asked(() => catalog.opening({ file, volume: volume.name }))) ?? !(await this.#isThere(file))
        );
      },
    }).catch(async (error: unknown) => {
      const stored = announced;
      if (stored !== undefined) await this.#noted(() => catalog.abandoned(stored));
      throw error;
    });
    const { endUs } = previous;
    if (endUs !== undefined && startUs - endUs > LIMITS.gapUs)
      await this.#gap(endUs, cameraGap("nothing was received"));
    await this.#noted(() => catalog.endGap(this.#camera, this.#stream, Math.max(startUs, endUs ?? 0)));
    this.#flushedAt = this.#context.clock.monotonic();
    troubles.set(this.#slowness, undefined);
    return segment;
  }

  /** Whether a volume that is there has a file of this name. */
  async #isThere(file: string): Promise<boolean> {
    const { files, volumes } = this.#context;
    for (const volume of volumes.all) {
      const path = volumes.pathOf({ file, volume: volume.name });
      if (path !== undefined && ((await files.exists(path)) || (await files.exists(path + PART)))) return true;
    }
    return false;
  }

  async #cipher({ tracks }: SegmentPlan, startUs: number): Promise<SegmentCipher | undefined> {
    const { encryption, keys } = this.#context;
    if (encryption === undefined) return undefined;
    // Never in clear because a key is missing.
    if (keys === undefined) throw new Fault("unavailable", "there are no keys to encrypt with");
    try {
      const key = await keys.forRecording(this.#camera, startUs);
      return SegmentCipher.create(key, encryption, describeTracks(tracks));
    } catch (cause) {
      throw new Fault("unavailable", "no key can be had to encrypt with", { cause });
    }
  }

  async #before(): Promise<{ readonly endUs: number | undefined; readonly link: Link }> {
    if (this.#past === undefined) {
      let row: SegmentRow | undefined;
      await this.#noted(async () => {
        row = await this.#context.catalog.atOrBefore(this.#camera, this.#stream, Number.MAX_SAFE_INTEGER);
      });
      this.#past = { endUs: row?.endUs, link: row === undefined ? NO_LINK : Buffer.from(row.seal) };
      if (row !== undefined) await this.#gap(row.endUs, STOPPED);
    }
    return this.#past;
  }

  async #seal(gap: GapReason | undefined): Promise<void> {
    const segment = this.#current;
    if (segment === undefined) return;
    if (await segment.seal()) {
      const endUs = Math.max(...segment.fragments.map((one) => one.endUs));
      this.#past = { endUs, link: segment.link };
      this.#rows.push({
        camera: this.#camera,
        stream: this.#stream,
        startUs: segment.fragments[0]?.startUs ?? segment.plan.zeroUs,
        endUs,
        bytes: segment.bytes,
        file: segment.file,
        volume: segment.volume,
        tracks: describeTracks(segment.plan.tracks),
        seal: segment.link,
        ...timeOf(segment.fragments, segment.plan.cameraAheadMs),
      });
      await this.#enter();
      if (gap !== undefined) await this.#gap(endUs, gap);
    } else await this.#noted(() => this.#context.catalog.abandoned(segment));
    this.#current = undefined;
  }

  /** Brings finished segments into the catalog; what it does not take now waits for the next time. */
  async #enter(): Promise<void> {
    for (let row = this.#rows[0]; row !== undefined; row = this.#rows[0]) {
      const entering = row;
      if (!(await this.#noted(() => this.#context.catalog.sealed(entering)))) break;
      this.#rows.shift();
    }
    this.#rows = this.#rows.slice(-LIMITS.salvage);
  }

  #gap(fromUs: number, { cause, why }: GapReason): Promise<boolean> {
    const { catalog } = this.#context;
    const gap = { camera: this.#camera, stream: this.#stream, fromUs, reason: why, cause };
    return this.#noted(() => catalog.beginGap(gap));
  }

  async #note({ sinceUs, reason: { cause, why } }: Extract<Job, { type: "nothing" }>): Promise<void> {
    const { catalog } = this.#context;
    // What is still open belongs to a stream that sends no more: the fragmenter has ended everything else.
    if (this.#current !== undefined) return;
    await this.#before();
    const gap = { camera: this.#camera, stream: this.#stream, fromUs: sinceUs, reason: why, cause };
    await this.#noted(() => catalog.changeGap(gap));
  }

  /** The media are worth more than the notes about them: an error of the catalog does not stop the recording. */
  async #noted(act: () => Promise<void>): Promise<boolean> {
    const noted = async (): Promise<true> => {
      await act();
      return true;
    };
    return (await this.#asked(noted)) ?? false;
  }

  async #asked<T>(act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (err) {
      if (this.#repeats.admit("catalog") !== undefined) this.#log.error({ err }, "the catalog cannot be written");
      return undefined;
    }
  }

  /** True where the job is to be done again, on another volume. */
  async #failed(error: unknown, job: Job): Promise<boolean> {
    const { budget, counted, clock, full, volumes } = this.#context;
    const code = errorCode(error);
    counted("failed", 0);
    if (code === "ENOSPC" || code === "EDQUOT") full();
    const volume = this.#volume;
    const isElsewhere = volume !== undefined && code !== undefined && volumes.failed(volume, code);
    const own = error instanceof Fault;
    const problem = own ? error.message : `the disk fails: ${code ?? "unknown"}`;
    if (isElsewhere) {
      await this.#leave(problem);
      if (job.type === "end" && job.gap !== undefined && this.#past?.endUs !== undefined)
        await this.#gap(this.#past.endUs, job.gap);
      this.#needsKey = true;
      return job.type === "fragment" && job.fragment !== this.#written;
    }
    this.#trouble(problem);
    if (this.#repeats.admit(code ?? "unknown") !== undefined)
      this.#log.error(
        { err: error, pauseMs: this.#pauseMs },
        `recording is paused: ${own ? error.message : "the disk fails"}`,
      );
    this.#retryAt = clock.monotonic() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LIMITS.longestPauseMs);
    this.#broken = this.#accepting;
    this.#accepting = undefined;
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift())
      if (job.type === "fragment") {
        budget.give(job.fragment.bytes);
        counted("dropped", job.fragment.bytes);
      }
    await this.#leave(problem);
    if (this.#past?.endUs !== undefined) await this.#gap(this.#past.endUs, { cause: "disk", why: problem });
    return false;
  }

  /** Leaves the segment as it is, for later: until then it is not known what of it is there. */
  async #leave(problem: string): Promise<void> {
    const { catalog } = this.#context;
    const segment = this.#current;
    if (segment === undefined) return;
    await segment.abandon();
    const [first, last] = [segment.fragments[0], segment.fragments.at(-1)];
    const stretch = first && last && { fromUs: first.startUs, toUs: last.endUs };
    this.#parts = [...this.#parts, { file: segment.file, volume: segment.volume, stretch }].slice(-LIMITS.salvage);
    if (stretch !== undefined) {
      this.#past = { endUs: stretch.toUs, link: segment.link };
      const why = `${problem}: what was being written is looked for when the disk is back`;
      const gap = { camera: this.#camera, stream: this.#stream, ...stretch, cause: "disk", reason: why } as const;
      await this.#noted(() => catalog.missed(gap));
    }
    this.#current = undefined;
  }

  get #name(): string {
    return `${this.#camera}/${this.#stream}`;
  }

  /** Who says that the disk is too slow. */
  get #slowness(): string {
    return `${this.#name} slow`;
  }

  #trouble(problem: string | undefined): void {
    this.#problem = problem;
    this.#context.troubles.set(this.#name, problem);
  }

  /** Seals what an error of the disk left unfinished, and enters it. */
  async #salvage(): Promise<void> {
    const { catalog, volumes } = this.#context;
    const place = { ...this.#context, log: this.#log };
    const parts = this.#parts;
    this.#parts = [];
    for (const part of parts) {
      const volume = volumes.find(part.volume);
      if (volume === undefined || (volumes.all.length > 1 && !volumes.isUsable(volume))) {
        this.#parts.push(part);
        continue;
      }
      try {
        const row = await recoverPart({ ...place, volume }, part.file);
        if (row === undefined) {
          await catalog.abandoned(part);
          continue;
        }
        this.#rows.push(row);
        await this.#noted(() => catalog.filled(this.#camera, this.#stream, row.startUs, row.endUs));
      } catch (err) {
        this.#log.warn({ err, file: part.file }, "an unfinished segment cannot be sealed yet");
        this.#parts.push(part);
      }
    }
    await this.#enter();
  }
}

/** Whether it can be decoded by itself. */
function isStart({ key, plan }: ReadyFragment): boolean {
  return key || !plan.tracks.some(({ format }) => "width" in format);
}
