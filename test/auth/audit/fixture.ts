import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditLog, type AuditLogOptions } from "../../../auth/audit/log.ts";
import type { AuditEntry } from "../../../auth/audit.ts";
import { silentLog } from "../../../base/log.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

export const ENTRY: AuditEntry = { who: "vms", action: "live", camera: "cam1", interface: "rtsp", outcome: "allowed" };

export const KEY = generateKeyPairSync("ed25519").privateKey;

/** A data folder with nothing but an audit log. */
export interface AuditSite {
  readonly folder: string;
  /** The file that is written. */
  readonly file: string;
  readonly clock: VirtualClock;
  open(options?: Partial<AuditLogOptions>): AuditLog;
  /** One start of the bridge, in which each of these did something. */
  write(...names: readonly string[]): void;
  lines(file?: string): string[];
  entries(): Record<string, unknown>[];
  /** Writes the file anew. */
  put(lines: readonly string[]): void;
  close(): Promise<void>;
}

export async function auditSite(): Promise<AuditSite> {
  const folder = await mkdtemp(join(tmpdir(), "viaduct-audit-"));
  const file = join(folder, "audit.log");
  const clock = new VirtualClock();
  const open = (options: Partial<AuditLogOptions> = {}): AuditLog =>
    AuditLog.open({ file, clock, log: silentLog(), privateKey: KEY, ...options });
  const lines = (of = file): string[] => readFileSync(of, "utf8").trimEnd().split("\n");
  return {
    folder,
    file,
    clock,
    open,
    write(...names) {
      const audit = open();
      for (const who of names) audit.record({ ...ENTRY, who });
      audit.close();
    },
    lines,
    entries: () => lines().map((line) => JSON.parse(line) as Record<string, unknown>),
    put: (all) => writeFileSync(file, `${all.join("\n")}\n`),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
