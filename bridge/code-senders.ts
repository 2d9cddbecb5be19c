import type { Audit } from "../auth/audit.ts";
import type { CodeSenders, LimitReached } from "../auth/sent-codes.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { HOUR } from "../base/units.ts";
import { Mailer } from "./client-side/mailer.ts";
import { SmsGateway } from "./client-side/sms-gateway.ts";
import type { Settings } from "./settings.ts";

/** By what codes to log in are sent, as the configuration says. */
export function codeSendersOf({ mail, sms, cameraSide }: Settings, clock: Clock): CodeSenders {
  return {
    ...(mail === undefined ? {} : { mail: new Mailer(mail, cameraSide.interfaces, clock) }),
    ...(sms === undefined ? {} : { sms: new SmsGateway(sms, cameraSide.interfaces, clock) }),
  };
}

/** Whoever pays for codes, and whoever looks for fraud, is told that a limit of them is reached. `nameOf` an account, by id. */
export function tellOfLimits(o: {
  readonly audit: Audit;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly nameOf: (accountId: string) => string | undefined;
}): (limit: LimitReached) => void {
  const reached = o.metrics.counter("viaduct_code_limits_reached_total", "Limits of codes by SMS that were reached", [
    "of",
  ]);
  return ({ by, accountId, count, withinMs }) => {
    const account = accountId === undefined ? undefined : (o.nameOf(accountId) ?? accountId);
    reached.inc({ of: account === undefined ? "all" : "person" });
    const why = `${count} codes by ${by} within ${withinMs / HOUR} hours are sent: no more for now`;
    o.log.warn({ account, by, count, withinMs }, "the limit of codes is reached: somebody may be running up costs");
    o.audit.record({
      who: "viaduct",
      action: "reach-code-limit",
      interface: "bridge",
      outcome: "failed",
      subject: account ?? "all accounts",
      why,
    });
  };
}
