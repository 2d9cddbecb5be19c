import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** `seeds` are in the repository; what is learned and found is not. */
export type Kind = "seeds" | "corpus" | "findings";

const folderOf = (kind: Kind, target: string): string => join(import.meta.dirname, kind, target);

/** The inputs of a target, in the order of their names; none where there is no folder. */
export function inputsOf(kind: Kind, target: string): readonly (readonly [name: string, input: Buffer])[] {
  const folder = folderOf(kind, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .map((name) => [name, readFileSync(join(folder, name))] as const);
}

/** Keeps an input under a name that follows from its bytes; gives its path. */
export function keep(kind: Kind, target: string, input: Uint8Array): string {
  const folder = folderOf(kind, target);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, createHash("sha256").update(input).digest("hex").slice(0, 16));
  writeFileSync(path, input);
  return path;
}
