import { readFile, stat } from "node:fs/promises";
import { Fault } from "../base/fault.ts";
import { Secret } from "../base/secret.ts";

/** Longer is no password, but some other file. */
const MAX_BYTES = 1024;
const READABLE_BY_ALL = 0o004;

/** The first line of a file with a password. Read at each use, so that a changed one counts at once. Fault `unavailable`, naming `setting`. */
export async function passwordIn(file: string, setting: string): Promise<Secret> {
  const refuse = (why: string, cause?: unknown): Fault => {
    const tell = `${setting}: ${file} ${why}`;
    return new Fault("unavailable", tell, { tell, cause });
  };
  let text: string;
  try {
    const { mode, size } = await stat(file);
    if ((mode & READABLE_BY_ALL) !== 0) throw refuse("can be read by everybody on this machine: chmod o-r");
    if (size > MAX_BYTES) throw refuse("is too long for a password");
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw cause instanceof Fault ? cause : refuse(`cannot be read: ${(cause as Error).message}`, cause);
  }
  const [line = ""] = text.split(/\r?\n/, 1);
  if (line === "") throw refuse("is empty");
  return new Secret(line);
}
