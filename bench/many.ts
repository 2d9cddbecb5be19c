import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ffmpegSegments } from "./ffmpeg-segments.ts";
import { cell, quantile, table } from "./figures.ts";
import { taken } from "./load.ts";
import { loopDelaysMs } from "./loop-delay.ts";
import { own } from "./servers.ts";
import { bytesIn } from "./usage.ts";

// What it costs to pull and record many cameras of 4 Mbit/s, each with some readers: cores of one process, its memory, and how
// late its event loop comes to what is due. Beside it, in the same run, one ffmpeg for each camera, where it is there.

const { values } = parseArgs({
  options: {
    cameras: { type: "string", default: "100" },
    readers: { type: "string", default: "0,2" },
    recorded: { type: "string", default: "clear,full" },
    ffmpeg: { type: "string", default: "20" },
    seconds: { type: "string", default: "10" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true) {
  process.stdout.write(`Measures many cameras that are pulled, recorded and watched.

  node bench/many.ts [--cameras 100] [--readers 0,2] [--recorded clear,full] [--ffmpeg 20] [--seconds 10] [--json]

"--readers" watch each camera. "full" is encrypted in full and signed, as the bridge does if nothing else is set. "--ffmpeg" is how
many of them copy the same stream into segments, in clear; what they take is printed for as many as there are cameras. "Late" is how
late the event loop of the bridge's process came to what was due every 7 ms, in as many seconds again with the same work; timers of
Node.js alone make it up to 1 ms. Recordings go to the folder for temporary files.
`);
  process.exit(0);
}

/** Code that has run often is another one, and every camera has had its turn with the disk. */
const WARM_UP_SECONDS = 10;

interface Case {
  readonly cameras: number;
  /** Of each camera. */
  readonly readers: number;
  readonly recorded: string;
}

interface Row extends Case {
  readonly cores: number;
  /** Written to the folder. */
  readonly gbitPerSecondRecorded: number;
  /** Taken by readers. */
  readonly gbitPerSecond: number;
  readonly megabytes: number;
  readonly lateMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

async function measure(camera: string, what: Case): Promise<Row> {
  const { cameras, readers, recorded } = what;
  const folder = await mkdtemp(join(tmpdir(), "viaduct-bench-"));
  const bridge = await own<{ readonly port: number }>("many-bridge.ts", [camera, folder, String(cameras), recorded]);
  const recordedBytes: number[] = [];
  let delaysMs: readonly number[] = [];
  const urls = Array.from({ length: cameras }, (_, index) => `rtsp://127.0.0.1:${bridge.port}/live/cam${index + 1}`);
  try {
    const seconds = Number(values.seconds);
    const { gbit, cpuSeconds, megabytes } = await taken({
      pid: bridge.process.pid ?? 0,
      urls,
      way: "tcp",
      readers: cameras * readers,
      settleSeconds: WARM_UP_SECONDS,
      seconds,
      also: () => recordedBytes.push(bytesIn(folder)),
      // In seconds of its own: looking that often takes up to a fiftieth of a core.
      afterwards: async () => {
        delaysMs = await loopDelaysMs(bridge.process, seconds);
      },
    });
    const [before = 0, after = 0] = recordedBytes;
    return {
      ...what,
      cores: cpuSeconds / seconds,
      gbitPerSecondRecorded: ((after - before) * 8e-9) / seconds,
      gbitPerSecond: gbit / seconds,
      megabytes,
      lateMs: { p50: quantile(delaysMs, 0.5), p99: quantile(delaysMs, 0.99), max: Math.max(...delaysMs) },
    };
  } finally {
    bridge.process.kill();
    await once(bridge.process, "exit");
    await rm(folder, { recursive: true, force: true });
  }
}

/** As many ffmpeg as are asked for, and what it would be for all cameras; or why there is no such row. */
async function measureFfmpeg(camera: string, cameras: number): Promise<Row | string> {
  const count = Math.min(cameras, Number(values.ffmpeg));
  if (count === 0) return "ffmpeg is not asked for";
  const seconds = Number(values.seconds);
  const found = await ffmpegSegments({ camera, count, settleSeconds: WARM_UP_SECONDS, seconds });
  if ("missing" in found) return found.missing;
  const eachSecond = cameras / count / seconds;
  return {
    recorded: `${count} ffmpeg, in clear`,
    cameras,
    readers: 0,
    cores: found.cpuSeconds * eachSecond,
    gbitPerSecondRecorded: found.gbit * eachSecond,
    gbitPerSecond: Number.NaN,
    megabytes: Number.NaN,
    lateMs: { p50: Number.NaN, p99: Number.NaN, max: Number.NaN },
  };
}

/** Cores, of those that ffmpeg takes for as many cameras in the same run. It serves no readers: a row with some has no ratio. */
interface Compared extends Row {
  readonly ofFfmpeg: number;
}

/** As many as there are to be at most: those who come next watch the next one. */
const most = Math.max(...values.cameras.split(",").map(Number));
const source = await own<{ readonly port: number }>("relay-source.ts", [String(most)]);
const camera = `rtsp://127.0.0.1:${source.port}/cam`;
const rows: Compared[] = [];
const missing: string[] = [];
try {
  for (const cameras of values.cameras.split(",").map(Number)) {
    const ours: Row[] = [];
    for (const readers of values.readers.split(",").map(Number))
      for (const recorded of values.recorded.split(","))
        ours.push(await measure(camera, { cameras, readers, recorded }));
    const peer = await measureFfmpeg(camera, cameras);
    if (typeof peer === "string") missing.push(peer);
    else ours.push(peer);
    const peerCores = typeof peer === "string" ? Number.NaN : peer.cores;
    rows.push(...ours.map((row) => ({ ...row, ofFfmpeg: row.readers > 0 ? Number.NaN : row.cores / peerCores })));
  }
} finally {
  source.process.kill();
}

if (values.json === true) process.stdout.write(`${JSON.stringify(rows)}\n`);
else {
  const load = loadavg().map((one) => one.toFixed(1));
  process.stdout.write(
    `\nMany cameras of 4 Mbit/s, recorded. ${cpus().length} x ${cpus()[0]?.model ?? ""}, load ${load.join(" ")}\n\n`,
  );
  const heading = ["cameras", "readers each", "cores", "of ffmpeg", "Gbit/s recorded", "out", "MB"];
  process.stdout.write(
    table([
      ["", ...heading, "late p50", "p99", "max ms"],
      ...rows.map((row) => [
        row.recorded,
        String(row.cameras),
        String(row.readers),
        cell(row.cores, 2),
        cell(row.ofFfmpeg, 2),
        cell(row.gbitPerSecondRecorded, 2),
        cell(row.gbitPerSecond, 2),
        cell(row.megabytes, 0),
        cell(row.lateMs.p50, 1),
        cell(row.lateMs.p99, 1),
        cell(row.lateMs.max, 1),
      ]),
    ]),
  );
  for (const why of missing) process.stdout.write(`\n${why}: no row of it.\n`);
}
