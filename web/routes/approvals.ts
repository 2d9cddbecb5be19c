import { Router } from "@koa/router";
import { z } from "zod";
import type { Approvals } from "../../auth/approvals.ts";
import type { Audit } from "../../auth/audit.ts";
import { managerOf } from "../../auth/managed.ts";
import type { SecondFactors } from "../../auth/second-factors.ts";
import { Fault, isFault } from "../../base/fault.ts";
import { peerOf } from "../../net/http.ts";
import { attempt } from "../attempt.ts";
import { jsonBody } from "../body.ts";
import { askerOf } from "../managed-by.ts";
import { plainApproval } from "../plain-approval.ts";
import { sendCode } from "../send-code.ts";
import { caller, type Need, type WebState } from "../state.ts";
import { oneTimeCode } from "./session.ts";

export const approvalAnswer = z.strictObject({
  says: z.enum(["approved", "refused"]),
  why: z.string().trim().max(500).default(""),
  /** Of the second factor, for who has one. */
  code: oneTimeCode.optional(),
});

/** Requests for a second person: one's own, and, for who may approve, everybody's. */
export function approvalRoutes(o: {
  readonly approvals: Approvals;
  readonly audit: Audit;
  readonly factors: Pick<SecondFactors, "has" | "check" | "sendCode">;
  readonly need: Need;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/approvals" });

  router.get("/", (ctx) => {
    const who = caller(ctx);
    ctx.body = {
      approvals: o.approvals.list(who).map((one) => ({ ...plainApproval(one), own: one.account === who.accountId })),
    };
  });

  router.get("/:id", (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    ctx.body = plainApproval(o.approvals.find(caller(ctx), id));
  });

  router.post("/:id", o.need("approve"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    const { says, why, code } = await jsonBody(ctx.req, approvalAnswer);
    const principal = caller(ctx);
    const by = { ...askerOf(ctx), principal };
    // Whoever sits down at somebody's page does not approve in their name.
    if (says === "approved" && o.factors.has(principal.accountId)) {
      const { address } = peerOf(ctx.req.socket);
      if (code === undefined) {
        await sendCode(o.audit, { ...managerOf(by), subject: by.who }, () =>
          o.factors.sendCode(principal.accountId, address),
        );
        ctx.status = 202;
        ctx.body = { needs: "code" };
        return;
      }
      await attempt(o.audit, { ...managerOf(by), action: "approve", subject: id }, () =>
        checkCode(o.factors, principal.accountId, code, address),
      );
    }
    await o.approvals.answer(by, id, says, why);
    ctx.status = 204;
  });

  router.delete("/:id", async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    await o.approvals.withdraw({ ...askerOf(ctx), principal: caller(ctx) }, id);
    ctx.status = 204;
  });
  return router;
}

/** Of somebody whose password was right: it is the code alone that is wrong. Faults: `invalid`, `busy`. */
export async function checkCode(
  factors: Pick<SecondFactors, "check">,
  accountId: string,
  code: string,
  address: string,
): Promise<void> {
  try {
    await factors.check(accountId, code, address);
  } catch (error) {
    if (!isFault(error, "unauthenticated")) throw error;
    throw new Fault("invalid", "wrong code", { tell: "That code is wrong, or was used already." });
  }
}
