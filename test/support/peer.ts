import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import type { Context } from "mocha";
import { findProgram } from "./find-program.ts";

/** What a finished program left behind. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const LIMITS = {
  /** For what hangs: on a busy machine, players have taken half a minute for five seconds. */
  runMs: 180_000,
};

/** A program that nobody here wrote, found on this machine. */
export interface Peer {
  readonly program: string;
  /** Runs to its end, or kills it after `limitMs`, three minutes if absent; resolves in either case (`code` is null when killed). */
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Starts it; the caller kills it. Its output is collected in `output()`. */
  start(args: readonly string[], options?: RunOptions): { readonly child: ChildProcess; output(): string };
}

export interface RunOptions {
  readonly limitMs?: number;
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  /** The caller closes its input. */
  readonly keepInput?: boolean;
}

/** Debian's own Python, which sees Debian's Python packages; another one on the path would not. */
export const DEBIAN_PYTHON = "/usr/bin/python3";

/** Skips the running test or hook for what is not on this machine. */
export function missing(context: Context, what: string): never {
  return leaveOut(context, `${what} is not on this machine (scripts/install-peers.sh installs it)`);
}

/** Skips the running test or hook, saying why; under CI nothing may be missing, so there it fails. */
export function leaveOut(context: Context, why: string): never {
  if (process.env["CI"] === "true") throw new Error(why);
  if (context.test !== undefined) context.test.title += ` [skipped: ${why}]`;
  return context.skip();
}

/** Finds `program` on the path (or by its absolute path), or skips the test. Call from `before` or from a test. */
export function peer(context: Context, program: string): Peer {
  const path = findProgram(program);
  if (path === undefined) return missing(context, program);
  return {
    program: path,
    run: (args, options) => run(path, args, options),
    start: (args, options) => start(path, args, options),
  };
}

/** Debian's Python with the named modules importable, or skips the test. */
export function pythonPeer(context: Context, ...modules: readonly string[]): Peer {
  const python = peer(context, DEBIAN_PYTHON);
  try {
    execFileSync(python.program, ["-c", modules.map((name) => `import ${name}`).join("\n")], { stdio: "ignore" });
  } catch {
    return missing(context, `Python's ${modules.join(", ")}`);
  }
  return python;
}

function start(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): { child: ChildProcess; output(): string } {
  const child = spawn(program, args, { env: { ...process.env, ...options.env }, stdio: ["pipe", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stdin.on("error", () => undefined);
  if (options.keepInput !== true) child.stdin.end(options.input);
  return { child, output: () => Buffer.concat(chunks).toString("utf8") };
}

function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...options.env }, stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input);
    const timer = setTimeout(() => child.kill("SIGKILL"), options.limitMs ?? LIMITS.runMs);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString("utf8") });
    });
  });
}
