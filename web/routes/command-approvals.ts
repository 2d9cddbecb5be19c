import { Router } from "@koa/router";
import { z } from "zod";
import { demand } from "../../auth/access.ts";
import type { Accounts } from "../../auth/accounts.ts";
import type { Approvals } from "../../auth/approvals.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Principal } from "../../auth/principal.ts";
import type { SecondFactors } from "../../auth/second-factors.ts";
import { attempt } from "../attempt.ts";
import { jsonBody } from "../body.ts";
import { plainApproval } from "../plain-approval.ts";
import { sendCode } from "../send-code.ts";
import type { WebState } from "../state.ts";
import { approvalAnswer, checkCode } from "./approvals.ts";

export interface CommandApprovalOptions {
  readonly accounts: Accounts;
  readonly factors: SecondFactors;
  readonly approvals: Approvals;
  readonly audit: Audit;
}

const logIn = {
  name: z.string().min(1).max(128),
  password: z.string().min(1).max(1024),
  code: approvalAnswer.shape.code,
};
const listing = z.strictObject(logIn);
const answering = approvalAnswer.extend(logIn);

/** Where nobody's address is known: the commands of this machine. */
const HERE = { address: "", port: 0, tls: true } as const;

/**
 * Requests for a second person, at the command line: whoever owns the data folder is not one by that. Each request brings the log-in of
 * a person who may approve through the interface `cli`.
 */
export function commandApprovalRoutes(o: CommandApprovalOptions): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/approvals" });
  /** Undefined where the code of the second factor is still to come. */
  const approver = async ({ name, password, code }: z.output<typeof listing>): Promise<Principal | undefined> => {
    const who = await attempt(o.audit, { action: "log-in", who: name, interface: "cli" }, async () => {
      const found = await o.accounts.logIn(name, password, HERE, "cli");
      if (o.factors.has(found.accountId) && code !== undefined)
        await checkCode(o.factors, found.accountId, code, HERE.address);
      return found;
    });
    if (o.factors.has(who.accountId) && code === undefined) {
      await sendCode(o.audit, { who: who.name, subject: who.name, interface: "cli" }, () =>
        o.factors.sendCode(who.accountId, HERE.address),
      );
      return undefined;
    }
    demand(o.audit, who, { right: "approve", interface: "cli" });
    return who;
  };

  router.post("/list", async (ctx) => {
    const who = await approver(await jsonBody(ctx.req, listing));
    ctx.body = who === undefined ? { needs: "code" } : { approvals: o.approvals.list(who).map(plainApproval) };
  });

  router.post("/:id", async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    const { says, why, ...given } = await jsonBody(ctx.req, answering);
    const who = await approver(given);
    if (who !== undefined) await o.approvals.answer({ principal: who, who: who.name, interface: "cli" }, id, says, why);
    ctx.body = who === undefined ? { needs: "code" } : {};
  });
  return router;
}
