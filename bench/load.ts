import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { quantile } from "./figures.ts";
import { FLOOR, own, type Server, type Way } from "./servers.ts";
import { pause, usageOf } from "./usage.ts";

/** What is to be measured of a server. */
export interface Case {
  readonly way: Way;
  readonly readers: number;
  /** Of them, that stop reading once they play. */
  readonly stopped: number;
  readonly seconds: number;
}

export interface Figures {
  readonly cpuSecondsPerGbit: number;
  readonly gbitPerSecond: number;
  /** From the source's sending to the reader's having it. */
  readonly laterMs: { readonly p50: number; readonly p99: number };
  /** From PLAY on: to the first byte, of 95 in 100 readers; of the C client to the first key frame, of the slowest of those that look. */
  readonly firstMs: number;
  readonly megabytes: number;
  /** Packets, of the readers that look; only the C client counts them. */
  readonly lost: number;
}

/** Readers before measuring, and how long they settle. */
const SETTLE_SECONDS = 2;
/** Of the C client's readers, that look at every packet. */
const LOOKING = 10;

/** Loads `server` with readers that throw away what they get, and measures both: with the C client where it is there, or our own. */
export function load(server: Server, what: Case): Promise<Figures> {
  const program = FLOOR === undefined ? "" : join(FLOOR, "rtspload");
  return existsSync(program) ? loadInC(program, server, what) : loadOurselves(server, what);
}

interface Look {
  readonly bytes: number;
  readonly ages: readonly number[];
  readonly firstMs: readonly number[];
}

async function loadOurselves(server: Server, { way, readers, stopped, seconds }: Case): Promise<Figures> {
  const client = await own("relay-load.ts", [server.url, way, String(readers), String(stopped)]);
  const look = async (): Promise<Look> => {
    client.process.send("look");
    return ((await once(client.process, "message")) as [Look])[0];
  };
  await pause(SETTLE_SECONDS * 1000);
  const pid = server.process.pid ?? 0;
  const { firstMs, bytes: before } = await look();
  const used = usageOf(pid);
  await pause(seconds * 1000);
  const after = usageOf(pid);
  const { bytes, ages } = await look();
  client.process.kill();
  await once(client.process, "exit");
  const gbit = ((bytes - before) * 8) / 1e9;
  return {
    cpuSecondsPerGbit: (after.cpuSeconds - used.cpuSeconds) / gbit,
    gbitPerSecond: gbit / seconds,
    laterMs: { p50: quantile(ages, 0.5), p99: quantile(ages, 0.99) },
    firstMs: quantile(firstMs, 0.95),
    megabytes: after.megabytes,
    lost: Number.NaN,
  };
}

async function loadInC(program: string, server: Server, what: Case): Promise<Figures> {
  const options = {
    u: server.url,
    n: what.readers,
    f: LOOKING,
    t: what.way === "udp" ? "udp" : "tcp",
    d: what.seconds,
    w: SETTLE_SECONDS,
    p: server.process.pid ?? 0,
    g: 50,
    S: what.stopped,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`-${name}`, String(value)]);
  // Both sides of the comparison with the same cipher.
  const client = spawn(program, [...args, "-q", "-A"], { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  client.stdout.on("data", (chunk: Buffer) => {
    out += String(chunk);
  });
  await once(client, "close");
  const told = JSON.parse(out.replaceAll(/:-?nan/g, ":null")) as Readonly<Record<string, number | null>>;
  const figure = (name: string): number => told[name] ?? Number.NaN;
  if (figure("playing") < what.readers) throw new Error(`${server.name}: ${figure("playing")} of ${what.readers} play`);
  return {
    cpuSecondsPerGbit: figure("cpu_s_per_gbit"),
    gbitPerSecond: figure("gbit_s"),
    laterMs: { p50: figure("lat_p50_ms"), p99: figure("lat_p99_ms") },
    firstMs: figure("first_pic_ms_max"),
    megabytes: figure("rss_mb"),
    lost: figure("lost"),
  };
}
