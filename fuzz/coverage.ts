import { type Profiler, Session } from "node:inspector";

/**
 * What V8 counts of the code that runs, and what of it has run before. One at a time in a thread.
 *
 * V8 tells of stretches of code whose counts differ from those around them, so that the stretches are others each time: what is
 * remembered is each character.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #isLookedAt: (url: string) => boolean;
  /** Of each function the characters that have run. */
  readonly #ran = new Map<string, Uint8Array>();
  /** Stretches and how often they ran in one go: 1, 2, 3 to 4, 5 to 8 and so on. */
  readonly #counts = new Set<string>();

  /** `isLookedAt`: files by their URL. */
  constructor(isLookedAt: (url: string) => boolean) {
    this.#isLookedAt = isLookedAt;
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    this.#take();
  }

  /** What is known: the more, the more of the code was seen. */
  get features(): number {
    return this.#counts.size;
  }

  /** Whether code has run since the last look that had never been learned. It is not learned by that. */
  grew(): boolean {
    return [...this.#functions()].some(({ key, ranges }) => this.#compare(key, ranges, false));
  }

  /** Learns what has run since the last look. True where that is new, or more often than ever. */
  learn(): boolean {
    let news = false;
    for (const { key, ranges } of this.#functions()) {
      if (this.#compare(key, ranges, true)) news = true;
      for (const { startOffset, endOffset, count } of ranges) {
        const counted = `${key} ${startOffset}-${endOffset} ${Math.ceil(Math.log2(count))}`;
        if (count === 0 || this.#counts.has(counted)) continue;
        this.#counts.add(counted);
        news = true;
      }
    }
    return news;
  }

  close(): void {
    this.#session.disconnect();
  }

  /** Ranges stand inside one another, the outer ones first. */
  #compare(key: string, ranges: readonly Profiler.CoverageRange[], learn: boolean): boolean {
    const { startOffset: from, endOffset: to } = ranges[0] ?? { startOffset: 0, endOffset: 0 };
    const ran = this.#ran.get(key) ?? new Uint8Array(to - from);
    const now = new Uint8Array(to - from);
    for (const { startOffset, endOffset, count } of ranges)
      now.fill(count > 0 ? 1 : 0, startOffset - from, endOffset - from);
    const news = now.some((one, at) => one > (ran[at] ?? 0));
    if (news && learn)
      this.#ran.set(
        key,
        now.map((one, at) => one | (ran[at] ?? 0)),
      );
    return news;
  }

  *#functions(): Generator<{ readonly key: string; readonly ranges: readonly Profiler.CoverageRange[] }> {
    for (const { scriptId, url, functions } of this.#take())
      if (this.#isLookedAt(url))
        for (const { ranges } of functions) yield { key: `${scriptId}:${ranges[0]?.startOffset}`, ranges };
  }

  /** Inside of one thread the inspector answers at once. */
  #take(): readonly Profiler.ScriptCoverage[] {
    let result: readonly Profiler.ScriptCoverage[] = [];
    this.#session.post("Profiler.takePreciseCoverage", (error, taken) => {
      if (error !== null) throw error;
      result = taken.result;
    });
    return result;
  }
}
