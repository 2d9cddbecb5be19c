import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./bridge.ts";

/** Spares each of many starts the work of the one before. */
const COMPILED = { NODE_COMPILE_CACHE: join(tmpdir(), "viaduct-test-compiled") };

export const PROGRAM = join(import.meta.dirname, "../../bin/viaduct.ts");

/** What a command that ended left behind. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface CallOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs this instead of Node with `bin/viaduct.ts`. */
  readonly command?: readonly [program: string, ...args: readonly string[]];
}

/** A command that goes on until it is stopped. */
export interface Running {
  readonly pid: number | undefined;
  readonly out: () => string;
  readonly err: () => string;
  /** Waits until standard output has it. Throws when the command ends before. */
  until(text: string | RegExp): Promise<void>;
  /** Ends it, with SIGTERM unless said otherwise, and waits. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/** Runs `viaduct <args>` to its end. */
export async function viaduct(args: readonly string[], options: CallOptions = {}): Promise<Ended> {
  const { ended } = launch(args, options);
  return ended;
}

/** Starts `viaduct <args>`; the caller stops it. */
export function startViaduct(args: readonly string[], options: CallOptions = {}): Running {
  const { child, out, err, ended } = launch(args, options);
  const { pid } = child;
  let over: Ended | undefined;
  void ended.then((how) => {
    over = how;
  });
  return {
    pid,
    out,
    err,
    async until(text) {
      await eventually(
        () => over !== undefined || (typeof text === "string" ? out().includes(text) : text.test(out())),
      );
      if (over !== undefined)
        throw new Error(`viaduct ${args.join(" ")} ended with ${over.code}: ${over.out}${over.err}`);
    },
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}

function launch(args: readonly string[], { input, env, command = [process.execPath, PROGRAM] }: CallOptions) {
  const [program, ...first] = command;
  const child = spawn(program, [...first, ...args], { env: { ...COMPILED, ...process.env, ...env }, stdio: "pipe" });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const ended = once(child, "close").then(([code]): Ended => ({ code: code as number | null, out, err }));
  return { child, ended, out: () => out, err: () => err };
}

/** Writes a configuration with everything on ports of the system's choice; returns its file. */
export async function writeConfig(folder: string, more = ""): Promise<string> {
  const file = join(folder, "viaduct.yaml");
  await writeFile(
    file,
    `dataFolder: data
cameraSide: { interfaces: [127.0.0.0/30] }
clientSide: { addresses: [127.0.0.1], web: { port: 0 }, rtsps: { port: 0 } }
${more}`,
  );
  return file;
}
