import { once } from "node:events";
import type { Context } from "mocha";
import { type SambaChange, startSamba } from "./samba.ts";

// A domain with many people in nested groups, for what is measured outside of tests: says in one line of JSON how it is reached, makes each
// change of a line on its input and answers with an empty object, and ends with its input.
//   node test/support/samba-domain.ts PEOPLE GROUPS

const context = {
  test: undefined,
  skip(): never {
    throw new Error("Samba is not on this machine, or this is not root (scripts/install-peers.sh installs it)");
  },
} as unknown as Context;

// Whoever has started this may be gone, or be interrupted with it, while people are still made: the domain must not stay then.
const ended = once(process.stdin, "close");
const end = (): unknown => process.stdin.destroy();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, end);
process.stdout.on("error", end);

const domain = await startSamba(context);
try {
  await domain.edit(["crowd", Number(process.argv[2]), Number(process.argv[3])]);
  const { host, address, ca, account, password, base } = domain;
  process.stdout.write(`${JSON.stringify({ host, address, ca, account, password, base })}\n`);
  process.stdin.setEncoding("utf8").on("data", (lines: string) => {
    for (const line of lines.split("\n").filter((one) => one !== ""))
      void domain.edit(...(JSON.parse(line) as readonly SambaChange[])).then(
        () => process.stdout.write("{}\n"),
        (error: unknown) => process.stdin.destroy(error as Error),
      );
  });
  await ended;
} finally {
  await domain.close();
}
