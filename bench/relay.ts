import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

// What it costs to show one camera of 4 Mbit/s to many readers, over TCP: CPU seconds of the server for each gigabit that
// readers have taken, and how much later they have each picture. Beside it, in the same run, GStreamer's RTSP server as a relay
// and a C program that does nothing but the one write that cannot be saved, where they are there.

const { values } = parseArgs({
  options: {
    readers: { type: "string", default: "50,200" },
    seconds: { type: "string", default: "8" },
    json: { type: "boolean" },
  },
});
const SECONDS = Number(values.seconds);
const TICKS_PER_SECOND = 100;
/** The folder of the C programs `floor` and `rtspsrc`, for those who have them. */
const FLOOR = process.env["VIADUCT_FLOOR"];
const DEBIAN_PYTHON = "/usr/bin/python3";

interface Server {
  readonly name: string;
  readonly url: string;
  readonly process: ChildProcess;
}

interface Row {
  readonly server: string;
  readonly readers: number;
  readonly cpuSecondsPerGbit: number;
  readonly gbitPerSecond: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly firstMs: { readonly p50: number; readonly p95: number };
  readonly megabytes: number;
}

function usageOf(pid: number): { readonly cpuSeconds: number; readonly megabytes: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    megabytes: Number(resident) / 1024,
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts one of this folder's programs, and waits for the port that it tells. */
async function own(
  file: string,
  args: readonly string[],
): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const child = fork(join(import.meta.dirname, file), [...args]);
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return { process: child, port };
}

async function gstreamer(camera: string): Promise<Server | undefined> {
  if (!existsSync(DEBIAN_PYTHON)) return undefined;
  const child = spawn(DEBIAN_PYTHON, [join(import.meta.dirname, "gst-relay.py"), camera], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const port = await new Promise<string | undefined>((resolve) => {
    child.stdout?.on("data", (chunk: Buffer) => resolve(/port (\d+)/.exec(String(chunk))?.[1]));
    child.once("exit", () => resolve(undefined));
    child.once("error", () => resolve(undefined));
  });
  return port === undefined ? undefined : { name: "GStreamer", url: `rtsp://127.0.0.1:${port}/live`, process: child };
}

async function floor(cameraPort: number): Promise<Server | undefined> {
  const program = FLOOR === undefined ? "" : join(FLOOR, "floor");
  if (!existsSync(program)) return undefined;
  const port = cameraPort + 1;
  const child = spawn(program, [`127.0.0.1:${cameraPort}/cam`, String(port), "writev"], { stdio: "ignore" });
  await pause(1000);
  return child.exitCode === null ? { name: "C floor", url: `rtsp://127.0.0.1:${port}/cam`, process: child } : undefined;
}

async function measure(server: Server, readers: number): Promise<Row> {
  const load = fork(join(import.meta.dirname, "relay-load.ts"), [server.url, String(readers)]);
  const ready = (await Promise.race([once(load, "message"), once(load, "exit")])) as [{ ready?: boolean } | number];
  if (typeof ready[0] !== "object") throw new Error(`${server.name}: ${readers} readers do not play`);
  const look = async (): Promise<{ bytes: number; ages: number[]; firstMs: number[] }> => {
    load.send("look");
    return ((await once(load, "message")) as [{ bytes: number; ages: number[]; firstMs: number[] }])[0];
  };
  await pause(2000);
  const pid = server.process.pid ?? 0;
  const { firstMs, bytes: before } = await look();
  const used = usageOf(pid);
  await pause(SECONDS * 1000);
  const after = usageOf(pid);
  const { bytes, ages } = await look();
  load.kill();
  await once(load, "exit");
  const gbit = ((bytes - before) * 8) / 1e9;
  return {
    server: server.name,
    readers,
    cpuSecondsPerGbit: round((after.cpuSeconds - used.cpuSeconds) / gbit, 3),
    gbitPerSecond: round(gbit / SECONDS, 3),
    latencyMs: { p50: quantile(ages, 0.5), p99: quantile(ages, 0.99) },
    firstMs: { p50: quantile(firstMs, 0.5), p95: quantile(firstMs, 0.95) },
    megabytes: round(after.megabytes, 0),
  };
}

function quantile(list: readonly number[], part: number): number {
  const sorted = list.toSorted((a, b) => a - b);
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN, 1);
}

function line(cells: readonly string[]): string {
  return `${cells.map((cell, index) => (index === 0 ? cell.padEnd(12) : cell.padStart(14))).join("")}\n`;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

const source = await own("relay-source.ts", []);
const camera = `rtsp://127.0.0.1:${source.port}/cam`;
const bridge = await own("relay-bridge.ts", [camera]);
const servers = [
  await floor(source.port),
  { name: "Viaduct", url: `rtsp://127.0.0.1:${bridge.port}/live/bench`, process: bridge.process },
  await gstreamer(camera),
].filter((server) => server !== undefined);
const rows: Row[] = [];
try {
  for (const readers of values.readers.split(",").map(Number))
    for (const server of servers) rows.push(await measure(server, readers));
} finally {
  for (const { process: child } of [...servers, source]) child.kill();
}

if (values.json === true) process.stdout.write(`${JSON.stringify(rows)}\n`);
else {
  process.stdout.write(
    `\nOne camera of 4 Mbit/s to many readers over TCP, ${SECONDS} s each. ${cpus()[0]?.model ?? ""}\n\n`,
  );
  process.stdout.write(line(["", "readers", "CPU s/Gbit", "Gbit/s", "later p50 ms", "p99 ms", "first p95 ms", "MB"]));
  for (const row of rows)
    process.stdout.write(
      line([
        row.server,
        ...[row.readers, row.cpuSecondsPerGbit, row.gbitPerSecond, row.latencyMs.p50, row.latencyMs.p99].map(String),
        ...[row.firstMs.p95, row.megabytes].map(String),
      ]),
    );
}
