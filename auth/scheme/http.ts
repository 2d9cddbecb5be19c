import { randomBytes } from "node:crypto";
import { Fault } from "../../base/fault.ts";
import type { Secret } from "../../base/secret.ts";
import { type Algorithm, type AuthValue, algorithmOf, digestResponse, parseAuthValues, quoted } from "./digest.ts";

const LIMITS = {
  /** WWW-Authenticate fields of one answer that are looked at. */
  challengeFields: 8,
  /** A camera that calls every nonce stale would be asked for ever. */
  staleInARow: 2,
} as const;

const BASIC_STRENGTH = 1;

/** A user name and password that we show to a camera. */
export interface Credentials {
  readonly user: string;
  readonly password: Secret;
}

interface Chosen {
  readonly scheme: "basic" | "digest";
  readonly strength: number;
  readonly params: ReadonlyMap<string, string>;
  readonly algorithm: Algorithm | undefined;
  readonly withQop: boolean;
}

/**
 * Client side of one connection or one camera: picks the strongest of what a 401 offers, and signs requests.
 *
 * Once a strong scheme was offered, a weaker one is refused: nobody in between can talk us down to Basic. Two challenges
 * without an accepted answer between them mean that the credentials are wrong, and end the attempt, for a camera locks
 * the account after a few. Cameras that change the nonce without saying `stale` are answered again as long as answers in
 * between were accepted.
 */
export class ChallengeAnswerer {
  readonly #credentials: Credentials;
  readonly #allowBasic: boolean;
  #chosen: Chosen | undefined;
  #strongest = 0;
  #nonceCount = 0;
  /** Requests signed since the last challenge. All but the last of them were accepted, or there would have been a challenge. */
  #signed = 0;
  #staleInARow = 0;
  /** Final: an answerer that was refused stays silent, and the next attempt starts with a new one. */
  #refused = false;
  #sessionNonce = "";

  /** `allowBasic`: only inside TLS, or where the installer accepts that the password travels readable. */
  constructor(credentials: Credentials, options: { readonly allowBasic?: boolean } = {}) {
    if (/\p{Cc}/u.test(credentials.user)) throw new Fault("invalid", "user name with control characters");
    this.#credentials = credentials;
    this.#allowBasic = options.allowBasic ?? false;
  }

  /**
   * Feeds the WWW-Authenticate values of a 401. False when nothing usable is offered, when only something weaker is offered
   * than before, or when the same credentials were just refused and the nonce was not called stale.
   */
  challenged(values: readonly string[]): boolean {
    const best = values
      .slice(0, LIMITS.challengeFields)
      .flatMap(parseAuthValues)
      .flatMap((value) => this.#usable(value) ?? [])
      .reduce<Chosen | undefined>((a, b) => (a === undefined || b.strength > a.strength ? b : a), undefined);
    if (this.#refused || best === undefined || best.strength < this.#strongest) return false;
    if (this.#signed === 1) {
      const stale = best.params.get("stale")?.toLowerCase() === "true";
      this.#refused = !stale || this.#staleInARow >= LIMITS.staleInARow;
      if (this.#refused) return false;
      this.#staleInARow += 1;
    } else this.#staleInARow = 0;
    // A server may count on: the same nonce goes on with the next count.
    if (best.params.get("nonce") !== this.#chosen?.params.get("nonce")) {
      this.#nonceCount = 0;
      this.#sessionNonce = randomBytes(16).toString("hex");
    }
    this.#signed = 0;
    this.#strongest = best.strength;
    this.#chosen = best;
    return true;
  }

  /** The Authorization value for the next request, or undefined before any challenge. `uri` is hashed as it is given: pass what stands in the request line. */
  authorize(method: string, uri: string): string | undefined {
    const chosen = this.#chosen;
    if (chosen === undefined) return undefined;
    this.#signed += 1;
    const { user, password } = this.#credentials;
    if (chosen.algorithm === undefined)
      return `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString("base64")}`;

    this.#nonceCount += 1;
    const { params, algorithm, withQop } = chosen;
    const [realm, nonce] = [params.get("realm") ?? "", params.get("nonce") ?? ""];
    const nc = this.#nonceCount.toString(16).padStart(8, "0");
    // `-sess` fixes the first hash for the life of the nonce, and with it the client's nonce.
    const cnonce = algorithm.session ? this.#sessionNonce : randomBytes(16).toString("hex");
    const quality = withQop ? { nc, cnonce } : undefined;
    const signed = { algorithm, user, realm, password: password.reveal(), nonce, method, uri, cnonce };
    const response = digestResponse(quality === undefined ? signed : { ...signed, quality });
    const named = params.get("algorithm");
    const opaque = params.get("opaque");
    return `Digest ${[
      /^[ -~]*$/.test(user) ? `username=${quoted(user)}` : `username*=UTF-8''${encodeURIComponent(user)}`,
      `realm=${quoted(realm)}`,
      `nonce=${quoted(nonce)}`,
      `uri=${quoted(uri)}`,
      `response="${response}"`,
      ...(named === undefined ? [] : [`algorithm=${named}`]),
      ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
      ...(withQop ? ["qop=auth", `nc=${nc}`] : []),
      ...(withQop || algorithm.session ? [`cnonce="${cnonce}"`] : []),
    ].join(", ")}`;
  }

  #usable({ scheme, params }: AuthValue): Chosen | undefined {
    if (scheme === "basic" && this.#allowBasic)
      return { scheme, strength: BASIC_STRENGTH, params, algorithm: undefined, withQop: false };
    const algorithm = algorithmOf(params.get("algorithm"));
    const qops =
      params
        .get("qop")
        ?.toLowerCase()
        .split(/[\s,]+/)
        .filter((qop) => qop !== "") ?? [];
    if (scheme !== "digest" || algorithm === undefined || !params.has("nonce")) return undefined;
    if (qops.length > 0 && !qops.includes("auth")) return undefined;
    return { scheme, strength: BASIC_STRENGTH + algorithm.strength, params, algorithm, withQop: qops.length > 0 };
  }
}
