import type { Context, Next } from "koa";
import { Fault } from "../base/fault.ts";
import { bearerOf } from "./visitor.ts";

/** Nothing from elsewhere, nothing inline, no frames: what the pages need and no more. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "media-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The headers of every answer. Only files of the pages say otherwise about caches. */
export async function securityHeaders(ctx: Context, next: Next): Promise<void> {
  ctx.set({
    "cache-control": "no-store",
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
  });
  await next();
}

/**
 * True when a browser says that the request comes from one of our own pages. A page elsewhere cannot forge these headers;
 * a program that is not a browser sends neither, and carries no cookie that it was not given.
 */
export function fromOurPages(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  const { origin, host } = headers;
  if (origin === undefined) return true;
  if (typeof origin !== "string" || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  // A page without TLS at our name is whoever sits between.
  return page.protocol === "https:" && page.host === host;
}

/** Refuses changes that another site's page asks for. It could have a cookie sent along, and never a bearer token. */
export async function sameOriginOnly(ctx: Context, next: Next): Promise<void> {
  if (bearerOf(ctx.req) === undefined && ctx.method !== "GET" && ctx.method !== "HEAD" && !fromOurPages(ctx.headers))
    throw new Fault("denied", `cross-site ${ctx.method} ${ctx.path}`, {
      tell: "Requests from other sites are refused.",
    });
  await next();
}
