import type { Coverage } from "./coverage.ts";
import { kindOf, minimized } from "./minimize.ts";
import { mutated } from "./mutate.ts";
import { Random } from "./random.ts";
import { findingOf, type Target } from "./target.ts";

const LIMITS = {
  /** Looking at what ran costs a hundred times what most runs do: it is done for so many at once. */
  batch: 64,
  /** Of so many batches one is looked at input by input, to see what ran more often than ever. */
  closely: 32,
  corpus: 5000,
  /** Reading one input, of this thread's time. Measured three times before it is believed, for memory is tidied up in between. */
  runMs: 100,
  /** To make one finding shorter: where it is one because it takes long, each attempt does. */
  shortenMs: 10_000,
};

/** An input that was not read as it must be. */
export interface Finding {
  readonly input: Buffer;
  readonly error: Error;
}

export interface FuzzerOptions {
  readonly target: Target;
  readonly seed: number;
  readonly corpus: readonly Buffer[];
  /** Absent: changes are blind. */
  readonly coverage?: Coverage;
  /** Inputs that take long are findings. */
  readonly timed?: boolean;
  /** Called before each input is read: if that never ends, somebody else knows what it was. */
  readonly before?: (input: Buffer) => void;
  /** An input that did what none before it had done. */
  readonly learned?: (input: Buffer) => void;
}

/** Changes inputs of a target, keeps what makes it do something new, and collects what it must not do. */
export class Fuzzer {
  readonly findings: Finding[] = [];
  runs = 0;
  readonly #o: FuzzerOptions;
  readonly #random: Random;
  readonly #words: readonly Buffer[];
  readonly #corpus: Buffer[] = [];
  readonly #kinds = new Set<string>();
  #batches = 0;

  constructor(options: FuzzerOptions) {
    this.#o = options;
    this.#random = new Random(options.seed);
    this.#words = options.target.words.map((word) => Buffer.from(word, "latin1"));
  }

  get corpusSize(): number {
    return this.#corpus.length;
  }

  /** Reads what is known already. First of all, once. */
  async start(): Promise<void> {
    for (const input of this.#o.corpus) {
      await this.#run(input);
      this.#o.coverage?.learn();
      this.#corpus.push(input);
    }
    if (this.#corpus.length === 0) this.#corpus.push(Buffer.alloc(0));
  }

  /** Reads some changed inputs. */
  async step(): Promise<void> {
    const { coverage } = this.#o;
    const inputs = Array.from({ length: LIMITS.batch }, () => this.#next());
    this.#batches += 1;
    if (coverage === undefined) await this.#all(inputs);
    else if (this.#batches % LIMITS.closely !== 0) await this.#search(inputs, coverage);
    else for (const input of inputs) await this.#look(input, coverage);
  }

  async #all(inputs: readonly Buffer[]): Promise<void> {
    for (const input of inputs) await this.#run(input);
  }

  /** Where anything new ran, which input it was: by halves. */
  async #search(inputs: readonly Buffer[], coverage: Coverage): Promise<void> {
    const [first] = inputs;
    if (first !== undefined && inputs.length === 1) {
      await this.#look(first, coverage);
      return;
    }
    await this.#all(inputs);
    if (!coverage.grew()) return;
    const middle = Math.ceil(inputs.length / 2);
    await this.#search(inputs.slice(0, middle), coverage);
    await this.#search(inputs.slice(middle), coverage);
  }

  /** Reads one input, and keeps it where anything ran that had not, or more often than ever. */
  async #look(input: Buffer, coverage: Coverage): Promise<void> {
    await this.#run(input);
    if (!coverage.learn()) return;
    if (this.#corpus.length >= LIMITS.corpus) this.#corpus.splice(this.#random.below(LIMITS.corpus), 1);
    this.#corpus.push(input);
    this.#o.learned?.(input);
  }

  #next(): Buffer {
    const { target } = this.#o;
    const [random, words, corpus] = [this.#random, this.#words, this.#corpus];
    // The newest are most likely to lead on.
    const recent = random.below(2) === 0 ? corpus.slice(-16) : corpus;
    return mutated(random.pick(recent) ?? Buffer.alloc(0), target.maxBytes, { random, words, corpus });
  }

  async #run(input: Buffer): Promise<void> {
    this.runs += 1;
    const error = await this.#read(input);
    if (error === undefined || this.#kinds.has(kindOf(error))) return;
    this.#kinds.add(kindOf(error));
    const until = performance.now() + LIMITS.shortenMs;
    const same = async (shorter: Buffer): Promise<boolean> => {
      if (performance.now() > until) return false;
      const other = await this.#read(shorter);
      return other !== undefined && kindOf(other) === kindOf(error);
    };
    const smallest = await minimized(input, same);
    this.findings.push({ input: smallest, error: (await this.#read(smallest)) ?? error });
  }

  async #read(input: Buffer): Promise<Error | undefined> {
    let least = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      this.#o.before?.(input);
      const began = process.threadCpuUsage();
      const error = await findingOf(this.#o.target, input);
      const { user, system } = process.threadCpuUsage(began);
      least = Math.min(least, (user + system) / 1000);
      if (error !== undefined) return error;
      if (least <= LIMITS.runMs || this.#o.timed !== true) return undefined;
    }
    return new Error(`takes long: ${Math.round(least)} ms for ${input.length} bytes`);
  }
}
