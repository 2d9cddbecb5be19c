import { type Interface, type Right, SYSTEM_RIGHTS } from "./right.ts";

/** Something that somebody did, or tried to do. */
export interface AuditEntry {
  /** The account, by name, or the name that was tried. */
  readonly who: string;
  readonly action: string;
  readonly camera?: string;
  /** `bridge`: nobody asked for it just then. */
  readonly interface: Interface | "bridge";
  /** `denied`: known caller without the right. `failed`: wrong credentials, or it did not work. */
  readonly outcome: "allowed" | "denied" | "failed";
  /** Which account, role, camera group, time profile or camera was changed. Such entries are never taken for a repetition. */
  readonly subject?: string;
  /** Of a change of rights: JSON of what was, and of what is. In the log cut at 3000 characters, with the SHA-256 of the whole. */
  readonly before?: string;
  readonly after?: string;
  readonly why?: string;
  readonly address?: string;
  /** Of what ran and is over: for how long, how much was sent, and which stretch of a recording (ISO 8601). Many of them in a minute are told as one sum. */
  readonly seconds?: number;
  readonly bytes?: number;
  readonly from?: string;
  readonly to?: string;
}

export interface Audit {
  /** Never throws: what cannot be written is logged, counted, and told in the next line that can. */
  record(entry: AuditEntry): void;
  /** The last entry could not be written: what may not happen without one must not happen now. Absent: it always can. */
  readonly failing?: boolean;
}

/** What may not be done while it cannot be written down: everything with the product itself, and taking footage away. */
export function needsAudit(right: Right): boolean {
  return right === "export" || Object.hasOwn(SYSTEM_RIGHTS, right);
}
