import type { DirectoryAnswer } from "../../auth/directory-link.ts";
import { refusedInTime } from "../../auth/password-check.ts";
import type { Peer } from "../../auth/principal.ts";
import type { Throttle } from "../../auth/throttle.ts";
import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault, isFault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { NtlmAnswer } from "../../directory/ntlm-helper.ts";
import { type NtlmClaim, ntlmBinding, readNtlmMessage } from "../../directory/ntlm-message.ts";
import type { NtlmSettings } from "../ntlm-settings.ts";
import type { Directory } from "./directory.ts";
import type { Connection, NtlmHandshakes } from "./ntlm-handshakes.ts";

/** What failed log-ins count under before it is known whose they are: no account can have this name. */
const SOMEBODY = ":ntlm";

const REFUSED = "The Windows account was not accepted. Log in with name and password.";

const NO_VERSION_2 =
  "This program logs in by a version of NTLM that is not taken, for it is broken. Let it use NTLMv2, or log in with name and password.";

const NOT_BOUND =
  "This program does not bind its log-in to the connection (Extended Protection), so that somebody could have handed it on: it is not taken. Log in with name and password, or ask the administrator.";

const EXPIRED =
  "That password has expired or has to be changed: change it at a computer of your domain, then log in here.";

const NOT_NOW = "Log-in by NTLM does not work just now. Log in with name and password.";

/** What a domain controller says of passwords that are right, and have to be changed first (MS-ERREF 2.3). */
const CHANGE_PASSWORD: readonly string[] = ["NT_STATUS_PASSWORD_EXPIRED", "NT_STATUS_PASSWORD_MUST_CHANGE"];

/** What winbind says where no domain controller has judged anything. */
const UNREACHABLE: ReadonlySet<string> = new Set(
  [
    "ACCESS_DENIED",
    "CANT_ACCESS_DOMAIN_INFO",
    "CONNECTION_REFUSED",
    "DOMAIN_CONTROLLER_NOT_FOUND",
    "HOST_UNREACHABLE",
    "IO_TIMEOUT",
    "NETWORK_UNREACHABLE",
    "NO_LOGON_SERVERS",
    "NO_SUCH_DOMAIN",
    "NO_TRUST_LSA_SECRET",
    "NO_TRUST_SAM_ACCOUNT",
    "RPC_SERVER_UNAVAILABLE",
    "TRUSTED_DOMAIN_FAILURE",
    "TRUSTED_RELATIONSHIP_FAILURE",
    "UNSUCCESSFUL",
  ].map((name) => `NT_STATUS_${name}`),
);

/** What log-ins by NTLM work with. */
export interface NtlmParts {
  readonly handshakes: NtlmHandshakes;
  /** Fault `not-found`. */
  readonly directory: (name: string) => Pick<Directory, "idNamed"> & {
    readonly logIns: Pick<Directory["logIns"], "guarded">;
  };
  readonly throttle: Throttle;
  readonly clock: Clock;
  readonly log: Log;
}

/** Where a message comes from. */
export interface NtlmSender {
  readonly connection: Connection;
  /** What our end of the connection is known by (RFC 5929), or nothing. */
  readonly bindings: Buffer;
  readonly peer: Peer;
}

/** A message for the client, which it answers on the same connection; or who it is. */
export type NtlmStep =
  | { readonly is: "challenge"; readonly message: Buffer }
  /** `name`: as `CORP\alice`; `id`: theirs in the directory. */
  | { readonly is: "person"; readonly name: string; readonly directory: string; readonly id: string };

type Mapped = NtlmSettings["domains"][number];

/**
 * Log-ins by NTLM (MS-NLMP, MS-NTHT): Samba's helper has a domain controller judge them, and the directory says who that is. What they may
 * do, and whether a second factor is wanted, is the account's business, as with a password.
 */
export class NtlmLogIns {
  readonly #settings: NtlmSettings;
  readonly #o: NtlmParts;

  constructor(settings: NtlmSettings, parts: NtlmParts) {
    this.#settings = settings;
    this.#o = parts;
  }

