import { unusable } from "./place.ts";
import type { TokenSession } from "./session.ts";

/** Return values of the standard (PKCS#11 2.40, `CKR_…`). */
const PIN_INCORRECT = 0xa0;
const PIN_INVALID = 0xa1;
const PIN_LEN_RANGE = 0xa2;
const PIN_EXPIRED = 0xa3;
const PIN_LOCKED = 0xa4;
const REFUSED: readonly unknown[] = [PIN_INCORRECT, PIN_INVALID, PIN_LEN_RANGE];

const MEND =
  "mend keys.token.pinFile (or the credential), then run `viaduct keys token --try-pin`, which tries it once";

/**
 * Gives the PIN to the token. Tokens lock themselves after some wrong ones, and a service that fails is started again and again: after a
 * refusal none is tried until a person says so. Some tokens tell of it, others do not, so that it is remembered here too, and before the
 * try: what cannot be remembered, on a disk that is full, is not tried, and a process that dies amid it has tried once.
 */
export async function logIn({ token, library, place, slot, session }: TokenSession): Promise<void> {
  const { name, refusals } = place;
  const { flags } = token.C_GetTokenInfo(slot);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (!has(library.CKF_LOGIN_REQUIRED)) return;
  if (!has(library.CKF_USER_PIN_INITIALIZED))
    throw unusable(`token ${name} has no user PIN yet: set one with its own tool`);
  if (has(library.CKF_USER_PIN_LOCKED)) throw locked(name);
  if (has(library.CKF_USER_PIN_FINAL_TRY))
    throw unusable(
      `one more wrong PIN locks token ${name}, so that none was tried: log in with the token's own tool first`,
    );
  const wasRefused = await refusals.some();
  if (!place.tryPin && (has(library.CKF_USER_PIN_COUNT_LOW) || wasRefused))
    throw unusable(
      `token ${name} was given a wrong PIN before, or gave no answer to one; some of them lock it, so that none was tried: ${MEND}`,
    );
  const pin = await place.pin();
  await refusals.remember();
  try {
    token.C_Login(session, library.CKU_USER, pin.reveal());
  } catch (cause) {
    const code: unknown = cause instanceof library.Pkcs11Error ? cause.code : undefined;
    const isRefused = REFUSED.includes(code);
    if (!isRefused && !wasRefused) await refusals.forget();
    if (code === PIN_LOCKED) throw locked(name);
    if (code === PIN_EXPIRED) throw unusable(`the PIN of token ${name} has expired: set another one with its own tool`);
    if (!isRefused) throw cause;
    throw unusable(
      `token ${name} refuses the PIN, and is not asked again by itself, for some wrong ones lock it: ${MEND}`,
    );
  }
  await refusals.forget();
}

function locked(name: string) {
  return unusable(
    `token ${name} is locked after too many wrong PINs: unlock it with its own tool and its SO PIN or PUK`,
  );
}
