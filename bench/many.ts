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
    readers: { type: "string", default: "2" },
    seconds: { type: "string", default: "10" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true) {
  process.stdout.write(`Measures many cameras that are pulled, recorded and watched.

  node bench/many.ts [--cameras 100] [--readers 2] [--seconds 10] [--json]

"--readers" watch each camera. Recordings go to the folder for temporary files.
`);
  process.exit(0);
}

/** Code that has run often is another one, and every camera has had its turn with the disk. */
const WARM_UP_SECONDS = 10;

interface Row {
  readonly cameras: number;
  readonly cores: number;
  readonly gbitPerSecond: number;
  readonly megabytes: number;
}

async function measure(camera: string, cameras: number): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), "viaduct-bench-"));
  const bridge = await own<{ readonly port: number }>("many-bridge.ts", [camera, folder, String(cameras)]);
  const urls = Array.from({ length: cameras }, (_, index) => `rtsp://127.0.0.1:${bridge.port}/live/cam${index + 1}`);
  try {
    const seconds = Number(values.seconds);
    const { gbit, cpuSeconds, megabytes } = await taken({
      pid: bridge.process.pid ?? 0,
      urls,
      way: "tcp",
      readers: cameras * Number(values.readers),
      settleSeconds: WARM_UP_SECONDS,
      seconds,
    });
    return { cameras, cores: cpuSeconds / seconds, gbitPerSecond: gbit / seconds, megabytes };
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
    rows.push(await measure(`rtsp://127.0.0.1:${source.port}/cam`, cameras));
} finally {
  source.process.kill();
}

if (values.json === true) process.stdout.write(`${JSON.stringify(rows)}\n`);
else {
  const load = loadavg().map((one) => one.toFixed(1));
  process.stdout.write(
    `\nMany cameras of 4 Mbit/s, recorded, ${values.readers} readers each. ${cpus().length} x ${cpus()[0]?.model ?? ""}, load ${load.join(" ")}\n\n`,
  );
  process.stdout.write(
    table([
      ["cameras", "cores", "Gbit/s out", "MB"],
      ...rows.map((row) => [
        String(row.cameras),
        cell(row.cores, 2),
        cell(row.gbitPerSecond, 2),
        cell(row.megabytes, 0),
      ]),
    ]),
  );
}
