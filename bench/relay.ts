import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cell, table } from "./figures.ts";
import { type Case, type Figures, load } from "./load.ts";
import { floor, gstreamer, own, type Server, viaduct, type Way } from "./servers.ts";
import { usageOf } from "./usage.ts";

// What it costs to show one camera of 4 Mbit/s to many readers: CPU seconds of the server for each gigabit that readers have taken,
// how much later they have each picture, how soon the first, and what the server has in memory. Beside it, in the same run, a C
// program that does nothing but the calls that cannot be saved, and GStreamer's RTSP server as a relay, where they are there.

const { values } = parseArgs({
  options: {
    readers: { type: "string", default: "50,200,500" },
    ways: { type: "string", default: "tcp,tls,udp,stopped" },
    seconds: { type: "string", default: "5" },
    "warm-up": { type: "string", default: "15" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true) {
  process.stdout.write(`Measures one camera to many readers, beside the floor (VIADUCT_FLOOR: a folder) and GStreamer.

  node bench/relay.ts [--readers 50,200,500,1000,2000] [--ways tcp,tls,udp,stopped] [--seconds 5] [--warm-up 15] [--json]

"stopped" is TCP with a tenth of the readers not reading any more. TLS, UDP and stopped are measured once, with 200 readers at most.
`);
  process.exit(0);
}

/** Beyond, our own client over TLS or UDP takes more of the machine than what is measured. */
const MOST_OF_OTHERS = 200;

const numbers = values.readers.split(",").map(Number);
const middle = Math.min(MOST_OF_OTHERS, Math.max(...numbers));

function casesOf(name: string): readonly Case[] {
  const seconds = Number(values.seconds);
  if (name === "tcp") return numbers.map((readers) => ({ way: "tcp", readers, stopped: 0, seconds }));
  if (name === "stopped") return [{ way: "tcp", readers: middle, stopped: Math.ceil(middle / 10), seconds }];
  if (name === "tls" || name === "udp") return [{ way: name, readers: middle, stopped: 0, seconds }];
  throw new Error(`--ways ${name}: tcp, tls, udp, stopped`);
}

interface Row extends Case, Figures {
  readonly server: string;
  /** CPU, of the floor's in the same run. */
  readonly ofFloor: number;
  /** Memory for each reader, beyond what the server had before this was measured. */
  readonly kilobytesEach: number;
}

const folder = await mkdtemp(join(tmpdir(), "viaduct-bench-"));
const source = await own<{ readonly port: number }>("relay-source.ts", []);
const camera = `rtsp://127.0.0.1:${source.port}/cam`;
/** With what each had in memory before it was measured. */
const idle = new Map<Server, number>();
const started = <T extends Server | undefined>(server: T): T => {
  if (server !== undefined) idle.set(server, usageOf(server.process.pid ?? 0).megabytes);
  return server;
};
const rows: Row[] = [];

async function measure(server: Server, what: Case, under: Server | undefined): Promise<void> {
  const figures = await load(server, what);
  const { way, readers } = what;
  const least =
    server === under
      ? figures
      : rows.findLast((row) => row.server === under?.name && row.way === way && row.readers === readers);
  rows.push({
    server: server.name,
    ...what,
    ...figures,
    ofFloor: figures.cpuSecondsPerGbit / (least?.cpuSecondsPerGbit ?? Number.NaN),
    kilobytesEach: ((figures.megabytes - (idle.get(server) ?? Number.NaN)) * 1024) / readers,
  });
}

try {
  const ours = await viaduct(camera, folder, true);
  started(ours.tcp);
  // Code that has run often is another one: the bridge is measured as it is after its first seconds.
  await load(ours.tcp, { way: "tcp", readers: 50, stopped: 0, seconds: Number(values["warm-up"]) });
  for (const server of Object.values(ours)) started(server);
  const ways = values.ways.split(",");
  const without = ways.includes("udp") ? started((await viaduct(camera, folder, false)).udp) : undefined;
  const peer = ways.includes("tcp") ? started(await gstreamer(camera)) : undefined;
  const floors = new Map<Way, Server | undefined>();
  for (const what of ways.flatMap(casesOf)) {
    const { way, stopped } = what;
    if (!floors.has(way)) floors.set(way, started(await floor(way, source.port, folder)));
    const under = floors.get(way);
    const others = way === "tcp" ? [peer] : way === "udp" ? [without] : [];
    for (const server of stopped > 0 ? [ours[way]] : [under, ours[way], ...others])
      if (server !== undefined) await measure(server, what, under);
  }
} finally {
  for (const { process: child } of [...idle.keys(), source]) child.kill();
  await rm(folder, { recursive: true, force: true });
}

if (values.json === true) process.stdout.write(`${JSON.stringify(rows)}\n`);
else {
  const heading = [
    "",
    "way",
    "readers",
    "stopped",
    "CPU s/Gbit",
    "of floor",
    "Gbit/s",
    "later p50",
    "p99 ms",
    "first ms",
    "MB",
    "KB each",
    "lost",
  ];
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? ""}, load ${loadavg()
    .map((one) => one.toFixed(1))
    .join(" ")}`;
  process.stdout.write(`\nOne camera of 4 Mbit/s to many readers, ${values.seconds} s each. ${machine}\n\n`);
  process.stdout.write(
    table([
      heading,
      ...rows.map((row) => [
        row.server,
        row.way,
        String(row.readers),
        String(row.stopped),
        cell(row.cpuSecondsPerGbit, 3),
        cell(row.ofFloor, 2),
        cell(row.gbitPerSecond, 2),
        cell(row.laterMs.p50, 1),
        cell(row.laterMs.p99, 1),
        cell(row.firstMs, 0),
        cell(row.megabytes, 0),
        cell(row.kilobytesEach, 0),
        cell(row.lost, 0),
      ]),
    ]),
  );
}
