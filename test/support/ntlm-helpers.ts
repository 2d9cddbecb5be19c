import { chmod, copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SCRIPT = join(import.meta.dirname, "ntlm-helper.sh");

/** Helpers for NTLM that are not Samba's, each in a manner of its own (see the script). */
export interface FakeHelpers {
  /** The program that has the manner. */
  make(manner: string): Promise<string>;
  /** What it was asked, line by line. */
  asked(program: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function fakeHelpers(): Promise<FakeHelpers> {
  const folder = await mkdtemp(join(tmpdir(), "viaduct-ntlm-"));
  return {
    async make(manner) {
      const program = join(folder, manner);
      await copyFile(SCRIPT, program);
      await chmod(program, 0o700);
      return program;
    },
    async asked(program) {
      const text = await readFile(`${program}.asked`, "utf8").catch(() => "");
      return text.split("\n").slice(0, -1);
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
