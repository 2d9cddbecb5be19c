import type { Audit, AuditEntry } from "../auth/audit.ts";
import { asFault } from "../base/fault.ts";

/** Does what credentials decide. Where it fails, the audit log has it, except while attempts are throttled. */
export async function attempt<T>(
  audit: Audit,
  entry: Omit<AuditEntry, "outcome" | "why">,
  act: () => Promise<T>,
  whyOf: (error: unknown) => string = (error) => asFault(error).kind,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    // A throttled attempt is refused unread: with a name of its own each time, a stranger could fill the disk with them.
    if (asFault(error).kind !== "busy") audit.record({ ...entry, outcome: "failed", why: whyOf(error) });
    throw error;
  }
}
