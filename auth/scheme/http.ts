import { randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { equalDigests, Secret } from "../../base/secret.ts";
import type { Accounts } from "../accounts.ts";
import type { Peer, Principal } from "../principal.ts";
import type { Interface } from "../right.ts";
import type { Throttle } from "../throttle.ts";
import { UnauthenticatedFault } from "../unauthenticated.ts";
import { type BearerTokens, bearerIn } from "./bearer.ts";
import { type Algorithm, type AuthValue, algorithmOf, digestResponse, parseAuthValues, quoted } from "./digest.ts";
import { Nonces } from "./nonce.ts";
import { denotesSame } from "./uri.ts";

const LIMITS = {
  /** Names and client nonces that are longer are nobody's. */
  parameterLength: 256,
  /** WWW-Authenticate fields of one answer that are looked at. */
  challengeFields: 8,
  /** A camera that calls every nonce stale would be asked for ever. */
  staleInARow: 2,
} as const;

const BASIC_STRENGTH = 1;

const NOT_REGISTERED = "log in: the certificate of this client is not registered here";

export interface HttpAuthenticatorOptions {
  readonly accounts: Accounts;
  readonly clock: Clock;
  readonly realm: string;
  /** The interface that is guarded. Nonces of one door are worth nothing at another. */
  readonly door: Interface;
  readonly throttle: Throttle;
  /** What bearer tokens are taken by, inside TLS (RFC 6750); none are if absent. */
  readonly tokens?: BearerTokens;
}

/** What `verify` looks at. */
export interface AuthenticatedRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly uri: string;
  /** The value of the Authorization field. Absent, empty, or of a scheme that we do not speak: the same. */
  readonly authorization: string | undefined;
  readonly peer: Peer;
}

/**
 * Server side of digest (RFC 7616, 2617 and 2069) and, inside TLS, of Basic, for RTSP and HTTP alike. Digest is for
 * integrations alone: it needs the secret itself, and of people we keep only a hash. Bearer tokens are not in the challenges, but for who
 * has sent one (RFC 6750 3): there are clients that fail where one of a scheme is that they do not know.
 */
export class HttpAuthenticator {
  readonly #options: HttpAuthenticatorOptions;
  readonly #nonces: Nonces;

  constructor(options: HttpAuthenticatorOptions) {
    this.#options = options;
    this.#nonces = new Nonces(options.clock, options.door);
  }

  /**
   * Values of WWW-Authenticate, one field each, the best first. One nonce for all, because there are clients that take the
   * nonce of one challenge and the algorithm of another. `options`: of the request that is refused.
   */
  challenges(
    peer: Peer,
    options: { readonly stale?: boolean; readonly authorization?: string | undefined } = {},
  ): readonly string[] {
    const realm = `realm=${quoted(this.#options.realm)}`;
    const nonce = `nonce="${this.#nonces.make(peer.address)}"`;
    const stale = options.stale === true ? ["stale=true"] : [];
    const digest = (algorithm: string): string =>
      `Digest ${[realm, nonce, 'qop="auth"', `algorithm=${algorithm}`, ...stale].join(", ")}`;
    const refused = peer.tls && this.#options.tokens !== undefined && bearerIn(options.authorization) !== undefined;
    return [
      digest("SHA-256"),
      digest("MD5"),
      ...(peer.tls ? [`Basic ${realm}, charset="UTF-8"`] : []),
      ...(refused ? [`Bearer ${realm}, error="invalid_token"`] : []),
    ];
  }

  /** Whether these are credentials of a kind that we know what to do with; others count as none (ONVIF Core 5.9.1). */
  takes(authorization: string): boolean {
    const { tokens, door } = this.#options;
    const bearer = bearerIn(authorization);
    return bearer === undefined
      ? /^(?:digest|basic)\s+\S/i.test(authorization.trim())
      : tokens?.takes(bearer, door) === true;
  }

  /**
   * Who sent the request. Faults: `unauthenticated` (an {@link UnauthenticatedFault}), `busy` (throttled), `invalid` (the
   * field breaks its grammar, or signs another resource), `unavailable` (the keys of a JWT's issuer are not at hand).
   */
  async verify(request: AuthenticatedRequest): Promise<Principal> {
    const { authorization = "", peer } = request;
    const { tokens, door } = this.#options;
    const bearer = bearerIn(authorization);
    if (bearer !== undefined && peer.tls && tokens !== undefined) return tokens.verify(bearer, peer, door);
    const values = parseAuthValues(authorization);
    const [value] = values;
    if (value === undefined) {
      if (authorization.trim() === "") return this.#withoutField(peer);
      throw new Fault("invalid", "Authorization cannot be read", { tell: "bad Authorization" });
    }
    const basic = value.scheme === "basic" && peer.tls;
    if (!basic && value.scheme !== "digest")
      throw new UnauthenticatedFault(`scheme ${value.scheme}`, { failure: "scheme", detail: value.scheme });
    if (values.length > 1 || value.malformed)
      throw new Fault("invalid", "Authorization breaks its grammar", { tell: "bad Authorization" });

    const { name, check } = basic ? this.#basic(value, peer) : this.#digest(value, request);
    const { throttle } = this.#options;
    throttle.admit(peer.address, name);
    try {
      const principal = await check();
      throttle.succeeded(peer.address, name);
      return principal;
    } catch (error) {
      if (error instanceof UnauthenticatedFault && !error.stale) throttle.failed(peer.address, name);
      throw error;
    }
  }

