import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "./manifest.ts";

/** Where the manifest stands in the page. */
const PLACE = '"the manifest"';

/** A page that plays the films beside it and shows the manifest, from a file, without a network: all that it needs is in it. */
export async function viewerOf(manifest: Manifest): Promise<string> {
  const page = await readFile(join(import.meta.dirname, "viewer.html"), "utf8");
  // Nothing in the manifest may end the element that it stands in.
  return page.replace(PLACE, () => JSON.stringify(manifest).replaceAll("<", "\\u003c"));
}
