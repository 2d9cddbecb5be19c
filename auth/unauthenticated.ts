import { Fault } from "../base/fault.ts";

/** What is wrong with a log-in, for the administrator; the client is told that it is wrong, and nothing else. */
export type LogInFailure =
  | "no-credentials"
  | "wrong-secret"
  | "clock-off"
  | "used-again"
  | "incomplete-token"
  | "readable-password"
  | "algorithm"
  | "scheme"
  | "jwt"
  | "certificate";

/** Kind `unauthenticated`, with what the next challenge has to say. Everything about whether the account exists stays in `message`. */
export class UnauthenticatedFault extends Fault {
  /** The credentials were right, and only the nonce or the time in them is not: the client tries again without asking anybody. */
  readonly stale: boolean;
  readonly failure: LogInFailure;
  /** As the client wrote it, where it did. */
  readonly account: string | undefined;
  /** The algorithm or scheme; the seconds by which the client's clock is behind ours; what is wrong with a JWT or a client's certificate. */
  readonly detail: string | undefined;

  constructor(
    message: string,
    options: {
      readonly stale?: boolean;
      readonly tell?: string;
      readonly failure?: LogInFailure;
      readonly account?: string;
      readonly detail?: string | undefined;
    } = {},
  ) {
    super("unauthenticated", message, { tell: options.tell ?? "wrong name or password" });
    this.stale = options.stale ?? false;
    this.failure = options.failure ?? "wrong-secret";
    this.account = options.account;
    this.detail = options.detail;
  }
}

/** Of a log-in that was right when it began: what it was right for is not what the account is now. */
export function changedMeanwhile(name: string): UnauthenticatedFault {
  return new UnauthenticatedFault(`${name} was changed during the log-in`, {
    tell: "your account was changed meanwhile: log in again",
  });
}
