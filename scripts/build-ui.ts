import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";

const ui = join(import.meta.dirname, "../web/ui");

/** Builds the pages where they are missing or older than their sources; says nothing when there is nothing to do. */
const newestSource = Math.max(
  ...globSync("{*,pages/**/*}.{ts,tsx,css,html,svg}", { cwd: ui }).map((file) => statSync(join(ui, file)).mtimeMs),
);
const built = statSync(join(ui, "dist/index.html"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (built < newestSource) {
  await build({ configFile: join(ui, "vite.config.ts") });
  process.stdout.write("The pages are built.\n");
}
