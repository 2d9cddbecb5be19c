import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

// Builds what is in C where its product is missing or older than its source. Each is an extra: where there is no C compiler, no header of
// Node.js or of the library, or no Linux, this says so and succeeds, and the product does without.

/** A source in `native/`. */
interface Extra {
  readonly name: string;
  /** What people call its product. */
  readonly words: string;
  /** Of the system, and Debian's package that they and their headers are in. */
  readonly libraries: readonly string[];
  readonly package: string;
}

const EXTRAS: readonly Extra[] = [
  { name: "sender", words: "The native sender", libraries: [], package: "libc6-dev" },
  { name: "gssapi", words: "The part for log-ins by Kerberos", libraries: ["-lgssapi_krb5"], package: "libkrb5-dev" },
];

const folder = join(import.meta.dirname, "../native");
const productOf = ({ name }: Extra): string => join(folder, `build/${name}.node`);
const sourceOf = ({ name }: Extra): string => join(folder, `${name}.c`);
/** Beside the running Node.js: the one from npm brings them along, and so do its archives and packages. */
const headers = join(dirname(process.execPath), "../include/node");
const compiler = process.env["CC"] ?? "cc";

const FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"];
/** Some compilers have it defined already (Ubuntu's as 3), and to define it once more is an error here. */
const HARDENING = ["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-Wl,-z,relro,-z,now"];

/** Undefined when it was built, or why not. */
function build(extra: Extra): string | undefined {
  if (process.platform !== "linux") return `it is for Linux, and this is ${process.platform}`;
  if (!existsSync(join(headers, "node_api.h"))) return `there is no node_api.h in ${headers}`;
  const product = productOf(extra);
  mkdirSync(dirname(product), { recursive: true });
  // Written beside and renamed: who runs already keeps what it has.
  const draft = `${product}.${process.pid}`;
  const { error, status, stderr } = spawnSync(
    compiler,
    [...FLAGS, ...HARDENING, "-I", headers, "-o", draft, sourceOf(extra), ...extra.libraries],
    { encoding: "utf8" },
  );
  if (error !== undefined) return `the C compiler cannot be started: ${error.message}`;
  const [, header] = /([\w/]+\.h): No such file/.exec(stderr) ?? [];
  if (header !== undefined) return `there is no ${header}, which Debian has in ${extra.package}`;
  if (status !== 0) return `the C compiler failed:\n${stderr}`;
  renameSync(draft, product);
  return undefined;
}

for (const extra of EXTRAS) {
  const built = statSync(productOf(extra), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built >= statSync(sourceOf(extra)).mtimeMs) continue;
  const why = build(extra);
  process.stdout.write(
    why === undefined
      ? `${extra.words} is built.\n`
      : `${extra.words} is not built, and Viaduct does without it: ${why}\n`,
  );
}
