import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesIn, pause, usageOf } from "./usage.ts";

// What many sites record with: one ffmpeg for each camera, that copies its stream into files of a minute, in clear.

const HOW = ["-c", "copy", "-f", "segment", "-segment_format", "mp4", "-segment_time", "60"];

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** What `count` of them have used of processors, and written, in `seconds` after they had settled; or why there is nothing to say. */
export async function ffmpegSegments(o: {
  readonly camera: string;
  readonly count: number;
  readonly settleSeconds: number;
  readonly seconds: number;
}): Promise<{ readonly cpuSeconds: number; readonly gbit: number } | { readonly missing: string }> {
  if (spawnSync("ffmpeg", ["-version"]).status !== 0) return { missing: "ffmpeg is not here" };
  const folder = await mkdtemp(join(tmpdir(), "viaduct-bench-"));
  const from = ["-nostdin", "-v", "quiet", "-rtsp_transport", "tcp", "-i", o.camera];
  const all = Array.from({ length: o.count }, (_, index) =>
    spawn("ffmpeg", [...from, ...HOW, join(folder, `cam${index + 1}-%d.mp4`)], { stdio: "ignore" }),
  );
  const look = (): { readonly cpuSeconds: number; readonly bytes: number } => {
    const cpuSeconds = all.reduce((sum, { pid }) => sum + usageOf(pid ?? 0).cpuSeconds, 0);
    return { cpuSeconds, bytes: bytesIn(folder) };
  };
  try {
    await pause(o.settleSeconds * 1000);
    if (all.some(hasEnded)) return { missing: "ffmpeg does not record this stream" };
    const before = look();
    await pause(o.seconds * 1000);
    if (all.some(hasEnded)) return { missing: "ffmpeg has stopped recording" };
    const after = look();
    return { cpuSeconds: after.cpuSeconds - before.cpuSeconds, gbit: (after.bytes - before.bytes) * 8e-9 };
  } finally {
    for (const one of all.filter((each) => !hasEnded(each))) {
      const ended = once(one, "exit");
      one.kill("SIGKILL");
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  }
}
