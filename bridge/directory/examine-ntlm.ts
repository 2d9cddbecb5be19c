import { access, constants } from "node:fs/promises";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { NtlmHelper } from "../../directory/ntlm-helper.ts";
import { NTLM_SIGNATURE } from "../../directory/ntlm-message.ts";
import type { NtlmSettings } from "../ntlm-settings.ts";

/** Nobody's name, for a log-in that has to fail. */
const NOBODY = "viaduct-check";

/** What the domain controller says of nobody: that it could be asked. */
const JUDGED: readonly string[] = ["NT_STATUS_LOGON_FAILURE", "NT_STATUS_NO_SUCH_USER", "NT_STATUS_WRONG_PASSWORD"];

/**
 * Unicode, NTLM, always sign, extended session security (MS-NLMP 2.2.2.5). Not the target's name: Samba would want to have again what it
 * says of it.
 */
const FLAGS = 0x0008_8201;

/** Fault `invalid` where there is no such program for us, in words that say what to do. */
export async function findNtlmHelper({ helper }: NtlmSettings): Promise<void> {
  await access(helper, constants.X_OK).catch((cause: unknown) => {
    const tell = `ntlm.helper: ${helper} cannot be run (${(cause as Error).message}): install it (Debian: apt install winbind) and join this machine to the domain; or take \`ntlm\` out of the configuration`;
    throw new Fault("invalid", tell, { tell, cause });
  });
}

/**
 * Tries it from end to end with somebody who is not there: the program, winbind, our right to ask it, and each domain's controller, in whose
 * log a failed log-in of `viaduct-check` stands then. `over` breaks it off. Faults: `invalid` as of {@link findNtlmHelper}; `unavailable` in
 * words that say what to do.
 */
export async function examineNtlm(settings: NtlmSettings, clock: Clock, over?: AbortSignal): Promise<void> {
  await findNtlmHelper(settings);
  for (const { domain } of settings.domains) {
    if (over?.aborted === true) return;
    const helper = new NtlmHelper(settings.helper, clock);
    const end = (): void => helper.close();
    over?.addEventListener("abort", end);
    try {
      await judgeNobody(helper, domain);
    } finally {
      over?.removeEventListener("abort", end);
      end();
    }
  }
}

async function judgeNobody(helper: NtlmHelper, domain: string): Promise<void> {
  const begun = await helper.begin(firstMessage()).catch((cause: unknown) => {
    throw unusable(`ntlm.helper: no challenge: ${(cause as Error).message}`, cause);
  });
  if (begun.is !== "challenge") throw unusable("ntlm.helper: no challenge, so this is no ntlm_auth of Samba");
  const answer = await helper.conclude(answerOfNobody(domain)).catch((cause: unknown) => {
    throw unusable(
      `ntlm: winbind cannot be asked (${(cause as Error).message}): it has to run, and the bridge's user has to reach its privileged pipe (Debian: apt install winbind; adduser USER winbindd_priv; then start the bridge anew)`,
      cause,
    );
  });
  if (answer.is === "refused" && JUDGED.includes(answer.status)) return;
  const why = answer.is === "refused" ? answer.status : answer.is;
  throw unusable(
    `ntlm: no domain controller of ${domain} has judged a log-in (${why}): \`wbinfo -t\` and \`net ads testjoin\` say whether this machine is joined to the domain and reaches it`,
  );
}

function unusable(tell: string, cause?: unknown): Fault {
  return new Fault("unavailable", tell, { tell, cause });
}

/** NEGOTIATE_MESSAGE (MS-NLMP 2.2.1.1): with what a least client can. */
function firstMessage(): Buffer {
  const message = Buffer.alloc(32);
  message.write(NTLM_SIGNATURE, "latin1");
  message.writeUInt32LE(1, 8);
  message.writeUInt32LE(FLAGS, 12);
  return message;
}

/** AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3) with a response of NTLMv2's shape, all zeros where the proof stands. */
function answerOfNobody(domain: string): Buffer {
  const response = Buffer.alloc(52);
  response.writeUInt16LE(0x0101, 16);
  const fields = [Buffer.alloc(24), response, utf16(domain), utf16(NOBODY), utf16("VIADUCT"), Buffer.alloc(0)];
  const head = Buffer.alloc(64);
  head.write(NTLM_SIGNATURE, "latin1");
  head.writeUInt32LE(3, 8);
  head.writeUInt32LE(FLAGS, 60);
  let offset = head.length;
  for (const [index, { length }] of fields.entries()) {
    head.writeUInt16LE(length, 12 + 8 * index);
    head.writeUInt16LE(length, 14 + 8 * index);
    head.writeUInt32LE(offset, 16 + 8 * index);
    offset += length;
  }
  return Buffer.concat([head, ...fields]);
}

function utf16(text: string): Buffer {
  return Buffer.from(text, "utf16le");
}
