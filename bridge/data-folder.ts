import { randomBytes, randomUUID } from "node:crypto";
import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import { lockFolder } from "../base/lock.ts";
import { Sealer } from "../base/seal.ts";

/** What a bridge keeps in its data folder besides databases, recordings and the audit log. */
export interface DataFolder extends Closable {
  readonly path: string;
  readonly sealer: Sealer;
  /** Names this installation to ONVIF clients for ever. */
  readonly uuid: string;
  file(name: string): string;
}

/**
 * Opens the folder, or makes it with a new master key, for one process alone. Everything in it is readable by its owner
 * only. `busy` while another process has it, `unavailable` when it cannot be used.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
  } catch (cause) {
    const tell = `cannot use ${path} as data folder: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
  const lock = lockFolder(path);
  try {
    const key = await readOrMake(join(path, "master.key"), () => `${randomBytes(32).toString("base64")}\n`);
    const uuid = await readOrMake(join(path, "device.uuid"), () => `${randomUUID()}\n`);
    return {
      path,
      sealer: new Sealer(Buffer.from(key.trim(), "base64")),
      uuid: uuid.trim(),
      file: (name) => join(path, name),
      close: () => lock.close(),
    };
  } catch (error) {
    await lock.close();
    throw error;
  }
}

/** Writes to a temporary name first: a crash leaves either nothing or the whole file. */
async function readOrMake(file: string, make: () => string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT")
      throw new Fault("unavailable", `cannot read ${file}`, { cause });
  }
  const text = make();
  const temporary = `${file}.new`;
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  return text;
}
