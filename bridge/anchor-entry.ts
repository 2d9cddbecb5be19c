import type { AuditEntry } from "../auth/audit.ts";
import type { AnchorName } from "../recorder/anchor.ts";

const ACTION = "anchor-recordings";
const SUBJECT = /^(\d{1,15}) ([0-9a-f]{64})$/;

/** What the audit log has of an anchor, so that whoever is sent the log keeps it. */
export function anchorEntry({ seq, hash }: AnchorName): AuditEntry {
  return { who: "viaduct", action: ACTION, interface: "bridge", outcome: "allowed", subject: `${seq} ${hash}` };
}

/** The anchor that a line of the audit log names, also where syslog stands before it; undefined for other lines. */
export function anchorIn(line: string): AnchorName | undefined {
  const begin = line.indexOf('{"seq":');
  if (begin < 0 || !line.includes(`"${ACTION}"`)) return undefined;
  try {
    const { action, subject } = JSON.parse(line.slice(begin)) as Readonly<Record<string, unknown>>;
    const [, seq, hash] = SUBJECT.exec(action === ACTION ? String(subject) : "") ?? [];
    return seq === undefined || hash === undefined ? undefined : { seq: Number(seq), hash };
  } catch {
    return undefined;
  }
}
