import { userInfo } from "node:os";

/** Who works with the commands, for the audit log: the user of this machine, by number where it has no name, as in containers. */
export function operator(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
