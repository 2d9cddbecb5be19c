import { createRequire } from "node:module";
import type { Handle, PKCS11 } from "pkcs11js";
import { Fault } from "../../base/fault.ts";
import { logIn } from "./log-in.ts";
import { type TokenPlace, unusable } from "./place.ts";
import type { Library, TokenSession } from "./session.ts";

/**
 * Logs in to the token for one piece of work. Blocks the process while the token works: for starts and commands alone. Fault `unavailable`
 * where library, token or PIN are not what they should be, or the token fails.
 */
export async function withToken<T>(place: TokenPlace, work: (session: TokenSession) => T): Promise<T> {
  const library = load();
  const token = new library.PKCS11();
  try {
    token.load(place.module);
  } catch (cause) {
    throw unusable(`the PKCS#11 library ${place.module} cannot be loaded: ${(cause as Error).message}`, cause);
  }
  try {
    token.C_Initialize();
    try {
      const slot = slotOf(token, library, place);
      const session = token.C_OpenSession(slot, library.CKF_SERIAL_SESSION | library.CKF_RW_SESSION);
      const open: TokenSession = { token, library, place, slot, session };
      await logIn(open);
      return work(open);
    } finally {
      token.C_Finalize();
    }
  } catch (cause) {
    if (cause instanceof Fault || !(cause instanceof library.NativeError)) throw cause;
    throw unusable(`token ${place.name} fails: ${cause.message} in ${cause.method}`, cause);
  } finally {
    token.close();
  }
}

function load(): Library {
  try {
    return createRequire(import.meta.url)("pkcs11js") as Library;
  } catch (cause) {
    throw unusable(
      "the package pkcs11js, by which tokens are reached, is not here or not built: run `npm ci` and `npm run build`, which needs a C++ compiler (g++)",
      cause,
    );
  }
}

function slotOf(token: PKCS11, library: Library, { name, module }: TokenPlace): Handle {
  const tokens = token
    .C_GetSlotList(true)
    .map((slot) => ({ slot, info: token.C_GetTokenInfo(slot) }))
    .filter(({ info }) => (info.flags & library.CKF_TOKEN_INITIALIZED) !== 0)
    .map(({ slot, info }) => ({ slot, label: info.label.trimEnd() }));
  const [found, ...more] = tokens.filter(({ label }) => label === name);
  if (found === undefined) {
    const others = tokens.map(({ label }) => label).join(", ") || "none";
    throw unusable(`${module} has no token ${name} (tokens there: ${others}): plug it in, or mend keys.token`);
  }
  if (more.length > 0) throw unusable(`${module} has several tokens ${name}: give each a label of its own`);
  return found.slot;
}
