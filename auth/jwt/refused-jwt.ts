import { UnauthenticatedFault } from "../unauthenticated.ts";

/** All that somebody with a token that is not taken is told: whether its account exists is nobody's business. */
const TELL =
  "this token is not taken: it is not from an issuer that is listed, not for here or for this interface, has expired, or is for no account that is let in";

/**
 * A JWT that is not taken. `isGuess`: its issuer has not signed it, so that it counts as a wrong password does; what the issuer has
 * signed and is refused nevertheless, as what has expired, does not.
 */
export class RefusedJwt extends UnauthenticatedFault {
  readonly isGuess: boolean;

  /** `why` is for administrators. */
  constructor(
    why: string,
    options: { readonly isGuess?: boolean; readonly account?: string; readonly cause?: unknown } = {},
  ) {
    super(`JWT: ${why}`, {
      tell: TELL,
      failure: "jwt",
      detail: why,
      ...(options.account === undefined ? {} : { account: options.account }),
    });
    this.isGuess = options.isGuess ?? false;
    if (options.cause !== undefined) this.cause = options.cause;
  }
}
