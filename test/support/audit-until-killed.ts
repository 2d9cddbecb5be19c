// Writes entries without end until the parent kills it. One line of output for every fifty that were written: the number of the last.
import { generateKeyPairSync } from "node:crypto";
import { writeSync } from "node:fs";
import { AuditLog } from "../../auth/audit/log.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";

const [file = ""] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync("ed25519");
const audit = AuditLog.open({ file, clock: systemClock, log: silentLog(), privateKey, fileBytes: 20_000 });
for (let count = 1; ; count += 1) {
  audit.record({
    who: "vms",
    action: "change",
    interface: "api",
    outcome: "allowed",
    subject: "x".repeat(count % 200),
  });
  if (count % 50 === 0) writeSync(1, `${audit.seq}\n`);
}
