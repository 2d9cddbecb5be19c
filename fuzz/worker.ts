import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../base/clock.ts";
import { SECOND } from "../base/units.ts";
import { targetsOf } from "./all-targets.ts";
import { Coverage } from "./coverage.ts";
import { Fuzzer } from "./fuzzer.ts";
import { inputsOf, keep } from "./seeds.ts";

/** What the thread is given. */
export interface Task {
  readonly group: string;
  readonly target: string;
  readonly seconds: number;
  readonly seed: number;
  /** How often an input was begun, the length of the one that is being read, and its bytes. */
  readonly shared: SharedArrayBuffer;
}

/** What it reports, about every two seconds and at the end. */
export interface Progress {
  readonly runs: number;
  readonly features: number;
  readonly corpus: number;
  /** What was found since the last report. */
  readonly findings: readonly { readonly path: string; readonly what: string }[];
}

const REPORT_MS = 2 * SECOND;
/** Our own code, and the packages that read what others send. */
function isLookedAt(url: string): boolean {
  return url.startsWith("file:") && (/\/ws\//.test(url) || !/\/(?:fuzz|node_modules)\//.test(url));
}

async function work({ group, target: name, seconds, seed, shared }: Task): Promise<void> {
  const target = (await targetsOf(group)).find((one) => one.target.name === name)?.target;
  if (target === undefined) throw new Error(`no target ${name}`);
  const counters = new Int32Array(shared, 0, 2);
  const bytes = new Uint8Array(shared, 8);
  const known = [...inputsOf("seeds", name), ...inputsOf("corpus", name)].map(([, input]) => input);
  const coverage = new Coverage(isLookedAt);
  const fuzzer = new Fuzzer({
    target,
    seed,
    corpus: known,
    coverage,
    timed: true,
    before(input) {
      bytes.set(input.subarray(0, bytes.length));
      Atomics.store(counters, 1, Math.min(input.length, bytes.length));
      Atomics.add(counters, 0, 1);
    },
    learned: (input) => keep("corpus", name, input),
  });
  let reported = 0;
  const report = (): void => {
    const findings = fuzzer.findings.slice(reported).map(({ input, error }) => ({
      path: keep("findings", name, input),
      what: error.stack ?? error.message,
    }));
    reported = fuzzer.findings.length;
    const { runs, corpusSize: corpus } = fuzzer;
    const { features } = coverage;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
    parentPort?.postMessage({ runs, features, corpus, findings } satisfies Progress);
  };
  await fuzzer.start();
  const end = systemClock.monotonic() + seconds * SECOND;
  let next = systemClock.monotonic() + REPORT_MS;
  for (let now = systemClock.monotonic(); now < end; now = systemClock.monotonic()) {
    await fuzzer.step();
    if (now < next) continue;
    next = now + REPORT_MS;
    report();
  }
  report();
}

await work(workerData as Task);
