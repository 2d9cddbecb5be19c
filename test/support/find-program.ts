import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a program is: on the path, or by its absolute path. */
export function findProgram(program: string): string | undefined {
  if (program.startsWith("/")) return existsSync(program) ? program : undefined;
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path));
}
