import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { systemClock } from "../base/clock.ts";
import { SECOND } from "../base/units.ts";
import { type GroupedTarget, targetsOf } from "./all-targets.ts";
import { keep } from "./seeds.ts";
import type { Progress, Task } from "./worker.ts";

const LIMITS = {
  /** An input that takes longer than this will not end. */
  hangMs: 15 * SECOND,
  inputBytes: 128 * 1024,
  heapMegabytes: 512,
};

const targets = await targetsOf();

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string" },
    list: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true || values.list === true) {
  process.stdout.write(
    values.list === true
      ? `${targets.map(({ target }) => target.name).join("\n")}\n`
      : `Throws changed inputs at the readers of foreign bytes, and keeps what makes them do something new.

  npm run fuzz -- [target…] [--seconds 60] [--seed N]    every target for so long; without names all of them
  npm run fuzz -- --list                                 the targets

Inputs that must not be read as they are end in fuzz/findings, and the exit code is 1. To keep one, move it to fuzz/seeds.
`,
  );
  process.exit(0);
}

/** Fuzzes one target in a thread of its own, which can be ended when an input never does. Gives how many inputs were found. */
function fuzz({ group, target: { name } }: GroupedTarget, seed: number, seconds: number): Promise<number> {
  const shared = new SharedArrayBuffer(8 + LIMITS.inputBytes);
  const counters = new Int32Array(shared, 0, 2);
  const worker = new Worker(new URL("worker.ts", import.meta.url), {
    workerData: { group, target: name, seed, seconds, shared } satisfies Task,
    resourceLimits: { maxOldGenerationSizeMb: LIMITS.heapMegabytes },
  });
  let found = 0;
  const caught = (what: string): void => {
    found += 1;
    const input = new Uint8Array(shared, 8, Atomics.load(counters, 1)).slice();
    process.stdout.write(`${name}: ${what}\n  ${keep("findings", name, input)}\n`);
    void worker.terminate();
  };
  let seen = -1;
  const watch = systemClock.every(LIMITS.hangMs, () => {
    const now = Atomics.load(counters, 0);
    if (now === seen) caught("does not end");
    seen = now;
  });
  let latest: Progress | undefined;
  worker.on("message", (progress: Progress) => {
    latest = progress;
    found += progress.findings.length;
    for (const { path, what } of progress.findings) process.stdout.write(`${name}: ${what}\n  ${path}\n`);
  });
  worker.on("error", (error) => caught(error instanceof Error ? error.message : String(error)));
  return new Promise((resolve) => {
    worker.once("exit", () => {
      watch.cancel();
      const { runs = 0, features = 0, corpus = 0 } = latest ?? {};
      process.stdout.write(
        `${name}: ${runs} runs, ${corpus} inputs that differ, ${features} features, ${found} found\n`,
      );
      resolve(found);
    });
  });
}

const seed = Number(values.seed ?? Math.floor(systemClock.now()) % 2 ** 32);
const seconds = Number(values.seconds);
const unknown = positionals.filter((name) => !targets.some(({ target }) => target.name === name));
if (unknown.length > 0 || !Number.isSafeInteger(seed) || !(seconds > 0)) {
  process.stderr.write(`no target ${unknown.join(", ")}, or no number: see --list and --help\n`);
  process.exit(2);
}
process.stdout.write(`seed ${seed}\n`);
let found = 0;
for (const one of targets)
  if (positionals.length === 0 || positionals.includes(one.target.name)) found += await fuzz(one, seed, seconds);
process.exitCode = found > 0 ? 1 : 0;
