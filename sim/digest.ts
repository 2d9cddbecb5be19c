import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { MINUTE, type MonotonicMillis } from "../base/units.ts";

const LIMITS = {
  /** Nonces that are remembered, oldest forgotten first. */
  nonces: 500,
  headerLength: 4096,
} as const;

const NONCE_LIFE_MS = 5 * MINUTE;

export type DigestAlgorithm = "MD5" | "SHA-256";

export interface DigestOptions {
  readonly realm: string;
  readonly user: string;
  readonly password: string;
  /** One challenge for each. */
  readonly algorithms: readonly DigestAlgorithm[];
  /** With `qop="auth"`; without it, the form of RFC 2069. */
  readonly quality: boolean;
  /** Every nonce is good for one request. */
  readonly oneTime?: boolean;
  /** Offers Basic and MD5 first, and takes neither. */
  readonly decoys?: boolean;
  /** Says more in its challenges than there is to say. */
  readonly odd?: boolean;
  readonly clock: Clock;
}

interface Nonce {
  readonly since: MonotonicMillis;
  /** Counts that were used up: a camera takes each once. */
  readonly counts: Set<string>;
}

/** Asks for and checks HTTP digest log-ins (RFC 7616, RFC 2617), as a camera with one user does. */
export class DigestGate {
  readonly #options: DigestOptions;
  readonly #nonces = new Map<string, Nonce>();

  constructor(options: DigestOptions) {
    this.#options = options;
  }

  /** Values of WWW-Authenticate fields, in the order of the algorithms. */
  challenges(): readonly string[] {
    const { realm, algorithms, quality, decoys, odd } = this.#options;
    const nonce = randomBytes(16).toString("hex");
    this.#nonces.set(nonce, { since: this.#options.clock.monotonic(), counts: new Set() });
    for (const oldest of this.#nonces.keys()) {
      if (this.#nonces.size <= LIMITS.nonces) break;
      this.#nonces.delete(oldest);
    }
    const digest = (algorithm: DigestAlgorithm): string =>
      `Digest realm="${realm}", nonce="${nonce}", algorithm=${algorithm}${quality ? ', qop="auth"' : ""}${
        odd === true ? ', random="4711", stale="FALSE", vendor=none, opaque=""' : ""
      }`;
    return [...(decoys === true ? [`Basic realm="${realm}"`, digest("MD5")] : []), ...algorithms.map(digest)];
  }

  /** Whether the value of an Authorization field proves the password, for this very request. */
  check(authorization: string | undefined, method: string, uri: string): boolean {
    if (authorization === undefined || authorization.length > LIMITS.headerLength) return false;
    if (!/^Digest\s/i.test(authorization)) return false;
    const field = fieldsOf(authorization);
    const { realm, user, password, algorithms, quality, clock } = this.#options;
    const algorithm = algorithms.find((name) => name === (field.get("algorithm") ?? "MD5").toUpperCase());
    const nonce = this.#nonces.get(field.get("nonce") ?? "");
    if (algorithm === undefined || nonce === undefined || clock.monotonic() - nonce.since > NONCE_LIFE_MS) return false;
    if (field.get("username") !== user || field.get("realm") !== realm || field.get("uri") !== uri) return false;
    const hash = (...parts: readonly string[]): string =>
      createHash(algorithm === "MD5" ? "md5" : "sha256")
        .update(parts.join(":"))
        .digest("hex");
    const middle = [field.get("nonce") ?? ""];
    if (quality) {
      const count = field.get("nc") ?? "";
      if (field.get("qop") !== "auth" || nonce.counts.has(count)) return false;
      nonce.counts.add(count);
      middle.push(count, field.get("cnonce") ?? "", "auth");
    }
    const wanted = Buffer.from(hash(hash(user, realm, password), ...middle, hash(method, uri)));
    const given = Buffer.from(field.get("response") ?? "");
    const right = given.length === wanted.length && timingSafeEqual(given, wanted);
    if (right && this.#options.oneTime === true) this.#nonces.delete(field.get("nonce") ?? "");
    return right;
  }
}

/** `name=value` and `name="value"`, separated by commas; names in lower case. */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [, name = "", quoted, plain] of text.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g))
    fields.set(name.toLowerCase(), quoted === undefined ? (plain ?? "") : quoted.replaceAll(/\\(.)/g, "$1"));
  return fields;
}