  /**
   * One message of a log-in. Faults: `unauthenticated`, `denied` (a kind of NTLM that is not taken), `busy` (throttled, or too many at once),
   * `unavailable` (winbind, the domain or the directory).
   */
  async step(message: Buffer, sender: NtlmSender): Promise<NtlmStep> {
    const { throttle, clock, log } = this.#o;
    const { address } = sender.peer;
    throttle.admit(address, SOMEBODY);
    const read = readNtlmMessage(message);
    try {
      if (read?.type === "negotiate") return await this.#challenge(message, sender);
      if (read?.type === "v1") throw new Fault("denied", "NTLM: version 1", { tell: NO_VERSION_2 });
      if (read?.type !== "v2") throw refused(read === undefined ? "no message that makes sense" : "anonymous");
      const person = await refusedInTime(clock, () => this.#prove(message, read, sender));
      throttle.succeeded(address, SOMEBODY);
      return person;
    } catch (error) {
      const { kind, message: why } = error as Fault;
      // A helper that fails costs a process each time.
      if (error instanceof UnauthenticatedFault || isFault(error, "denied") || isFault(error, "unavailable"))
        throttle.failed(address, read?.type === "v2" ? read.user : SOMEBODY);
      if (kind !== "unavailable") throw error;
      log.warn({ err: error, address }, "log-in by NTLM does not work: `viaduct config check` says more");
      throw new Fault("unavailable", `NTLM: ${why}`, { tell: NOT_NOW, cause: error });
    }
  }

  async #challenge(message: Buffer, { connection, peer }: NtlmSender): Promise<NtlmStep> {
    const answer = await this.#o.handshakes.begin(connection, peer.address, message);
    if (answer.is !== "challenge") throw refused(wordsOf(answer));
    return answer;
  }

  async #prove(message: Buffer, claim: NtlmClaim, { connection, bindings }: NtlmSender): Promise<NtlmStep> {
    this.#demandBinding(claim, bindings);
    const { name, mapped } = this.#place(claim);
    const directory = this.#o.directory(mapped.directory);
    const id = await directory.idNamed(claim.user);
    if (id === undefined) throw refused(`${name} is not one person whom directory ${mapped.directory} lets in`);
    let judged: NtlmAnswer | undefined;
    const ask = async (): Promise<DirectoryAnswer> => {
      judged = await this.#o.handshakes.answered(connection, (helper) => helper.conclude(message));
      return judged === undefined ? "unreachable" : meaningOf(judged);
    };
    const answer = await directory.logIns.guarded(id, message.toString("base64"), ask);
    if (answer === "unreachable" && judged !== undefined) throw new Fault("unavailable", wordsOf(judged));
    if (answer === "change-password") throw refused(`${name}: the password has expired`, EXPIRED);
    if (judged === undefined)
      throw refused(
        answer === "wrong"
          ? `${name} was not passed on, so that the domain does not lock the account`
          : `${name}: no challenge was given on this connection`,
      );
    if (judged.is !== "account") throw refused(`${name}: ${wordsOf(judged)}`);
    const { domain, user } = judged;
    // Who the domain says it is, whatever the client has said: by its own name, in its own domain.
    const isTheirs = domain.toLowerCase() === mapped.domain.toLowerCase() && (await directory.idNamed(user)) === id;
    if (!isTheirs) throw refused(`${name} is ${domain}\\${user} for the domain, and somebody else for the directory`);
    return { is: "person", name: `${domain}\\${user}`, directory: mapped.directory, id };
  }

  #demandBinding({ binding }: NtlmClaim, bindings: Buffer): void {
    if (binding === undefined) {
      if (this.#settings.binding === "where-sent") return;
      throw new Fault("denied", "NTLM: not bound to the connection, see ntlm.binding", { tell: NOT_BOUND });
    }
    // The domain controller's proof is over what the client has bound it to, so this cannot have been written in on the way.
    if (bindings.length === 0 || !binding.equals(ntlmBinding(bindings)))
      throw refused("bound to another connection: somebody hands it on, or a proxy ends TLS in front of the bridge");
  }

  /** In which domain the client means to be. One that names none means the only one there is. */
  #place({ domain, user }: NtlmClaim): { readonly name: string; readonly mapped: Mapped } {
    const { domains } = this.#settings;
    const name = domain === "" ? user : `${domain}\\${user}`;
    const wanted = domain.toLowerCase();
    const mapped =
      domain === "" && domains.length === 1 ? domains[0] : domains.find((one) => one.domain.toLowerCase() === wanted);
    if (mapped === undefined) throw refused(`${name} is of a domain that is not listed`);
    return { name, mapped };
  }
}

function meaningOf(answer: NtlmAnswer): DirectoryAnswer {
  if (answer.is === "account") return "in";
  if (answer.is === "challenge" || UNREACHABLE.has(answer.status)) return "unreachable";
  return CHANGE_PASSWORD.includes(answer.status) ? "change-password" : "wrong";
}

function wordsOf(answer: NtlmAnswer): string {
  return answer.is === "refused" ? answer.status : `the helper answered with ${answer.is}`;
}

function refused(why: string, tell = REFUSED): UnauthenticatedFault {
  return new UnauthenticatedFault(`NTLM: ${why}`, { tell });
}
