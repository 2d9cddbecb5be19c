import { createPrivateKey } from "node:crypto";
import { AUDIT_FILE } from "../auth/audit/files.ts";
import { AuditLog, type AuditLogOptions } from "../auth/audit/log.ts";
import { DAY } from "../base/units.ts";
import type { DataFolder } from "./data-folder.ts";
import type { Settings } from "./settings.ts";

const MEGABYTE = 1e6;

/** The audit log of a data folder, signed by the key that signs recordings, where there is one yet. Faults of {@link AuditLog.open}. */
export function openAudit(
  folder: DataFolder,
  settings: Pick<Settings, "audit">,
  shared: Pick<AuditLogOptions, "clock" | "log">,
): AuditLog {
  const { maxAgeDays, maxMegabytes } = settings.audit;
  const stored = folder.keys.get("signing");
  return AuditLog.open({
    ...shared,
    file: folder.file(AUDIT_FILE),
    keep: { maxAgeMs: maxAgeDays * DAY, maxBytes: maxMegabytes * MEGABYTE },
    privateKey: stored && createPrivateKey({ key: stored, format: "der", type: "pkcs8" }),
  });
}
