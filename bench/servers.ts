import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { pause } from "./usage.ts";

/** The folder of the C programs `floor`, `floortls` and `rtspload`, for those who have them. */
export const FLOOR = process.env["VIADUCT_FLOOR"];

/** How readers take a stream. */
export type Way = "tcp" | "tls" | "udp";

/** A relay that is measured. */
export interface Server {
  readonly name: string;
  readonly url: string;
  readonly process: ChildProcess;
}

/** Starts one of this folder's programs, and waits for what it tells. */
export async function own<T>(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<T & { readonly process: ChildProcess }> {
  const child = fork(join(import.meta.dirname, file), [...args], {
    env: { ...process.env, ...env },
    // As bin/viaduct starts the bridge.
    execArgv: ["--max-semi-space-size=4", "--heap-growing-percent=150"],
  });
  const told = (await Promise.race([once(child, "message"), once(child, "exit")])) as [T | number];
  if (typeof told[0] === "number") throw new Error(`${file} ends with ${told[0]}`);
  return { ...told[0], process: child };
}

/** Viaduct's own way from a camera to its readers, in a process that does nothing else; by Node.js alone, if so wished. */
export async function viaduct(camera: string, folder: string, native: boolean): Promise<Record<Way, Server>> {
  const env = native ? {} : { VIADUCT_NATIVE: "off" };
  const bridge = await own<Record<"port" | "tlsPort", number>>("relay-bridge.ts", [camera, folder], env);
  const name = native ? "Viaduct" : "Viaduct, no native";
  const server = (scheme: string, port: number): Server => ({
    name,
    url: `${scheme}://127.0.0.1:${port}/live/bench`,
    process: bridge.process,
  });
  const plain = server("rtsp", bridge.port);
  return { tcp: plain, udp: plain, tls: server("rtsps", bridge.tlsPort) };
}

const FLOORS: Readonly<Record<Way, { readonly program: string; readonly mode: string }>> = {
  tcp: { program: "floor", mode: "writev" },
  tls: { program: "floortls", mode: "au" },
  udp: { program: "floor", mode: "gsommsg" },
};

/** A C program of one thread that does the same calls for each picture and reader, and nothing else. */
export async function floor(way: Way, cameraPort: number, folder: string): Promise<Server | undefined> {
  const { program, mode } = FLOORS[way];
  const file = FLOOR === undefined ? "" : join(FLOOR, program);
  if (!existsSync(file)) return undefined;
  const port = await freePort();
  const child = spawn(file, [`127.0.0.1:${cameraPort}/cam`, String(port), mode], {
    stdio: "ignore",
    env: { ...process.env, CERT: join(folder, "tls-cert.pem"), KEY: join(folder, "tls-key.pem") },
  });
  await pause(1000);
  const scheme = way === "tls" ? "rtsps" : "rtsp";
  return child.exitCode === null
    ? { name: "C floor", url: `${scheme}://127.0.0.1:${port}/cam`, process: child }
    : undefined;
}

/** Free at this moment, for a program that has to be told one. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const DEBIAN_PYTHON = "/usr/bin/python3";

/** GStreamer's RTSP server as a relay, where Debian's packages are there. */
export async function gstreamer(camera: string): Promise<Server | undefined> {
  if (!existsSync(DEBIAN_PYTHON)) return undefined;
  const child = spawn(DEBIAN_PYTHON, [join(import.meta.dirname, "gst-relay.py"), camera], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  child.once("error", () => undefined);
  const port = await toldPort(child.stdout);
  // One that runs and is not measured would keep the measurement from ending.
  if (port === undefined) child.kill();
  return port === undefined ? undefined : { name: "GStreamer", url: `rtsp://127.0.0.1:${port}/live`, process: child };
}

/** From the line that says it: libraries may print others before. Undefined where the program ends without. */
async function toldPort(output: Readable): Promise<string | undefined> {
  for await (const line of createInterface({ input: output })) {
    const [, port] = /^port (\d+)$/.exec(line) ?? [];
    if (port !== undefined) return port;
  }
  return undefined;
}
