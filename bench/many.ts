import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cell, table } from "./figures.ts";
import { taken } from "./load.ts";
import { own } from "./servers.ts";

// What it costs to pull and record many cameras of 4 Mbit/s, each with some readers: cores of one process, and its memory.

const { values } = parseArgs({
  options: {
    cameras: { type: "string", default: "100" },
    readers: { type: "string", default: "0,2" },
    recorded: { type: "string", default: "clear,full" },
    seconds: { type: "string", default: "10" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true) {
  process.stdout.write(`Measures many cameras that are pulled, recorded and watched.

  node bench/many.ts [--cameras 100] [--readers 0,2] [--recorded clear,full] [--seconds 10] [--json]

"--readers" watch each camera. "full" is encrypted in full and signed, as the bridge does if nothing else is set. Recordings go to the folder for temporary files.
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
  readonly gbitPerSecond: number;
  readonly megabytes: number;
}

async function measure(camera: string, what: Case): Promise<Row> {
  const { cameras, readers, recorded } = what;
  const folder = await mkdtemp(join(tmpdir(), "viaduct-bench-"));
  const bridge = await own<{ readonly port: number }>("many-bridge.ts", [camera, folder, String(cameras), recorded]);
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
    });
    return { ...what, cores: cpuSeconds / seconds, gbitPerSecond: gbit / seconds, megabytes };
  } finally {
    bridge.process.kill();
    await once(bridge.process, "exit");
    await rm(folder, { recursive: true, force: true });
  }
}

const source = await own<{ readonly port: number }>("relay-source.ts", []);
const rows: Row[] = [];
try {
  for (const cameras of values.cameras.split(",").map(Number))
    for (const readers of values.readers.split(",").map(Number))
      for (const recorded of values.recorded.split(","))
        rows.push(await measure(`rtsp://127.0.0.1:${source.port}/cam`, { cameras, readers, recorded }));
} finally {
  source.process.kill();
}

if (values.json === true) process.stdout.write(`${JSON.stringify(rows)}\n`);
else {
  const load = loadavg().map((one) => one.toFixed(1));
  process.stdout.write(
    `\nMany cameras of 4 Mbit/s, recorded. ${cpus().length} x ${cpus()[0]?.model ?? ""}, load ${load.join(" ")}\n\n`,
  );
  process.stdout.write(
    table([
      ["", "cameras", "readers each", "cores", "Gbit/s out", "MB"],
      ...rows.map((row) => [
        row.recorded,
        String(row.cameras),
        String(row.readers),
        cell(row.cores, 2),
        cell(row.gbitPerSecond, 2),
        cell(row.megabytes, 0),
      ]),
    ]),
  );
}
