import { Router } from "@koa/router";
import type { Context } from "koa";
import { z } from "zod";
import type { Accounts } from "../../auth/accounts.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Peer, Principal } from "../../auth/principal.ts";
import type { SecondFactors } from "../../auth/second-factors.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { KerberosLogIns } from "../../bridge/directory/kerberos.ts";
import type { NtlmLogIns } from "../../bridge/directory/ntlm.ts";
import { claimedName, isNtlmMessage } from "../../directory/ntlm-message.ts";
import { isForwarded } from "../../net/http.ts";
import { jsonBody } from "../body.ts";
import type { Entrance } from "../entrance.ts";
import { prove } from "../log-in.ts";
import { bindingOf, type Scheme, type Token, tokenIn } from "../negotiate.ts";
import type { WebState } from "../state.ts";
import { oneTimeCode } from "./session.ts";

const bodyOf = z.strictObject({ code: oneTimeCode.optional() });

const KERBEROS_OFF = "Log-in by Kerberos is not set up here.";
const NTLM_OFF = "Log-in by NTLM is not set up here.";

const NO_TICKET =
  "This computer has no Kerberos ticket for the bridge, or the browser does not give it to this address. Log in with name and password.";

const NO_NTLM = "This program has not logged in by NTLM. Log in with name and password.";

const FORWARDED =
  "Log-in by NTLM belongs to one connection, and there is a proxy in between. Log in with name and password, or go to the bridge itself.";

/** Who has shown an account of a directory. */
interface Shown {
  readonly directory: string;
  readonly id: string;
  readonly name: string;
}

interface Parts {
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly factors: SecondFactors;
  /** Absent where they are off. */
  readonly kerberos?: Pick<KerberosLogIns, "prove"> | undefined;
  readonly ntlm?: Pick<NtlmLogIns, "step"> | undefined;
  readonly entrance: Entrance;
  readonly peerOf: (ctx: Pick<Context, "req">) => Peer;
}

/**
 * Log-ins with the account of the computer: by Kerberos (RFC 4559), and by NTLM (MS-NTHT), which the door of Kerberos takes, too, where
 * it is on, for a client without a ticket. A POST, so that no page elsewhere can have a browser do it. No log-in stays with the connection: it
 * gives a session, as a password does.
 */
export function computerLogInRoutes(o: Parts): Router<WebState> {
  const { kerberos, ntlm, entrance } = o;
  const router = new Router<WebState>({ prefix: "/api/session" });

  /** Who has proved to be a person of a directory: a second factor, then a session. */
  const enter = async (
    ctx: Context,
    { directory, id, name }: Shown,
    how: string,
    code: string | undefined,
  ): Promise<void> => {
    const peer = o.peerOf(ctx);
    const first = async (): Promise<Principal> => o.accounts.enter(directory, id);
    const proving = () => entrance.audited("log-in", name, peer, () => prove(o, { name, first, code }, peer), wordsOf);
    await entrance.answer(ctx, peer, proving, `${how}: ${name}`);
  };

  const byTicket = async (ctx: Context, by: Pick<KerberosLogIns, "prove">, token: Buffer): Promise<void> => {
    const peer = o.peerOf(ctx);
    const { code } = await jsonBody(ctx.req, bodyOf);
    const showing = () => by.prove(token, bindingOf(ctx.req), peer);
    const shown = await entrance.audited("log-in", "bearer of a Kerberos ticket", peer, showing, wordsOf);
    ctx.set("www-authenticate", `Negotiate ${shown.answer.toString("base64")}`);
    await enter(ctx, { ...shown, name: shown.principal }, "Kerberos", code);
  };

  const byNtlm = async (ctx: Context, by: Pick<NtlmLogIns, "step">, { scheme, token }: Token): Promise<void> => {
    if (isForwarded(ctx.req)) throw new Fault("denied", "NTLM through a proxy", { tell: FORWARDED });
    const peer = o.peerOf(ctx);
    const step = () => by.step(token, { connection: ctx.req.socket, bindings: bindingOf(ctx.req), peer });
    const done = await entrance.audited("log-in", claimedName(token) ?? "somebody by NTLM", peer, step, wordsOf);
    if (done.is === "person") {
      // Clients send no body with their first message.
      const { code } = await jsonBody(ctx.req, bodyOf);
      return enter(ctx, done, "NTLM", code);
    }
    ctx.set("www-authenticate", `${scheme} ${done.message.toString("base64")}`);
    throw new Fault("unauthenticated", "NTLM: challenged", { tell: NO_NTLM });
  };

  router.post("/kerberos", async (ctx) => {
    if (kerberos === undefined || !o.peerOf(ctx).tls) throw off(KERBEROS_OFF);
    const given = tokenIn(ctx.req);
    if (given === undefined || (given.scheme === "NTLM" && ntlm === undefined))
      return ask(ctx, ntlm === undefined ? ["Negotiate"] : ["Negotiate", "NTLM"], NO_TICKET);
    if (ntlm !== undefined && (given.scheme === "NTLM" || isNtlmMessage(given.token))) await byNtlm(ctx, ntlm, given);
    else await byTicket(ctx, kerberos, given.token);
  });

  router.post("/ntlm", async (ctx) => {
    if (ntlm === undefined || !o.peerOf(ctx).tls) throw off(NTLM_OFF);
    const given = tokenIn(ctx.req);
    if (given === undefined) return ask(ctx, ["NTLM"], NO_NTLM);
    await byNtlm(ctx, ntlm, given);
  });
  return router;
}

function ask(ctx: Context, schemes: readonly Scheme[], tell: string): never {
  ctx.set("www-authenticate", [...schemes]);
  throw new Fault("unauthenticated", "no token yet", { tell });
}

const off = (tell: string): Fault => new Fault("not-found", tell, { tell });

const wordsOf = (error: unknown): string => asFault(error).message;
