import type { X509Certificate } from "node:crypto";
import type { Router } from "@koa/router";
import Koa from "koa";
import { demand } from "../auth/access.ts";
import type { Accounts } from "../auth/accounts.ts";
import type { ApiTokens } from "../auth/api-tokens.ts";
import type { Approvals } from "../auth/approvals.ts";
import type { SecondFactors } from "../auth/second-factors.ts";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { AuditTrail } from "../bridge/bridge.ts";
import type { Exports } from "../bridge/client-side/exports/exports.ts";
import type { HttpPart } from "../bridge/client-side/front-door.ts";
import type { Refusals } from "../bridge/client-side/refusals.ts";
import type { DirectoryDesk } from "../bridge/directory/desk.ts";
import type { KerberosLogIns } from "../bridge/directory/kerberos.ts";
import type { NtlmLogIns } from "../bridge/directory/ntlm.ts";
import type { EdgeFetches } from "../bridge/edge-fetches.ts";
import { peerOf } from "../net/http.ts";
import type { Archive } from "../recorder/archive.ts";
import { readJson } from "./body.ts";
import { Entrance } from "./entrance.ts";
import { answerFaults } from "./faults.ts";
import { sameOriginOnly, securityHeaders } from "./headers.ts";
import { askerOf } from "./managed-by.ts";
import { servePage } from "./pages.ts";
import { type About, aboutRoutes } from "./routes/about.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { approvalRoutes } from "./routes/approvals.ts";
import { armingRoutes } from "./routes/arming.ts";
import { auditRoutes } from "./routes/audit.ts";
import { type AddressesOf, cameraRoutes } from "./routes/cameras.ts";
import { computerLogInRoutes } from "./routes/computer-log-in.ts";
import { directoryRoutes } from "./routes/directory.ts";
import { discoveryRoutes } from "./routes/discovery.ts";
import { exportRoutes } from "./routes/exports.ts";
import { factorRoutes } from "./routes/factors.ts";
import { fetchRoutes } from "./routes/fetches.ts";
import { footageRoutes } from "./routes/footage.ts";
import { passwordRoutes } from "./routes/password.ts";
import { presetRoutes } from "./routes/presets.ts";
import { refusalRoutes } from "./routes/refusals.ts";
import { rightsRoutes } from "./routes/rights.ts";
import { sessionRoutes } from "./routes/session.ts";
import { signatureRoutes } from "./routes/signatures.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { volumeRoutes } from "./routes/volumes.ts";
import { Sockets, type SocketsOptions } from "./sockets.ts";
import { doorOf, type Need, type WebState } from "./state.ts";
import { bearerOf, visitorOf } from "./visitor.ts";

/** What the pages are made of. */
export interface WebOptions extends SocketsOptions {
  readonly accounts: Accounts;
  readonly factors: SecondFactors;
  readonly tokens: ApiTokens;
  readonly approvals: Approvals;
  readonly clock: Clock;
  /** The folder of the built pages. */
  readonly pages: string;
  readonly exports: Exports;
  readonly fetches: EdgeFetches;
  readonly addressesOf: AddressesOf;
  readonly archive: Pick<
    Archive,
    "gaps" | "spans" | "fetchedSpans" | "journal" | "place" | "volumes" | "unnamedVolumes" | "forgetVolume"
  >;
  /** Whose cameras' signatures are trusted; anybody's where absent. */
  readonly cameraMakers?: readonly X509Certificate[] | undefined;
  readonly about: About;
  readonly refusals: Pick<Refusals, "list">;
  readonly auditTrail: AuditTrail;
  readonly desk: DirectoryDesk;
  /** Absent where they are off. */
  readonly kerberos?: Pick<KerberosLogIns, "prove"> | undefined;
  readonly ntlm?: Pick<NtlmLogIns, "step"> | undefined;
}

/** The installers' and administrators' interface: pages, their API, live pictures and events over WebSocket. */
export function createWeb(o: WebOptions): HttpPart & { close(): void } {
  const app = new Koa<WebState>();
  app.silent = true;
  app.use(securityHeaders);
  app.use(answerFaults(o.log));
  app.use(sameOriginOnly);
  app.use(async (ctx, next) => {
    await readJson(ctx.req);
    // RFC 6750 3: for the answer to a token that is not taken.
    if (bearerOf(ctx.req) !== undefined) ctx.set("www-authenticate", 'Bearer realm="Viaduct", error="invalid_token"');
    const visitor = await visitorOf(ctx.req, o);
    ctx.remove("www-authenticate");
    if (visitor !== undefined) Object.assign(ctx.state, { principal: visitor.who, door: visitor.door });
    await next();
  });
  const need: Need = (right) => async (ctx, next) => {
    const { principal } = ctx.state;
    if (principal === undefined) throw new Fault("unauthenticated", "no session", { tell: "Log in first." });
    demand(o.audit, principal, { right, interface: doorOf(ctx), address: peerOf(ctx.req.socket).address });
    await next();
  };
  for (const router of routersOf(o, need)) app.use(router.routes());
  app.use((ctx) => {
    if (ctx.path.startsWith("/api/")) throw new Fault("not-found", ctx.path);
    servePage(ctx, o.pages);
  });

  const sockets = new Sockets(o);
  const callback = app.callback();
  return {
    handle: (request, response) => callback(request, response),
    upgrade: (request, socket, head) => sockets.upgrade(request, socket, head),
    close() {
      sockets.close();
      o.sessions.close();
    },
  };
}

/** The whole API. `need` stands in front of each route that is not for everybody. */
export function routersOf(o: WebOptions, need: Need): readonly Router<WebState>[] {
  const ofAccounts = { ...o, cameras: o.watch, now: () => o.clock.now(), need };
  const entrance = new Entrance(o);
  return [
    sessionRoutes({ ...o, entrance, peerOf: (ctx) => peerOf(ctx.req.socket) }),
    computerLogInRoutes({ ...o, entrance, peerOf: (ctx) => peerOf(ctx.req.socket) }),
    passwordRoutes({ ...o, peerOf: (ctx) => peerOf(ctx.req.socket) }),
    factorRoutes({ ...o, need, peerOf: (ctx) => peerOf(ctx.req.socket) }),
    tokenRoutes({ ...o, need, peerOf: (ctx) => peerOf(ctx.req.socket) }),
    aboutRoutes(o.about),
    cameraRoutes({ ...o, need }),
    footageRoutes(o),
    signatureRoutes(o),
    presetRoutes(o),
    fetchRoutes(o),
    volumeRoutes({ ...o, need }),
    discoveryRoutes({ ...o, need }),
    directoryRoutes({ desk: o.desk, need, manager: askerOf }),
    exportRoutes({ exports: o.exports, peerOf: (ctx) => peerOf(ctx.req.socket) }),
    accountRoutes(ofAccounts),
    armingRoutes(ofAccounts),
    rightsRoutes(ofAccounts),
    approvalRoutes({ ...o, need }),
    auditRoutes({ ...o, need }),
    refusalRoutes(o.refusals, need),
  ];
}
