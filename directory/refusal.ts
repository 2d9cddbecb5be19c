import { Fault } from "../base/fault.ts";

/** Why a directory does not let somebody in. */
export type BindRefusal =
  | "wrong" // name or password: which of them is not told
  | "disabled"
  | "expired" // the account
  | "locked"
  | "password-expired"
  | "must-change-password"
  | "other-hours"
  | "other-machine";

/** `data` of AD's answer to a bind: a Windows error in hexadecimal (MS-ERREF 2.2). */
const AD_REFUSALS: Readonly<Record<string, BindRefusal>> = {
  "52e": "wrong",
  "525": "wrong",
  "530": "other-hours",
  "531": "other-machine",
  "532": "password-expired",
  "533": "disabled",
  "701": "expired",
  "773": "must-change-password",
  "775": "locked",
};

const WORDS: Readonly<Record<BindRefusal, string>> = {
  wrong: "the name or the password is wrong",
  disabled: "the account is disabled",
  expired: "the account has expired",
  locked: "the account is locked",
  "password-expired": "the password has expired",
  "must-change-password": "the password has to be changed first",
  "other-hours": "the account may not log in at this hour",
  "other-machine": "the account may not log in at this machine",
};

/** LDAP results (RFC 4511 4.1.9) that a person can do something about. */
const RESULTS: Readonly<Record<number, string>> = {
  3: "the server's time limit was reached: narrow the base or the filter",
  4: "the server's size limit was reached and it does no paging: raise its limit for this account",
  7: "the server does not support this way of log-in",
  8: "the server wants encryption or signing: use ldaps or starttls",
  11: "an administrative limit of the server was reached",
  12: "the server does not support a control that is needed (paged results)",
  13: "the server wants encryption: use ldaps or starttls",
  32: "there is no such entry: check the base",
  34: "it is not a distinguished name",
  48: "the account has no password at the server, or may not log in with it",
  49: "the name or the password is wrong",
  50: "the account may not read this",
  51: "the server is busy",
  52: "the server is not available just now",
  53: "the server is unwilling: it may want encryption, or the password may not be used",
};

/** A bind that the directory refused. `message` says why, for our log; whoever tried is told nothing but that it failed. */
export class BindFault extends Fault {
  readonly refusal: BindRefusal;

  constructor(refusal: BindRefusal, who: string) {
    super("unauthenticated", `the directory refuses ${who}: ${WORDS[refusal]}`, { tell: "wrong name or password" });
    this.refusal = refusal;
  }
}

/** Why a bind was refused, by the diagnostic message of the answer; AD alone says more than "wrong". */
export function refusalOf(diagnostic: string): BindRefusal {
  return AD_REFUSALS[/\bdata ([0-9a-f]{3}),/i.exec(diagnostic)?.[1]?.toLowerCase() ?? ""] ?? "wrong";
}

/** What an LDAP result means, and what to do. */
export function resultWords(code: number): string {
  return RESULTS[code] ?? `LDAP result ${code}`;
}
