import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { usageOf } from "./usage.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "30" }, json: { type: "boolean" }, help: { type: "boolean" } },
});

if (values.help === true) {
  process.stdout.write(`Starts the demo and measures: seconds to ready and to the first picture at a player (with ffmpeg),
then CPU and memory of the bridge alone, without the simulated cameras, while nobody watches.

  node bench/start-and-idle.ts [--seconds 30] [--json]
`);
  process.exit(0);
}

/** The process ids of every child of `pid`: the simulated cameras. */
function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task/${pid}`).includes("children")
    ? readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number)
    : [];
}

const started = performance.now();
const since = (): number => (performance.now() - started) / 1000;
const demo = spawn(process.execPath, [join(import.meta.dirname, "../bin/viaduct.ts"), "demo"], {
  stdio: ["ignore", "pipe", "inherit"],
});
const pid = demo.pid as number;
let url: string | undefined;
for await (const line of createInterface({ input: demo.stdout })) {
  url = /'(rtsp:[^']*\/live\/[^']*)'/.exec(line)?.[1];
  if (url !== undefined) break;
}
demo.stdout.resume();
if (url === undefined) throw new Error("the demo did not print an address");
const readySeconds = since();

const player = spawn(
  "ffmpeg",
  ["-v", "error", "-rtsp_transport", "tcp", "-i", url, "-frames:v", "1", "-f", "null", "-"],
  { stdio: "inherit" },
);
const firstPictureSeconds = await Promise.race([
  once(player, "exit").then(([code]) => (code === 0 ? since() : undefined)),
  once(player, "error").then(() => undefined),
]);

const settle = 5;
await new Promise((resolve) => setTimeout(resolve, settle * 1000));
const before = usageOf(pid);
const from = performance.now();
await new Promise((resolve) => setTimeout(resolve, Number(values.seconds) * 1000));
const after = usageOf(pid);
const cores = (after.cpuSeconds - before.cpuSeconds) / ((performance.now() - from) / 1000);
const cameras = childrenOf(pid).map(usageOf);
demo.kill("SIGTERM");
await once(demo, "exit");

const result = {
  readySeconds: round(readySeconds),
  firstPictureSeconds: firstPictureSeconds === undefined ? undefined : round(firstPictureSeconds),
  idleCorePercent: round(cores * 100),
  idleMegabytes: round(after.megabytes),
  simulatorMegabytes: round(cameras.reduce((sum, one) => sum + one.megabytes, 0)),
};
if (values.json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
else
  process.stdout.write(`
start to ready               ${result.readySeconds} s
start to first picture       ${result.firstPictureSeconds ?? "not measured: ffmpeg is missing or failed"} s
idle, 4 cameras recorded     ${result.idleCorePercent} % of a core, ${result.idleMegabytes} MB (without the simulators)
`);

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
