import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cell, quantile, table } from "./figures.ts";
import { taken } from "./load.ts";
import { own } from "./servers.ts";

// What it costs to replay a recording of 4 Mbit/s as fast as clients take it, beside live video of the same in the same process: CPU
// seconds for each gigabit. And how long a jump takes, in a catalog of many segments.

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "16" },
    readers: { type: "string", default: "200" },
    footage: { type: "string", default: "600" },
    segments: { type: "string", default: "1000000" },
    jumps: { type: "string", default: "300" },
    seconds: { type: "string", default: "6" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true) {
  process.stdout.write(`Measures replay beside live video, and jumps in a large catalog.

  node bench/replay.ts [--sessions 16] [--readers 200] [--footage 600] [--segments 1000000] [--jumps 300] [--seconds 6] [--json]

Records "--footage" seconds into the folder for temporary files first; "--segments" of other cameras stand in the catalog besides.
`);
  process.exit(0);
}

/** Code that has run often is another one. */
const WARM_UP_SECONDS = 5;
const UNPACED = "Require: onvif-replay\nRate-Control: no\nRange: npt=0-";

interface Cost {
  readonly cpuSecondsPerGbit: number;
  readonly gbitPerSecond: number;
}

async function cost(pid: number, url: string, readers: number, manner?: string): Promise<Cost> {
  const seconds = Number(values.seconds);
  const more = manner === undefined ? {} : { manner };
  const played = { pid, urls: [url], way: "tcp", readers, settleSeconds: WARM_UP_SECONDS, seconds } as const;
  const { gbit, cpuSeconds } = await taken({ ...played, ...more });
  return { cpuSecondsPerGbit: cpuSeconds / gbit, gbitPerSecond: gbit / seconds };
}

const folder = await mkdtemp(join(tmpdir(), "viaduct-bench-"));
const source = await own<{ readonly port: number }>("relay-source.ts", []);
const bridge = await own<{ readonly port: number; readonly from: number; readonly openMs: number }>(
  "replay-bridge.ts",
  [`rtsp://127.0.0.1:${source.port}/cam`, folder, values.footage, values.segments],
);
try {
  const pid = bridge.process.pid ?? 0;
  const url = `rtsp://127.0.0.1:${bridge.port}`;
  const live = await cost(pid, `${url}/live/cam`, Number(values.readers));
  const replay = await cost(pid, `${url}/recorded/cam`, Number(values.sessions), UNPACED);
  const seek = [`${url}/recorded/cam`, String(bridge.from), values.footage, values.jumps];
  const { jumpMs } = await own<{ readonly jumpMs: readonly number[] }>("seek-load.ts", seek);
  const result = {
    live,
    replay,
    ofLive: replay.cpuSecondsPerGbit / live.cpuSecondsPerGbit,
    jumpMs: { p50: quantile(jumpMs, 0.5), p99: quantile(jumpMs, 0.99) },
    openMs: bridge.openMs,
  };
  if (values.json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    const load = loadavg().map((one) => one.toFixed(1));
    process.stdout.write(
      `\nReplay of 4 Mbit/s over TCP. ${cpus().length} x ${cpus()[0]?.model ?? ""}, load ${load.join(" ")}\n\n`,
    );
    process.stdout.write(
      table([
        ["", "readers", "CPU s/Gbit", "Gbit/s", "of live"],
        ["live", values.readers, cell(live.cpuSecondsPerGbit, 3), cell(live.gbitPerSecond, 2), ""],
        [
          "replay",
          values.sessions,
          cell(replay.cpuSecondsPerGbit, 3),
          cell(replay.gbitPerSecond, 2),
          cell(result.ofLive, 2),
        ],
      ]),
    );
    process.stdout.write(
      `\nA jump, from PLAY to its first packet, with ${values.segments} other segments in the catalog: p50 ${cell(result.jumpMs.p50, 1)} ms, ` +
        `p99 ${cell(result.jumpMs.p99, 1)} ms. Opening that archive: ${cell(result.openMs, 0)} ms.\n`,
    );
  }
} finally {
  for (const { process: child } of [bridge, source]) child.kill();
  await rm(folder, { recursive: true, force: true });
}
