import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { unixMillis } from "../base/units.ts";
import { ReusedMemory } from "../media/reused-memory.ts";
import type { Sample } from "../media/sample.ts";
import { Appending } from "../recorder/appending.ts";
import { Catalog } from "../recorder/catalog.ts";
import { diskFiles } from "../recorder/files.ts";
import { Fragmenter } from "../recorder/fragmenter.ts";
import { MemoryBudget } from "../recorder/memory-budget.ts";
import { Troubles } from "../recorder/troubles.ts";
import { mainVolume } from "../recorder/volume.ts";
import { Volumes } from "../recorder/volumes.ts";
import { SegmentWriter } from "../recorder/writer.ts";
import { benchKeys, benchSigner } from "./protection.ts";

// What it costs to write what cameras send: CPU seconds of the process for each gigabit, from bare writes to what is signed and
// encrypted in full; and ffmpeg, which copies the same into segments in clear.

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "400" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true) {
  process.stdout.write(`Measures what it costs to write recordings: in clear, encrypted light and in full, and signed.

  node bench/recorder.ts [--megabytes 400] [--json]

Writes "--megabytes" to the folder for temporary files for each of these, and bare; and has ffmpeg copy as much, where it is there.
`);
  process.exit(0);
}

const MEGABYTES = Number(values.megabytes);
/** Of 4 Mbit/s and 25 pictures a second: a key frame a second. */
const [KEY_BYTES, OTHER_BYTES, GOP] = [120_000, 15_800, 25];
const START_MS = Date.UTC(2026, 0, 1);

const pictures = { key: randomBytes(KEY_BYTES), other: randomBytes(OTHER_BYTES) };
const format = { codec: "H264", width: 1920, height: 1080, config: Buffer.from("0142c01effe100", "hex") } as const;

function sample(index: number): Sample {
  const key = index % GOP === 0;
  return {
    at: unixMillis(START_MS + index * 40),
    quality: "camera",
    rtpTime: (index * 3600) >>> 0,
    key,
    discontinuity: false,
    data: key ? pictures.key : pictures.other,
    format,
  };
}

interface Step {
  readonly name: string;
  readonly encryption?: "light" | "full";
  readonly signed?: boolean;
}

const STEPS: readonly Step[] = [
  { name: "fMP4, hashes" },
  { name: "light", encryption: "light" },
  { name: "full", encryption: "full" },
  { name: "full, signed", encryption: "full", signed: true },
];

const COUNT = Math.ceil((MEGABYTES * 1e6) / (KEY_BYTES + (GOP - 1) * OTHER_BYTES)) * GOP;
const GBIT = (COUNT / GOP) * (KEY_BYTES + (GOP - 1) * OTHER_BYTES) * 8e-9;

const keys = benchKeys();

function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

/** The same buffers, written as they come, a GOP at a time. */
async function bareWrites(folder: string): Promise<number> {
  const file = await open(join(folder, "raw"), "w");
  const begun = process.cpuUsage();
  for (let index = 0; index < COUNT; index += GOP)
    await file.writev(Array.from({ length: GOP }, (_, one) => sample(index + one).data));
  const used = cpuSeconds(begun);
  await file.close();
  return used;
}

async function recorded(folder: string, step: Step): Promise<number> {
  const catalog = await Catalog.open(":memory:");
  const place = { files: diskFiles, catalog, clock: systemClock, log: silentLog(), troubles: new Troubles() };
  const writer = new SegmentWriter("cam", "main", {
    ...place,
    volumes: new Volumes([mainVolume(folder)], place),
    budget: new MemoryBudget(256e6),
    memory: new ReusedMemory(64e6),
    appending: new Appending(),
    flushMs: 3_600_000,
    full: () => undefined,
    counted: () => undefined,
    encryption: step.encryption,
    keys,
    signer: step.signed === true ? await benchSigner(unixMillis(START_MS)) : undefined,
  });
  const fragmenter = new Fragmenter(writer, { segmentMs: 60_000, phaseMs: 0 });
  fragmenter.describe([
    { kind: "video", codec: "H264", encoding: "H264", payloadType: 96, clockRateHz: 90_000, channels: 1, fmtp: "" },
  ]);
  const begun = process.cpuUsage();
  for (let index = 0; index < COUNT; index += 1) {
    fragmenter.push(0, sample(index));
    if (index % GOP === 0) await writer.idle();
  }
  fragmenter.end(undefined);
  await writer.close();
  const cpu = cpuSeconds(begun);
  await catalog.close();
  return cpu;
}

/** ffmpeg copies a file of its own making, of the same rate, into segments; undefined where it is not there. */
function ffmpegCopy(folder: string): number | undefined {
  const seconds = String(Math.ceil(COUNT / GOP));
  const film = join(folder, "film.mp4");
  const rate = ["-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-bufsize", "4M", "-x264-params", "nal-hrd=cbr"];
  const source = ["-f", "lavfi", "-i", `testsrc2=size=640x360:rate=25:duration=${seconds}`];
  const codec = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25"];
  if (spawnSync("ffmpeg", ["-v", "error", "-y", ...source, ...codec, ...rate, film]).status !== 0) return undefined;
  const gbit = statSync(film).size * 8e-9;
  const copy = ["-c", "copy", "-f", "segment", "-segment_time", "60", join(folder, "part-%d.mp4")];
  const { stderr } = spawnSync("ffmpeg", ["-v", "info", "-benchmark", "-y", "-i", film, ...copy], { encoding: "utf8" });
  const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? [];
  return user === undefined ? undefined : (Number(user) + Number(system)) / gbit;
}

const folder = await mkdtemp(join(tmpdir(), "viaduct-bench-"));
try {
  const rows: [name: string, cpuSecondsPerGbit: number | undefined][] = [];
  // The first time, everything is compiled.
  await recorded(join(folder, "warm"), STEPS[3] as Step);
  rows.push(["bare writes", (await bareWrites(folder)) / GBIT]);
  for (const step of STEPS) rows.push([step.name, (await recorded(join(folder, step.name), step)) / GBIT]);
  rows.push(["ffmpeg -c copy -f segment, in clear", ffmpegCopy(folder)]);
  if (values.json === true) process.stdout.write(`${JSON.stringify(Object.fromEntries(rows))}\n`);
  else
    for (const [name, cost] of rows)
      process.stdout.write(`${(cost?.toFixed(3) ?? "not here").padStart(8)} CPU s/Gbit  ${name}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
