import type { Context, Next } from "koa";
import { ApprovalNeeded } from "../auth/approval.ts";
import { asFault, type FaultKind } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { plainApproval } from "./plain-approval.ts";

const STATUS: Readonly<Record<FaultKind, number>> = {
  unauthenticated: 401,
  denied: 403,
  "not-found": 404,
  invalid: 400,
  "wrong-state": 409,
  busy: 429,
  unavailable: 503,
  internal: 500,
};

/**
 * Answers what a handler throws: a status, and what may be told of it as `{ error }`; or `{ approval }` with 202 where a second person is
 * to approve it, after which the same request does it.
 */
export function answerFaults(log: Log): (ctx: Context, next: Next) => Promise<void> {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (error instanceof ApprovalNeeded) {
        ctx.status = 202;
        ctx.body = { approval: plainApproval(error.approval) };
        return;
      }
      const fault = asFault(error);
      if (fault.kind === "internal") log.error({ err: fault, path: ctx.path }, "request failed");
      ctx.status = STATUS[fault.kind];
      ctx.body = { error: fault.tell ?? plainWords(fault.kind) };
    }
  };
}

function plainWords(kind: FaultKind): string {
  return kind === "not-found" ? "There is no such thing, or it is not for you." : `The request failed (${kind}).`;
}
