import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect } from "chai";
import type { Context } from "mocha";
import { leaveOut, missing, peer } from "./peer.ts";

/** Debian's SoftHSM: a PKCS#11 token in files. */
const MODULE = "/usr/lib/softhsm/libsofthsm2.so";

/** A token of SoftHSM in a folder, named `site`, and OpenSC's tool to look into it. */
export interface SoftToken {
  readonly module: string;
  readonly pin: string;
  /** What programs need in their environment to see it. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `pkcs11-tool` with the library; logged in unless `pin` is null. Its output; fails with what it says. */
  tool(args: readonly string[], pin?: string | null): Promise<string>;
}

/** Makes the token, or skips the test. */
export async function softToken(context: Context, folder: string): Promise<SoftToken> {
  if (!existsSync(MODULE)) return missing(context, "SoftHSM");
  const [maker, tool] = [peer(context, "softhsm2-util"), peer(context, "pkcs11-tool")];
  try {
    createRequire(import.meta.url)("pkcs11js");
  } catch {
    return leaveOut(context, "the part for PKCS#11 tokens is not built (npm run build)");
  }
  const [tokens, conf] = [join(folder, "tokens"), join(folder, "softhsm2.conf")];
  await mkdir(tokens, { recursive: true });
  await writeFile(conf, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const [env, pin] = [{ SOFTHSM2_CONF: conf }, "482913"];
  const made = await maker.run(["--init-token", "--free", "--label", "site", "--pin", pin, "--so-pin", "71839264"], {
    env,
  });
  expect(made.code, made.stderr).to.equal(0);
  return {
    module: MODULE,
    pin,
    env,
    async tool(args, as = pin) {
      const logIn = as === null ? [] : ["--login", "--pin", as];
      const done = await tool.run(["--module", MODULE, "--token-label", "site", ...logIn, ...args], { env });
      expect(done.code, done.stderr).to.equal(0);
      return done.stdout.toString();
    },
  };
}
