import { createHash, randomBytes } from "node:crypto";
import type { Kysely } from "kysely";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Sealer } from "../base/seal.ts";
import { Secret } from "../base/secret.ts";
import type { AuthSchema } from "./auth-schema.ts";
import { DESTINATIONS, isSentBy, type SentBy } from "./destination.ts";
import { type Enrolment, FactorEnrolments } from "./factor-enrolments.ts";
import { type CodeSenders, type LimitReached, SentCodes } from "./sent-codes.ts";
import { Throttle } from "./throttle.ts";
import { base32, otpauthUri, stepOf } from "./totp.ts";
import { UnauthenticatedFault } from "./unauthenticated.ts";

const LIMITS = {
  /** RFC 4226 4: at least 128 bits, 160 recommended. */
  keyBytes: 20,
  recoveryCodes: 10,
  /** 80 bits each: nothing to guess, so that a plain hash keeps them. */
  recoveryBytes: 10,
} as const;

interface Factor {
  readonly kind: FactorKind;
  readonly sealed: string;
  /** Of the newest code that was taken: none is taken twice. */
  lastStep: number;
  /** Hashes of codes that were not used yet. */
  recovery: readonly string[];
}

/** An authenticator, or by what codes are sent. */
export type FactorKind = "totp" | SentBy;

/** Where a code was sent, as its owner knows it. */
export interface SentTo {
  readonly by: SentBy;
  readonly to: string;
}

/**
 * Second factors of people: one-time codes of an authenticator (RFC 6238), or such as are sent to them, and recovery codes, each good
 * once. Right passwords come first: nobody else learns whether an account has one.
 */
export class SecondFactors {
  readonly #query: Kysely<AuthSchema>;
  readonly #sealer: Sealer;
  readonly #clock: Clock;
  readonly #throttle: Throttle;
  readonly #byAccount = new Map<string, Factor>();
  readonly #sent: SentCodes;
  readonly #enrolments: FactorEnrolments;

