import { Fault } from "../base/fault.ts";

/** Kind `unauthenticated`, with what the next challenge has to say. Everything about whether the account exists stays in `message`. */
export class UnauthenticatedFault extends Fault {
  /** The credentials were right, and only the nonce or the time in them is not: the client tries again without asking anybody. */
  readonly stale: boolean;

  constructor(message: string, options: { readonly stale?: boolean } = {}) {
    super("unauthenticated", message, { tell: "wrong name or password" });
    this.stale = options.stale ?? false;
  }
}
