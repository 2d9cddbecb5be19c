import { open, rm } from "node:fs/promises";
import { Fault } from "../base/fault.ts";
import { decryptSegment } from "../recorder/decrypt.ts";
import { diskFiles } from "../recorder/files.ts";
import { type DataOptions, openFolder } from "./data.ts";
import { readSettings } from "./settings-file.ts";

export interface DecryptOptions extends DataOptions {
  readonly out: string;
}

/** Writes one segment without its encryption, as an MP4 that any player reads. */
export async function decrypt(file: string, options: DecryptOptions): Promise<void> {
  const folder = await openFolder(await readSettings(options.config), options.passphraseFd);
  try {
    const segment = await diskFiles.open(file, "read").catch(unusable(file));
    try {
      const out = await open(options.out, "wx", 0o600).catch(unusable(options.out));
      try {
        for await (const bytes of decryptSegment(segment, folder.keys)) await out.writeFile(bytes);
      } catch (cause) {
        // What is there is not the recording, and would pass for it.
        await rm(options.out, { force: true });
        if (!(cause instanceof Fault)) throw cause;
        throw new Fault(cause.kind, `${file}: ${cause.message}`, { tell: `${file}: ${cause.message}`, cause });
      } finally {
        await out.close();
      }
    } finally {
      await segment.close();
    }
  } finally {
    await folder.close();
  }
  process.stdout.write(`${options.out} is written, without encryption.\n`);
}

function unusable(file: string): (cause: unknown) => never {
  return (cause) => {
    const tell = `cannot use ${file}: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  };
}
