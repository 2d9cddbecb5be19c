import { chmod, rm } from "node:fs/promises";
import type { IncomingMessage, Server } from "node:http";
import Koa from "koa";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import type { Log } from "../base/log.ts";
import type { DirectoryDesk } from "../bridge/directory/desk.ts";
import type { EdgeFetches } from "../bridge/edge-fetches.ts";
import { createHttpServer } from "../net/http.ts";
import { answerFaults } from "./faults.ts";
import { type CommandApprovalOptions, commandApprovalRoutes } from "./routes/command-approvals.ts";
import { directoryRoutes } from "./routes/directory.ts";
import { commandFetchRoutes } from "./routes/fetches.ts";
import type { WebState } from "./state.ts";

const LIMITS = {
  /** Commands of the administrator of the machine. */
  connections: 16,
  /** What a Unix socket may be called (sun_path). */
  pathBytes: 107,
  operatorLength: 64,
} as const;

/** Who works at the command line, for the audit log. */
export const OPERATOR_HEADER = "x-viaduct-operator";

/**
 * The commands' way into a running bridge: HTTP on a socket in the data folder, which only its owner can reach, who may do everything
 * with it anyway. The data folder's lock is ours: a socket that is there was left by a crash. Fault `unavailable`.
 */
export async function listenControl(
  file: string,
  o: {
    readonly desk: DirectoryDesk;
    readonly fetches: EdgeFetches;
    readonly clock: Clock;
    readonly log: Log;
  } & CommandApprovalOptions,
): Promise<Closable> {
  const app = new Koa<WebState>();
  app.silent = true;
  app.use(answerFaults(o.log));
  const routes = directoryRoutes({
    desk: o.desk,
    need: () => (_ctx, next) => next(),
    manager: (ctx) => ({ who: operatorIn(ctx), interface: "cli" }),
  });
  app.use(routes.routes());
  app.use(commandApprovalRoutes(o).routes());
  app.use(commandFetchRoutes({ ...o, operatorOf: operatorIn }).routes());
  app.use((ctx) => {
    throw new Fault("not-found", ctx.path);
  });
  const server = createHttpServer(app.callback(), { maxConnections: LIMITS.connections }) as Server;
  if (Buffer.byteLength(file) > LIMITS.pathBytes) throw unusable(file, "its path is too long");
  await rm(file, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(unusable(file, cause.message, cause)));
    server.listen(file, resolve);
  });
  await chmod(file, 0o600);
  return {
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await rm(file, { force: true });
    },
  };
}

function operatorIn({ req }: { readonly req: IncomingMessage }): string {
  const header = req.headers[OPERATOR_HEADER];
  const name = typeof header === "string" ? header.replace(/[^\x20-\x7e]/g, "").slice(0, LIMITS.operatorLength) : "";
  return name === "" ? "command line" : name;
}

function unusable(file: string, why: string, cause?: unknown): Fault {
  return new Fault("unavailable", `cannot listen at ${file}: ${why}`, { cause });
}
