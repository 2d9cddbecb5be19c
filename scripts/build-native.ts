import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

// Builds what is in C or C++ where its product is missing or older than its source. Each is an extra: where there is no compiler, no header
// of Node.js or of the library, or no Linux, this says so and succeeds, and the product does without. Packages run no scripts when they are
// installed (.npmrc), so that the one with a part in C++ is built here too.

interface Extra {
  /** What people call its product. */
  readonly words: string;
  readonly sources: readonly string[];
  readonly product: string;
  readonly compiler: string;
  readonly flags: readonly string[];
  /** Of the system, and Debian's package that they and their headers are in. */
  readonly libraries: readonly string[];
  readonly package: string;
}

const root = join(import.meta.dirname, "..");

/** One source in `native/`. */
function own(name: string, more: Pick<Extra, "words" | "libraries" | "package">): Extra {
  return {
    ...more,
    sources: [join(root, `native/${name}.c`)],
    product: join(root, `native/build/${name}.node`),
    compiler: process.env["CC"] ?? "cc",
    flags: ["-std=c11", "-Wall", "-Wextra", "-Werror"],
  };
}

/** The package's own build file (binding.gyp) names no more than this. */
function pkcs11(): Extra {
  const folder = join(root, "node_modules/pkcs11js");
  return {
    words: "The part for PKCS#11 tokens",
    sources: ["dl", "common", "main"].map((name) => join(folder, `src/${name}.cpp`)),
    product: join(folder, "build/Release/pkcs11.node"),
    compiler: process.env["CXX"] ?? "c++",
    flags: ["-std=c++17", "-I", join(folder, "includes"), "-DNAPI_DISABLE_CPP_EXCEPTIONS", "-DBUILDING_NODE_EXTENSION"],
    libraries: [],
    package: "g++",
  };
}

const EXTRAS: readonly Extra[] = [
  own("sender", { words: "The native sender", libraries: [], package: "libc6-dev" }),
  // OpenSSL's symbols are those of the running Node.js; where it has none to show, the product does not load.
  own("gcm", { words: "The native cipher", libraries: [], package: "libssl-dev" }),
  own("gssapi", {
    words: "The part for log-ins by Kerberos",
    libraries: ["-lgssapi_krb5"],
    package: "libkrb5-dev",
  }),
  pkcs11(),
];

/** Beside the running Node.js: the one from npm brings them along, and so do its archives and packages. */
const headers = join(dirname(process.execPath), "../include/node");

const FLAGS = ["-O2", "-shared", "-fPIC", "-fvisibility=hidden"];
/** Some compilers have it defined already (Ubuntu's as 3), and to define it once more is an error here. */
const HARDENING = ["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-Wl,-z,relro,-z,now"];

/** Undefined when it was built, or why not. */
function build(extra: Extra): string | undefined {
  if (process.platform !== "linux") return `it is for Linux, and this is ${process.platform}`;
  if (!existsSync(join(headers, "node_api.h"))) return `there is no node_api.h in ${headers}`;
  const { compiler, flags, sources, product, libraries } = extra;
  mkdirSync(dirname(product), { recursive: true });
  // Written beside and renamed: who runs already keeps what it has.
  const draft = `${product}.${process.pid}`;
  const { error, status, stderr } = spawnSync(
    compiler,
    [...FLAGS, ...flags, ...HARDENING, "-I", headers, "-o", draft, ...sources, ...libraries],
    { encoding: "utf8" },
  );
  if (error !== undefined) return `${compiler} cannot be started: ${error.message}`;
  const [, header] = /([\w/]+\.h): No such file/.exec(stderr) ?? [];
  if (header !== undefined) return `there is no ${header}, which Debian has in ${extra.package}`;
  if (status !== 0) return `${compiler} failed:\n${stderr}`;
  renameSync(draft, product);
  return undefined;
}

for (const extra of EXTRAS) {
  // Of an optional package that is not installed there is nothing to say.
  if (!extra.sources.every((source) => existsSync(source))) continue;
  const built = statSync(extra.product, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (extra.sources.every((source) => built >= statSync(source).mtimeMs)) continue;
  const why = build(extra);
  process.stdout.write(
    why === undefined
      ? `${extra.words} is built.\n`
      : `${extra.words} is not built, and Viaduct does without it: ${why}\n`,
  );
}