  /** Who is known by the connection alone. */
  #withoutField(peer: Peer): Principal {
    const { tokens, door } = this.#options;
    const who = tokens?.ofCertificate(peer, door);
    if (who !== undefined) return who;
    if (peer.certificate === undefined) throw new UnauthenticatedFault("no credentials", { failure: "no-credentials" });
    throw new UnauthenticatedFault("an unknown certificate", {
      failure: "certificate",
      tell: NOT_REGISTERED,
      detail: `nobody here has the one with SHA-256 ${peer.certificate}`,
    });
  }

  #basic({ token }: AuthValue, { address }: Peer): Attempt {
    const text = Buffer.from(token ?? "", "base64").toString("utf8");
    const colon = text.indexOf(":");
    if (colon < 0) throw new Fault("invalid", "Basic without a colon", { tell: "bad Authorization" });
    const name = text.slice(0, colon);
    const password = new Secret(text.slice(colon + 1));
    return { name, check: () => this.#options.accounts.checkPassword(name, password, address) };
  }

  #digest(value: AuthValue, { method, uri, peer }: AuthenticatedRequest): Attempt {
    const { accounts, realm, door } = this.#options;
    const answer = digestAnswer(value);
    if (!denotesSame(answer.uri, uri, door, method))
      throw new Fault("invalid", `signed ${answer.uri}, asked for ${uri}`, { tell: "uri does not match the request" });
    const check = async (): Promise<Principal> => {
      // Who is wrong is compared with both: how long an unknown name takes must not tell that it is unknown.
      const came = accounts.integrationSecrets(answer.user).find(({ secret, principal }) => {
        const expected = digestResponse({ ...answer, realm, password: secret.reveal(), method });
        return equalDigests(expected, answer.response) && principal !== undefined;
      });
      const principal = came?.principal;
      if (came === undefined || principal === undefined || answer.realm !== realm)
        throw new UnauthenticatedFault(`wrong name or secret for ${answer.user}`, { account: answer.user });
      const count = answer.quality === undefined ? undefined : Number.parseInt(answer.quality.nc, 16);
      if (!this.#nonces.use(answer.nonce, peer.address, count))
        throw new UnauthenticatedFault(`nonce of ${answer.user} is used up`, { stale: true });
      came.used(peer.address);
      return principal;
    };
    return { name: answer.user, check };
  }
}

interface Attempt {
  readonly name: string;
  readonly check: () => Promise<Principal>;
}

interface DigestAnswer {
  readonly algorithm: Algorithm;
  readonly user: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  /** In lower case. */
  readonly response: string;
  readonly quality?: { readonly nc: string; readonly cnonce: string };
  readonly cnonce?: string;
}

/** The parameters of RFC 7616 3.4. Fault `invalid` when one is missing or has no meaning. */
function digestAnswer({ params }: AuthValue): DigestAnswer {
  const get = (name: string): string => {
    const found = params.get(name);
    if (found === undefined) throw bad(`no ${name}`);
    return found;
  };
  const algorithm = algorithmOf(params.get("algorithm"));
  if (algorithm === undefined)
    throw new UnauthenticatedFault(`digest algorithm ${params.get("algorithm")}`, {
      failure: "algorithm",
      detail: params.get("algorithm"),
      ...(params.has("username") ? { account: get("username") } : {}),
    });
  const user = params.has("username*") ? extendedName(get("username*")) : get("username");
  const response = get("response").toLowerCase();
  const nonce = get("nonce");
  const cnonce = params.get("cnonce") ?? "";
  if (user === undefined || !/^[0-9a-f]+$/.test(response) || response.length !== algorithm.hexDigits)
    throw bad("name or response");
  if ([user, nonce, cnonce].some((text) => text.length > LIMITS.parameterLength)) throw bad("a value is too long");
  const base = { algorithm, user, realm: get("realm"), nonce, uri: get("uri"), response };
  // FFmpeg writes qop="" where it was offered none.
  const qop = params.get("qop")?.toLowerCase() ?? "";
  if (qop === "") return { ...base, cnonce };
  const nc = get("nc");
  if (qop !== "auth" || !/^[0-9a-f]{8}$/i.test(nc) || cnonce === "") throw bad("qop, nc or cnonce");
  return { ...base, quality: { nc, cnonce } };
}

function bad(what: string): Fault {
  return new Fault("invalid", `digest: ${what}`, { tell: "bad Authorization" });
}

/** RFC 7616 3.4, RFC 8187: `UTF-8''s%C3%B8ren`. */
function extendedName(text: string): string | undefined {
  const encoded = /^utf-8'[a-z-]*'(.*)$/i.exec(text)?.[1];
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

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
  #renewsUnasked = false;
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
    } else {
      this.#staleInARow = 0;
      if (this.#chosen !== undefined && best.params.get("stale")?.toLowerCase() !== "true") this.#renewsUnasked = true;
    }
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

  /** The camera has given up a nonce that it had accepted before, and not called it stale (RFC 7616 3.3). */
  get renewsUnasked(): boolean {
    return this.#renewsUnasked;
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

  /** The last request that was signed got no answer: a refusal of the next one speaks of the same credentials. */
  unanswered(): void {
    this.#signed = Math.max(0, this.#signed - 1);
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
