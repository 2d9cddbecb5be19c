import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

// Builds the native sender where its product is missing or older than its source. It is an extra: where there is no C compiler, no
// header of Node.js, or no Linux, this says so and succeeds, and the product does without.

const folder = join(import.meta.dirname, "../native");
const source = join(folder, "sender.c");
const product = join(folder, "build/sender.node");
/** Beside the running Node.js: the one from npm brings them along, and so do its archives and packages. */
const headers = join(dirname(process.execPath), "../include/node");
const compiler = process.env["CC"] ?? "cc";

const FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"];
const HARDENING = ["-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-Wl,-z,relro,-z,now"];

/** Undefined when it was built, or why not. */
function build(): string | undefined {
  if (process.platform !== "linux") return `it is for Linux, and this is ${process.platform}`;
  if (!existsSync(join(headers, "node_api.h"))) return `there is no node_api.h in ${headers}`;
  mkdirSync(dirname(product), { recursive: true });
  // Written beside and renamed: who runs already keeps what it has.
  const draft = `${product}.${process.pid}`;
  const { error, status, stderr } = spawnSync(compiler, [...FLAGS, ...HARDENING, "-I", headers, "-o", draft, source], {
    encoding: "utf8",
  });
  if (error !== undefined) return `the C compiler cannot be started: ${error.message}`;
  if (status !== 0) return `the C compiler failed:\n${stderr}`;
  renameSync(draft, product);
  return undefined;
}

const built = statSync(product, { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (built < statSync(source).mtimeMs) {
  const why = build();
  process.stdout.write(
    why === undefined
      ? "The native sender is built.\n"
      : `The native sender is not built, and Viaduct does without it: ${why}\n`,
  );
}
