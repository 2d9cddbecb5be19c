import type { Audit, AuditEntry } from "../auth/audit.ts";
import type { SentTo } from "../auth/second-factors.ts";
import { attempt } from "./attempt.ts";

/**
 * Sends a code of a second factor to whom the entry names, and audits that one was sent, or why not. Undefined where `send` had none to
 * send. Failures have the `subject` of the entry; those without one are summed up. Faults: those of `send`.
 */
export async function sendCode<T extends SentTo | undefined>(
  audit: Audit,
  entry: Pick<AuditEntry, "who" | "subject" | "interface" | "address">,
  send: () => Promise<T>,
  whyOf?: (error: unknown) => string,
): Promise<T> {
  const named = { ...entry, action: "send-code" };
  const sent = await attempt(audit, named, send, whyOf);
  if (sent !== undefined) audit.record({ ...named, subject: entry.who, outcome: "allowed" });
  return sent;
}
