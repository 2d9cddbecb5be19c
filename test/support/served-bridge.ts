import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { startTestBridge, type TestBridge } from "./bridge.ts";

const VIADUCT = join(import.meta.dirname, "../../bin/viaduct.ts");

/** `viaduct serve` as a process of its own, with one simulated camera that it records in segments of ten seconds. */
export interface ServedBridge {
  /** The bridge by which the camera was adopted; it is closed. */
  readonly t: TestBridge;
  readonly recordings: string;
  /** Begins to serve. The caller ends it. */
  serve(env?: NodeJS.ProcessEnv): ChildProcess;
  /** Files of recordings, finished and not, sorted; relative to `recordings`. */
  segments(): Promise<readonly string[]>;
  /** Runs another command with the same configuration; resolves with its exit code and all that it printed. */
  viaduct(...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }>;
}

/** Close `t` after use. */
export async function adoptedBridge(): Promise<ServedBridge> {
  const t = await startTestBridge();
  await t.adopt(await t.camera({ name: "Gate" }));
  await t.bridge.close();
  const recordings = join(t.folder, "recordings");
  const config = join(t.folder, "viaduct.yaml");
  await writeFile(
    config,
    stringify({
      dataFolder: t.folder,
      cameraSide: { interfaces: [t.cameraNetwork] },
      clientSide: { addresses: ["127.0.0.1"], web: { port: 0 }, rtsps: { port: 0 } },
      recording: { segmentSeconds: 10 },
    }),
  );
  return {
    t,
    recordings,
    serve: (env = process.env) =>
      spawn(process.execPath, [VIADUCT, "serve", "--config", config], { stdio: "ignore", env }),
    async segments() {
      return (await readdir(recordings, { recursive: true })).filter((name) => /\.mp4(?:\.part)?$/.test(name)).sort();
    },
    async viaduct(...args) {
      const child = spawn(process.execPath, [VIADUCT, ...args, "--config", config]);
      const chunks: Buffer[] = [];
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      const [code] = (await once(child, "close")) as [number];
      return { code, said: Buffer.concat(chunks).toString() };
    },
  };
}
