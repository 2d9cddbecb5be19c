import { ChallengeAnswerer, type Credentials } from "../../auth/scheme/http.ts";
import { usernameTokenHeader } from "../../auth/scheme/usernametoken.ts";
import { Fault } from "../../base/fault.ts";
import { later, type Millis, type UnixMillis } from "../../base/units.ts";

const LIMITS = {
  /** Refused log-ins before we give up: cameras lock the account after as few as five. */
  refusals: 2,
} as const;

/** What to put into a request. */
export interface Proof {
  /** Value of the Authorization header. */
  readonly authorization?: string;
  /** Header block of the SOAP message. */
  readonly security?: string;
}

/** What an answer that refuses a request says of logging in. */
export interface Refusal {
  /** 401 with these WWW-Authenticate values; empty for other answers. */
  readonly challenges: readonly string[];
  /** The answer is a SOAP fault that asks for a login. */
  readonly fault: boolean;
  /** Over TLS, where even Basic tells nobody the password. */
  readonly encrypted: boolean;
}

/**
 * Logs in to one camera: HTTP digest first (ONVIF Core 5.9.1), a WS-UsernameToken dated by the camera's clock where digest is
 * not offered, or is refused by a SOAP fault. Never both in one request, which cameras refuse; never Basic without TLS; never
 * a third try after two refusals.
 */
export class Login {
  readonly #credentials: Credentials | undefined;
  #answerer: ChallengeAnswerer | undefined;
  #mode: "none" | "digest" | "token" = "none";
  #refusals = 0;
  #accepted = false;
  /** How far the camera's clock is ahead of ours. */
  clockOffsetMs: Millis = 0;

  constructor(credentials: Credentials | undefined) {
    this.#credentials = credentials;
  }

  /** The camera has taken our login at least once: what it refuses now, it refuses to this account. */
  get accepted(): boolean {
    return this.#accepted;
  }

  /** For the next request; fresh nonces each time. `uri` as in the request line. */
  proof(method: string, uri: string, now: UnixMillis): Proof {
    if (this.#mode === "token" && this.#credentials !== undefined)
      return { security: usernameTokenHeader(this.#credentials, later(now, this.clockOffsetMs)) };
    const authorization = this.#mode === "digest" ? this.#answerer?.authorize(method, uri) : undefined;
    return authorization === undefined ? {} : { authorization };
  }

  /** The last proof got no answer, and is made once more. */
  unanswered(): void {
    if (this.#mode === "digest") this.#answerer?.unanswered();
  }

  /** The last request was answered without a word about logging in. */
  taken(): void {
    if (this.#mode !== "none") this.#accepted = true;
  }

  /**
   * True: ask again with a new {@link proof}. False: the login is good, but this account may not do this.
   * Fault `unauthenticated`: no use in trying on, with the reason in `tell`.
   */
  refused(refusal: Refusal): boolean {
    if (this.#credentials === undefined)
      throw new Fault("unauthenticated", "camera asks for a login, none is given", {
        tell: "this camera asks for a user name and password",
      });
    const before = this.#mode;
    if (before !== "token") {
      this.#answerer ??= new ChallengeAnswerer(this.#credentials, { allowBasic: refusal.encrypted });
      if (refusal.challenges.length > 0 && this.#answerer.challenged(refusal.challenges)) {
        this.#mode = "digest";
        return true;
      }
    }
    // A SOAP fault after an accepted log-in speaks of rights; a 401 may be one that counts towards locking the account.
    if (before !== "none" && !(this.#accepted && refusal.challenges.length === 0)) this.#refusals += 1;
    if (this.#accepted && this.#refusals < LIMITS.refusals) return false;

    const onlyBasic =
      refusal.challenges.length > 0 &&
      !refusal.challenges.some((value) => /\bdigest\b/i.test(value)) &&
      !refusal.encrypted;
    const mayTry = this.#refusals < LIMITS.refusals && before !== "token" && (before === "none" || refusal.fault);
    if (mayTry) {
      this.#mode = "token";
      return true;
    }
    throw new Fault("unauthenticated", `camera refused the login (${before}, ${this.#refusals} refused)`, {
      tell: onlyBasic
        ? "the camera takes passwords in clear text only: switch on digest authentication or HTTPS in the camera"
        : "wrong user name or password. Many cameras keep ONVIF users apart from web users: the account must be an ONVIF user of the camera",
    });
  }
}