  /** Fault `unavailable` when the database cannot be read. */
  static async open<Schema extends AuthSchema>(o: {
    readonly query: Kysely<Schema>;
    readonly sealer: Sealer;
    readonly clock: Clock;
    /** By what codes can be sent; by nothing if absent. */
    readonly senders?: CodeSenders;
    /** Told of limits of these. */
    readonly reached?: (limit: LimitReached) => void;
  }): Promise<SecondFactors> {
    // Kysely is invariant in its schema; the tables of others are never touched here.
    const query = o.query as unknown as Kysely<AuthSchema>;
    const factors = new SecondFactors(query, o.sealer, o.clock, new SentCodes(o.clock, o.senders ?? {}, o.reached));
    try {
      for (const row of await factors.#query.selectFrom("second_factor").selectAll().execute())
        factors.#byAccount.set(row.account, {
          kind: isSentBy(row.kind) ? row.kind : "totp",
          sealed: row.sealed,
          lastStep: row.last_step,
          recovery: JSON.parse(row.recovery) as readonly string[],
        });
    } catch (cause) {
      throw new Fault("unavailable", "cannot read the second factors", { cause });
    }
    return factors;
  }

  private constructor(query: Kysely<AuthSchema>, sealer: Sealer, clock: Clock, sent: SentCodes) {
    this.#query = query;
    this.#sealer = sealer;
    this.#clock = clock;
    this.#throttle = new Throttle(clock);
    this.#sent = sent;
    this.#enrolments = new FactorEnrolments(clock);
  }

  /** Whether codes can be sent so. */
  canSend(by: SentBy): boolean {
    return this.#sent.can(by);
  }

  has(accountId: string): boolean {
    return this.#byAccount.has(accountId);
  }

  /** By what its codes are sent; undefined where none are. */
  sendsBy(accountId: string): SentBy | undefined {
    const kind = this.#byAccount.get(accountId)?.kind;
    return kind === "totp" ? undefined : kind;
  }

  /** How many recovery codes are left; undefined without a second factor. */
  recoveryLeft(accountId: string): number | undefined {
    return this.#byAccount.get(accountId)?.recovery.length;
  }

  /** A secret for an authenticator, which counts once {@link confirm} has had a code of it. Fault `wrong-state`: there is one already. */
  begin(accountId: string, name: string): { readonly secret: Secret; readonly uri: Secret } {
    const key = randomBytes(LIMITS.keyBytes);
    this.#enrol(accountId, name, { kind: "totp", key });
    return { secret: new Secret(base32(key)), uri: new Secret(otpauthUri(key, name)) };
  }

  /** Sends a first code to where further ones are to be sent, once {@link confirm} has had it. Faults: `wrong-state`, `invalid`, `busy`, `unavailable`. */
  async beginSent(accountId: string, name: string, wanted: SentTo, address: string): Promise<SentTo> {
    const { by } = wanted;
    const { read, otherwise, masked } = DESTINATIONS[by];
    const to = read(wanted.to);
    const refusal = to === undefined ? otherwise : this.#sent.refusal(by, to);
    if (to === undefined || refusal !== undefined)
      throw new Fault("invalid", `not somewhere that ${by} is sent`, { tell: refusal ?? otherwise });
    this.#enrol(accountId, name, { kind: by, to });
    await this.#sent.send(accountId, address, by, to);
    return { by, to: masked(to) };
  }

  /**
   * Sends the code that {@link check} takes, to whom codes are sent; undefined where an authenticator shows them. `address`: who asks, and
   * can use it. Faults: `busy`, `unavailable`.
   */
  async sendCode(accountId: string, address: string): Promise<SentTo | undefined> {
    const factor = this.#byAccount.get(accountId);
    if (factor === undefined || factor.kind === "totp") return undefined;
    const to = this.#sealer.open(factor.sealed, factorOwner(accountId)).reveal();
    await this.#sent.send(accountId, address, factor.kind, to);
    return { by: factor.kind, to: DESTINATIONS[factor.kind].masked(to) };
  }

  /** The second factor counts from now on. Answers the recovery codes, which cannot be read again. Faults: `wrong-state`, `invalid`, `busy`. */
  async confirm(accountId: string, code: string, address: string): Promise<readonly Secret[]> {
    const enrolment = this.#enrolments.get(accountId);
    this.#throttle.admit(accountId, CODE);
    const lastStep = this.#firstStep(accountId, enrolment, digitsOf(code), address);
    if (lastStep === undefined) {
      this.#throttle.failed(accountId, CODE);
      throw new Fault("invalid", "wrong first code", {
        tell:
          enrolment.kind === "totp"
            ? "that is not the code of this moment: is the clock of the authenticator right, and the secret typed whole?"
            : "that is not the code that was sent last, or it is older than five minutes",
      });
    }
    this.#enrolments.end(accountId);
    const codes = Array.from({ length: LIMITS.recoveryCodes }, () => base32(randomBytes(LIMITS.recoveryBytes)));
    const { kind } = enrolment;
    const secret = new Secret(enrolment.kind === "totp" ? enrolment.key.toString("hex") : enrolment.to);
    const sealed = this.#sealer.seal(secret, factorOwner(accountId));
    const factor: Factor = { kind, sealed, lastStep, recovery: codes.map(hashOf) };
    const row = { account: accountId, kind, sealed, last_step: lastStep, recovery: JSON.stringify(factor.recovery) };
    await this.#query.insertInto("second_factor").values(row).execute();
    this.#byAccount.set(accountId, factor);
    return codes.map((one) => new Secret(one.match(/.{4}/g)?.join("-") ?? one));
  }

  /**
   * Takes a code of the authenticator, the one that was sent to `address`, or a recovery code, each once. Faults: `unauthenticated` where
   * it is wrong, with the words for a wrong password; `busy` after several wrong ones.
   */
  async check(accountId: string, code: string, address: string): Promise<"code" | "recovery code"> {
    const factor = this.#byAccount.get(accountId);
    if (factor === undefined) throw new UnauthenticatedFault("no second factor");
    this.#throttle.admit(accountId, CODE);
    const step = this.#nextStep(accountId, factor, digitsOf(code), address);
    const hash = hashOf(code.toUpperCase().replace(/[^A-Z2-7]/g, ""));
    if (step === undefined && !factor.recovery.includes(hash)) {
      this.#throttle.failed(accountId, CODE);
      throw new UnauthenticatedFault("wrong second factor");
    }
    // Used from this moment on, whoever asks while it is written down.
    if (step === undefined) factor.recovery = factor.recovery.filter((one) => one !== hash);
    else factor.lastStep = step;
    await this.#query
      .updateTable("second_factor")
      .set({ last_step: factor.lastStep, recovery: JSON.stringify(factor.recovery) })
      .where("account", "=", accountId)
      .execute();
    this.#throttle.succeeded(accountId, CODE);
    return step === undefined ? "recovery code" : "code";
  }

  /** Does nothing where there is none. */
  async remove(accountId: string): Promise<void> {
    await this.#query.deleteFrom("second_factor").where("account", "=", accountId).execute();
    this.#byAccount.delete(accountId);
  }

  #enrol(accountId: string, name: string, enrolment: Enrolment): void {
    if (this.has(accountId))
      throw new Fault("wrong-state", `${name} has a second factor`, {
        tell: "there is a second factor already: remove it first",
      });
    this.#enrolments.begin(accountId, enrolment);
  }

  /** The step of the first code; undefined where it is wrong. Codes that are sent have none: 0. */
  #firstStep(accountId: string, enrolment: Enrolment, code: string, address: string): number | undefined {
    if (enrolment.kind === "totp") return stepOf(enrolment.key, code, this.#clock.now(), 0);
    return this.#sent.take(accountId, address, enrolment.to, code) ? 0 : undefined;
  }

  #nextStep(accountId: string, { kind, sealed, lastStep }: Factor, code: string, address: string): number | undefined {
    const opened = this.#sealer.open(sealed, factorOwner(accountId)).reveal();
    if (kind !== "totp") return this.#sent.take(accountId, address, opened, code) ? 0 : undefined;
    return stepOf(Buffer.from(opened, "hex"), code, this.#clock.now(), lastStep);
  }
}

/** What wrong codes count under. */
const CODE = "second factor";

/** For whom the secret in the database is sealed. */
export function factorOwner(accountId: string): string {
  return `second factor:${accountId}`;
}

/** People type `123 456`. */
function digitsOf(code: string): string {
  return code.replace(/[\s-]/g, "");
}

function hashOf(code: string): string {
  return createHash("sha256").update(code).digest("hex");
}
