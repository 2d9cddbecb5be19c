import { createReadStream, type Stats, statSync } from "node:fs";
import { extname, join, normalize, sep } from "node:path";
import type { Context } from "koa";
import { Fault } from "../base/fault.ts";

const MEDIA_TYPE: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Built files, whose names carry a hash of their content. */
const ASSETS = "/assets/";

/** A file of the built pages in `folder`, or the start page for every other path, which the pages themselves understand. */
export function servePage(ctx: Context, folder: string): void {
  if (ctx.method !== "GET" && ctx.method !== "HEAD") throw new Fault("invalid", ctx.method, { tell: "Only GET here." });
  const wanted = normalize(join(folder, decoded(ctx.path)));
  const inside = wanted.startsWith(folder + sep) && fileAt(wanted) !== undefined;
  // A page of before an update must not take the start page for its script.
  if (!inside && ctx.path.startsWith(ASSETS)) throw new Fault("not-found", ctx.path);
  const file = inside ? wanted : join(folder, "index.html");
  const size = fileAt(file)?.size;
  if (size === undefined)
    throw new Fault("unavailable", `no pages in ${folder}`, { tell: "The pages are not built: run `npm run build`." });
  ctx.type = MEDIA_TYPE[extname(file)] ?? "application/octet-stream";
  ctx.length = size;
  ctx.set("cache-control", inside && ctx.path.startsWith(ASSETS) ? "public, max-age=31536000, immutable" : "no-cache");
  ctx.body = createReadStream(file);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new Fault("invalid", `path ${path}`, { tell: "The address is not well-formed.", cause });
  }
}

function fileAt(path: string): Stats | undefined {
  try {
    const stats = statSync(path);
    return stats.isFile() ? stats : undefined;
  } catch {
    // Whatever the system has against the name (missing, too long, a NUL in it): there is no such file.
    return undefined;
  }
}
