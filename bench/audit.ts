import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { findEntries } from "../auth/audit/find.ts";
import { AuditLog } from "../auth/audit/log.ts";
import { verifyAudit } from "../auth/audit/verify.ts";
import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { cell, table } from "./figures.ts";

const { values } = parseArgs({
  options: { entries: { type: "string", default: "1000000" }, json: { type: "boolean" }, help: { type: "boolean" } },
});

if (values.help === true) {
  process.stdout.write(`Writes an audit log, verifies it, and searches it for what is not there: microseconds an entry, with signatures,
hashes and full files put aside; seconds to verify all of it; seconds for one search through the newest 64 MiB.

  node bench/audit.ts [--entries 1000000] [--json]
`);
  process.exit(0);
}

const count = Number(values.entries);
const folder = await mkdtemp(join(tmpdir(), "viaduct-bench-audit-"));
try {
  const { privateKey } = generateKeyPairSync("ed25519");
  const file = join(folder, "audit.log");
  const audit = AuditLog.open({ file, clock: systemClock, log: silentLog(), privateKey });
  const written = await secondsOf(async () => {
    for (let n = 0; n < count; n += 1) {
      // As in a bridge, where what has been synced is heard of between requests.
      if (n % 20 === 0) await setImmediate();
      audit.record({
        who: `vms-${n % 50}`,
        action: "playback",
        camera: `camera-${n % 200}`,
        interface: "rtsp",
        outcome: "allowed",
        // Nothing is taken for a repetition.
        subject: String(n),
        address: "10.2.0.9",
        why: "role operators, line 3",
      });
    }
    audit.close();
  });
  let whole = true;
  const verified = await secondsOf(async () => {
    whole = (await verifyAudit(folder)).broken === undefined;
  });
  const searched = await secondsOf(() => findEntries(folder, { who: "nobody" }, { limit: 100 }));
  const figures = {
    entries: count,
    appendUs: (written.wall / count) * 1e6,
    appendCpuUs: (written.cpu / count) * 1e6,
    verifySeconds: verified.wall,
    verifyCpuSeconds: verified.cpu,
    searchSeconds: searched.wall,
  };
  if (values.json === true) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else
    process.stdout.write(
      table([
        ["entries", "append, µs each", "of these CPU", "verify, s", "of these CPU", "search, s"],
        [
          String(count),
          cell(figures.appendUs, 1),
          cell(figures.appendCpuUs, 1),
          cell(verified.wall, 1),
          cell(verified.cpu, 1),
          cell(searched.wall, 2),
        ],
      ]),
    );
  if (!whole) throw new Error("the log that was just written does not verify");
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** By the clock, and of the processor: on a busy machine these are far apart. */
async function secondsOf(work: () => unknown): Promise<{ readonly wall: number; readonly cpu: number }> {
  const [from, usage] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(usage);
  return { wall: (performance.now() - from) / 1000, cpu: (user + system) / 1e6 };
}
