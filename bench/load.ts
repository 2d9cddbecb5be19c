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

/** How long readers play before they are measured. */
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

/** What our own readers took of a server, and what that cost it. */
export interface Taken extends Look {
  readonly gbit: number;
  readonly cpuSeconds: number;
  /** Of the server, at the end. */
  readonly megabytes: number;
}

/**
 * Has our own readers play, each of the `urls` in turn, and measures the server `pid` once they have settled. `manner`: header lines for
 * PLAY. `also`: to be looked at besides, at both ends of the measured seconds. `afterwards`: what is done then, while readers still play.
 */
export async function taken(o: {
  readonly pid: number;
  readonly urls: readonly string[];
  readonly way: Way;
  readonly readers: number;
  readonly stopped?: number;
  readonly settleSeconds: number;
  readonly seconds: number;
  readonly manner?: string;
  readonly also?: () => void;
  readonly afterwards?: () => Promise<void>;
}): Promise<Taken> {
  const more = o.manner === undefined ? [] : [o.manner];
  const args = [o.urls.join(" "), o.way, String(o.readers), String(o.stopped ?? 0), ...more];
  const client = await own("relay-load.ts", args);
  const look = async (): Promise<Look> => {
    client.process.send("look");
    return ((await once(client.process, "message")) as [Look])[0];
  };
  await pause(o.settleSeconds * 1000);
  const { firstMs, bytes: before } = await look();
  o.also?.();
  const used = usageOf(o.pid);
  await pause(o.seconds * 1000);
  const { cpuSeconds, megabytes } = usageOf(o.pid);
  o.also?.();
  const { bytes, ages } = await look();
  await o.afterwards?.();
  client.process.kill();
  await once(client.process, "exit");
  const gbit = ((bytes - before) * 8) / 1e9;
  return { bytes: bytes - before, ages, firstMs, gbit, cpuSeconds: cpuSeconds - used.cpuSeconds, megabytes };
}

async function loadOurselves(server: Server, { way, readers, stopped, seconds }: Case): Promise<Figures> {
  const pid = server.process.pid ?? 0;
  const settleSeconds = SETTLE_SECONDS;
  const { gbit, cpuSeconds, megabytes, ages, firstMs } = await taken({
    pid,
    urls: [server.url],
    way,
    readers,
    stopped,
    settleSeconds,
    seconds,
  });
  return {
    cpuSecondsPerGbit: cpuSeconds / gbit,
    gbitPerSecond: gbit / seconds,
    laterMs: { p50: quantile(ages, 0.5), p99: quantile(ages, 0.99) },
    firstMs: quantile(firstMs, 0.95),
    megabytes,
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
