import { mkdtemp, rm, stat } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Principal } from "../auth/principal.ts";
import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { Metrics } from "../base/metrics.ts";
import { DAY, MINUTE, SECOND, type UnixMillis, unixMillis } from "../base/units.ts";
import { timelineOf } from "../bridge/client-side/timeline.ts";
import { Archive } from "../recorder/archive.ts";
import { CATALOG_FILE } from "../recorder/archive-settings.ts";
import { cell, quantile, table } from "./figures.ts";
import { enterOthers, record } from "./footage.ts";
import { benchKeys, benchSigner } from "./protection.ts";

// How long a question takes in an archive of ten million segments: where an instant is recorded, what is there, and a camera's day.

const { values } = parseArgs({
  options: {
    segments: { type: "string", default: "10000000" },
    cameras: { type: "string", default: "1000" },
    questions: { type: "string", default: "1000" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true) {
  process.stdout.write(`Measures questions to a large catalog, each beside the CPU time that it takes.

  node bench/catalog.ts [--segments 10000000] [--cameras 1000] [--questions 1000] [--json]

Makes the catalog of "--segments" of "--cameras", a minute each, in the folder for temporary files: 4 GB for ten million. One camera more has footage, encrypted in
full and signed.
`);
  process.exit(0);
}

const [segments, cameras, questions] = [values.segments, values.cameras, values.questions].map(Number) as [
  number,
  number,
  number,
];
const FOOTAGE = "recorded";
const FOOTAGE_SECONDS = 300;
/** As the playback page asks. */
const BUCKETS = 200;
const EVENTS_OF_DAY = 500;
const GAPS_OF_DAY = 20;

const folder = await mkdtemp(join(tmpdir(), "viaduct-bench-"));
const now = systemClock.now();
const from = unixMillis(Math.floor(now / DAY) * DAY - DAY);
const protection = {
  settings: { encryption: "full" },
  keys: benchKeys(),
  signer: await benchSigner(now),
} as const;
const open = (): Promise<Archive> =>
  Archive.open({ folder, clock: systemClock, log: silentLog(), metrics: new Metrics(), ...protection });

function random(below: number): number {
  return Math.floor(Math.random() * below);
}

/** Everything, for somebody who may see it. */
const who: Principal = {
  accountId: "bench",
  name: "bench",
  kind: "person",
  grants: (["search", "playback", "events", "lock"] as const).map((right) => ({
    right,
    cameras: "any",
    interfaces: "any",
  })),
  now: () => now,
  revoked: new AbortController().signal,
};

interface Figure {
  readonly ms: readonly number[];
  readonly cpuMs: number;
}

/** One after the other, as often as is asked. */
async function asked(question: (index: number) => Promise<unknown>): Promise<Figure> {
  const ms: number[] = [];
  // Code that has run often is another one.
  for (let index = 0; index < questions / 5; index += 1) await question(index);
  const used = process.cpuUsage();
  for (let index = 0; index < questions; index += 1) {
    const begun = performance.now();
    await question(index);
    ms.push(performance.now() - begun);
  }
  const { user, system } = process.cpuUsage(used);
  return { ms, cpuMs: (user + system) / 1000 / questions };
}

if (segments / cameras < DAY / MINUTE)
  throw new Error("a camera needs segments of a day: fewer cameras, or more segments");

try {
  const filling = await open();
  await record(filling, FOOTAGE, from, FOOTAGE_SECONDS);
  await filling.close();
  const begun = performance.now();
  await enterOthers(join(folder, CATALOG_FILE), segments, from, cameras);
  const madeSeconds = (performance.now() - begun) / SECOND;
  const { size } = await stat(join(folder, CATALOG_FILE));
  const began = performance.now();
  const archive = await open();
  const openMs = performance.now() - began;
  const { catalog } = archive.place;
  const days = Math.floor(((segments / cameras) * MINUTE) / DAY);
  const camera = (): string => `other${random(cameras)}`;
  const dayOf = (): UnixMillis => unixMillis(from - (1 + random(days)) * DAY);
  const journaled = { camera: camera(), from: unixMillis(from - DAY) };
  await archive.journal.enter(
    Array.from({ length: EVENTS_OF_DAY }, (_, index) => ({
      camera: journaled.camera,
      at: unixMillis(journaled.from + (index * DAY) / EVENTS_OF_DAY),
      kind: "motion",
      about: "VideoSource/MotionAlarm",
      property: true,
      content: "",
    })),
  );
  for (let index = 0; index < GAPS_OF_DAY; index += 1) {
    const at = (journaled.from + (index * DAY) / GAPS_OF_DAY) * 1000;
    const gap = { camera: journaled.camera, stream: "main", fromUs: at, toUs: at + 10_000_000 };
    await catalog.gaps.missed({ ...gap, reason: "told so", cause: "network" });
  }
  const week = Math.min(7, days) * DAY;
  const { signal } = new AbortController();
  const source = archive.source(FOOTAGE, "main");
  const timeline = async (id: string, at: UnixMillis, length = DAY): Promise<void> => {
    const found = await timelineOf(archive, who, "web", id, {
      from: at,
      to: unixMillis(at + length),
      buckets: BUCKETS,
    });
    if (found.recorded.some((share) => share === 0)) throw new Error("what was recorded is not in the timeline");
  };
  const figures: Readonly<Record<string, Figure>> = {
    "the segment of an instant, of any camera": await asked(() =>
      catalog.segments.atOrBefore(camera(), "main", (dayOf() + random(DAY)) * 1000, ["main"]),
    ),
    "that, its place in the file, and its first picture decrypted": await asked(async () => {
      const reading = { from: unixMillis(from + random(FOOTAGE_SECONDS * SECOND)) };
      for await (const _ of source.read(reading, signal)) return;
    }),
    "a day's timeline, of any camera": await asked(() => timeline(camera(), dayOf())),
    "the same with 500 events and 20 gaps": await asked(() => timeline(journaled.camera, journaled.from)),
    "a timeline of up to a week": await asked(() => timeline(camera(), unixMillis(from - week), week)),
  };
  await archive.close();
  const rows = Object.entries(figures).map(([name, { ms, cpuMs }]) => ({
    name,
    p50: quantile(ms, 0.5),
    p99: quantile(ms, 0.99),
    cpuMs,
  }));
  if (values.json === true) process.stdout.write(`${JSON.stringify({ segments, cameras, openMs, size, rows })}\n`);
  else {
    const load = loadavg().map((one) => one.toFixed(1));
    process.stdout.write(
      `\n${segments} segments of ${cameras} cameras, a catalog of ${(size / 1e9).toFixed(1)} GB, made in ${cell(madeSeconds, 0)} s. ` +
        `${cpus().length} x ${cpus()[0]?.model ?? ""}, load ${load.join(" ")}\n\n`,
    );
    process.stdout.write(
      table([
        ["", "p50 ms", "p99 ms", "CPU ms"],
        ...rows.map(({ name, p50, p99, cpuMs }) => [name, cell(p50, 2), cell(p99, 2), cell(cpuMs, 2)]),
      ]),
    );
    process.stdout.write(`\nOpening that archive: ${cell(openMs, 0)} ms.\n`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
